import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChatWriter } from '../providers/chat.ts';
import { ObeliskError } from '../shared/errors.ts';
import { until } from '../../test/eventually.ts';
import { dataOf, deployment, startGateway, startUpstream } from '../../test/gateway.ts';
import type { TestGateway } from '../../test/gateway.ts';
import type { Admission } from './admission.ts';
import { OpenCalls } from './open-calls.ts';

const PATH = '/v1/chat/completions';
const STOPPING = new ObeliskError('overloaded', 'the server is stopping; ask again', { retryAfter: 1 });
const FIRST = 'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}\n\n';

function ask(gateway: TestGateway, stream: boolean): Promise<Response> {
  return fetch(gateway.origin + PATH, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'test-model', messages: [{ role: 'user', content: 'Hi' }], stream }),
  });
}

/** Begins and never ends, whatever it is told. */
const deaf: ChatWriter = async function* write() {
  yield { type: 'text-delta', text: 'Hi' };
  await new Promise<never>(() => undefined);
};

function translating(calls: OpenCalls): Promise<TestGateway> {
  const unused = (): never => assert.fail('not in this test');
  const writers = { ollama: () => deaf, vault: unused, extractive: unused };
  return startGateway([deployment({ dialect: 'ollama' })], { calls, writers });
}

async function endsWithFrame(gateway: TestGateway, calls: OpenCalls): Promise<void> {
  const response = await ask(gateway, true);
  const reader = response.body?.getReader();
  assert.ok(reader);
  let text = new TextDecoder().decode((await reader.read()).value);
  calls.endAll(STOPPING);
  for (let part = await reader.read(); !part.done; part = await reader.read())
    text += new TextDecoder().decode(part.value);
  const data = dataOf(text);
  assert.equal(data.at(-1), '[DONE]');
  assert.equal(JSON.parse(data.at(-2) ?? '').error.code, 'overloaded');
  assert.deepEqual(gateway.outcomes(), ['error:overloaded']);
  assert.equal(calls.size, 0);
}

test('a translated stream that is interrupted ends with an error frame, though its writer does not', async () => {
  const calls = new OpenCalls();
  await using gateway = await translating(calls);
  await endsWithFrame(gateway, calls);
});

test('a stream that is passed through and interrupted ends with an error frame, and its upstream is left', async () => {
  await using upstream = await startUpstream((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(FIRST);
  });
  const calls = new OpenCalls();
  await using gateway = await startGateway([deployment({ baseUrl: upstream.baseUrl })], { calls });
  await endsWithFrame(gateway, calls);
  await until(() => upstream.abandoned() === 1, 'the upstream was left');
});

test('a whole answer that is interrupted is a 503 that says when to ask again', async () => {
  await using upstream = await startUpstream(() => undefined);
  for (const kind of ['passed', 'translated'] as const) {
    const calls = new OpenCalls();
    await using gateway = await (kind === 'passed'
      ? startGateway([deployment({ baseUrl: upstream.baseUrl })], { calls })
      : translating(calls));
    const answer = ask(gateway, false);
    await until(() => calls.size === 1, 'the call is open');
    calls.endAll(STOPPING);
    const response = await answer;
    assert.equal(response.status, 503, kind);
    assert.equal(response.headers.get('retry-after'), '1');
    assert.match(await response.text(), /"code":"overloaded"/);
    await calls.idle();
  }
});

test('calls are idle once the last has ended, and at once where there is none', async () => {
  const calls = new OpenCalls();
  await calls.idle();
  const call = { listedBefore: undefined, listedAfter: undefined, interrupt: () => undefined };
  calls.add(call);
  let idle = false;
  const waiting = calls.idle().then(() => (idle = true));
  await Promise.resolve();
  assert.equal(idle, false);
  calls.delete(call);
  await waiting;
});

test('while no new work is taken only what watches the process is answered, and taken work goes on', async () => {
  const admission: { refusal?: Admission['refusal'] } = {};
  const calls = new OpenCalls();
  await using upstream = await startUpstream((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(FIRST);
    setTimeout(() => {
      response.end('data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
    }, 50);
  });
  await using gateway = await startGateway([deployment({ baseUrl: upstream.baseUrl })], { calls, admission });
  const taken = await ask(gateway, true);
  admission.refusal = STOPPING;
  const refused = await ask(gateway, true);
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get('retry-after'), '1');
  assert.equal((await fetch(`${gateway.origin}/health/liveliness`)).status, 200);
  assert.equal((await fetch(`${gateway.origin}/metrics`)).status, 200);
  assert.deepEqual(dataOf(await taken.text()).at(-1), '[DONE]');
  admission.refusal = undefined;
  assert.equal((await ask(gateway, true)).status, 200);
});
