import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../shared/secret.ts';
import { askSocket, dataOf, deployment, startGateway, startUpstream } from '../../test/gateway.ts';
import type { Answer, TestGateway } from '../../test/gateway.ts';

const PIECE = '{"id":"x","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}';
const KEY = 'sk-upstream-0123456789';
const MESSAGE = `the model is busy with ${KEY}`;
const DONE = 'data: [DONE]\n\n';

/** A gateway whose upstream answers 200 with `text`. */
async function ask(text: string, stream = true): Promise<{ answer: Answer; log: TestGateway['log'] }> {
  await using upstream = await startUpstream((response) => {
    const type = stream ? 'text/event-stream' : 'application/json';
    response.writeHead(200, { 'content-type': type }).end(text);
  });
  await using gateway = await startGateway([
    deployment({ baseUrl: upstream.baseUrl, apiKey: new Secret(KEY) }),
  ]);
  const body = { model: 'test-model', messages: [{ role: 'user', content: 'Hi' }], stream };
  const answer = await askSocket(gateway, { path: '/v1/chat/completions', body });
  assert.ok(!answer.text.includes(KEY), answer.text);
  return { answer, log: gateway.log };
}

const errorOf = (code: number | string): string => JSON.stringify({ error: { message: MESSAGE, code } });

for (const [code, status, told] of [
  [400, 400, 'invalid_request'],
  ['402', 402, 'invalid_request'],
  [403, 502, 'upstream_error'],
  [429, 429, 'rate_limited'],
  [503, 502, 'upstream_error'],
  [200, 502, 'upstream_error'],
  ['server_error', 502, 'upstream_error'],
] as const) {
  test(`an error inside a 200 that says ${JSON.stringify(code)} is told as that status`, async () => {
    for (const stream of [true, false]) {
      const { answer } = await ask(stream ? `data: ${errorOf(code)}\n\n${DONE}` : errorOf(code), stream);
      assert.equal(answer.status, status, answer.text);
      const { error } = JSON.parse(answer.text);
      assert.equal(error.code, told);
      assert.match(error.message, /the model is busy/);
    }
  });
}

test('an error inside a 200 that says 503 is asked for elsewhere', async () => {
  await using busy = await startUpstream((response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(errorOf(503));
  });
  await using well = await startUpstream((response) => {
    const message = { role: 'assistant', content: 'Hello' };
    const answer = { id: 'x', choices: [{ index: 0, message, finish_reason: 'stop' }] };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  await using gateway = await startGateway([
    deployment({ baseUrl: busy.baseUrl, id: 'm#0', routing: { weight: 1 } }),
    deployment({ baseUrl: well.baseUrl, id: 'm#1', routing: { weight: 0 } }),
  ]);
  const body = { model: 'test-model', messages: [{ role: 'user', content: 'Hi' }] };
  const answer = await askSocket(gateway, { path: '/v1/chat/completions', body });
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.text, /Hello/);
  assert.equal(answer.headers['x-obelisk-attempts'], '2');
});

for (const [form, event] of [
  ['as older vLLM does', `data: {"object":"error","message":"${MESSAGE}","code":500}\n\n`],
  ['by the name of the event', `event: error\ndata: {"message":"${MESSAGE}"}\n\n`],
  ['by the name of the event alone', 'event: error\ndata: {}\n\n'],
] as const) {
  test(`an error that is told ${form} is none of success, first or in the middle of a stream`, async () => {
    const first = await ask(event + DONE);
    assert.equal(first.answer.status, 502, first.answer.text);
    const later = await ask(`data: ${PIECE}\n\n${event}${DONE}`);
    assert.equal(later.answer.status, 200);
    assert.deepEqual(dataOf(later.answer.text).at(-1), '[DONE]');
    const line = later.log.find(({ message }) => message === 'request');
    assert.equal(line?.fields['outcome'], 'error:upstream_error');
  });
}
