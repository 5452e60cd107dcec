import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObeliskError } from '../shared/errors.ts';
import type { ChatEvent, ChatRequest, ChatWriter } from '../providers/chat.ts';
import { until } from '../../test/eventually.ts';
import { askSocket, dataOf, deployment, startGateway, TRANSPORTS } from '../../test/gateway.ts';
import type { TestGateway } from '../../test/gateway.ts';

const PATH = '/v1/chat/completions';
const USAGE = { promptTokens: 4, completionTokens: 2 };
const MESSAGES = [{ role: 'user', content: 'Hi' }];
const ollama = deployment({
  dialect: 'ollama',
  baseUrl: 'http://127.0.0.1:1',
  defaults: { temperature: 0.1, num_ctx: 2048 },
});

function gatewayWith(write: ChatWriter, overrides: object = {}): Promise<TestGateway> {
  const unused = (): never => {
    throw new Error('not in this test');
  };
  const writers = { ollama: () => write, vault: unused, extractive: unused };
  return startGateway([ollama], { writers, ...overrides });
}

const writing = (...events: readonly ChatEvent[]): ChatWriter =>
  async function* write() {
    yield* events;
  };

const failing = (failure: Error, events: readonly ChatEvent[] = []): ChatWriter =>
  async function* write() {
    yield* events;
    throw failure;
  };

const ANSWER: readonly ChatEvent[] = [
  { type: 'reasoning-delta', text: 'Hmm' },
  { type: 'text-delta', text: 'Hel' },
  { type: 'text-delta', text: 'lo "you"\n' },
  { type: 'tool-call', index: 0, call: { id: 'call_1', name: 'look', arguments: '{"at":1}' } },
  { type: 'tool-call', index: 1, call: { id: 'call_2', name: 'look', arguments: '{"at":2}' } },
  { type: 'message-fields', fields: { sources: [{ path: 'a.md' }] } },
  { type: 'finish', reason: 'tool_calls', usage: USAGE },
];

for (const { name, ask } of TRANSPORTS) {
  test(`a stream has one id, the role first, one finish and the usage last, ${name}`, async () => {
    await using gateway = await gatewayWith(writing(...ANSWER));
    const answer = await ask(gateway, {
      path: PATH,
      body: {
        model: 'test-model',
        messages: MESSAGES,
        stream: true,
        stream_options: { include_usage: true },
      },
    });
    const data = dataOf(answer.text);
    assert.equal(data.at(-1), '[DONE]');
    const chunks = data.slice(0, -1).map((text) => JSON.parse(text));
    assert.equal(new Set(chunks.map((chunk) => `${chunk.id} ${chunk.created} ${chunk.model}`)).size, 1);
    assert.match(chunks[0].id, /^chatcmpl-/);
    assert.equal(chunks[0].model, 'test-model');
    assert.deepEqual(chunks[0].choices[0].delta, { role: 'assistant', content: '' });
    const deltas = chunks.slice(1, -2).map((chunk) => chunk.choices[0].delta);
    const call = (index: number): object => ({
      tool_calls: [
        {
          index,
          id: `call_${index + 1}`,
          type: 'function',
          function: { name: 'look', arguments: `{"at":${index + 1}}` },
        },
      ],
    });
    assert.deepEqual(deltas, [
      { reasoning_content: 'Hmm' },
      { content: 'Hel' },
      { content: 'lo "you"\n' },
      call(0),
      call(1),
      { sources: [{ path: 'a.md' }] },
    ]);
    assert.deepEqual(chunks.map((chunk) => chunk.choices[0]?.finish_reason ?? null).filter(Boolean), [
      'tool_calls',
    ]);
    assert.ok(chunks.slice(0, -1).every((chunk) => chunk.usage === null));
    assert.deepEqual(chunks.at(-1).choices, []);
    assert.deepEqual(chunks.at(-1).usage, { prompt_tokens: 4, completion_tokens: 2, total_tokens: 6 });
  });

  test(`without include_usage no chunk speaks of usage, ${name}`, async () => {
    await using gateway = await gatewayWith(writing(...ANSWER));
    const answer = await ask(gateway, {
      path: PATH,
      body: { model: 'test-model', messages: MESSAGES, stream: true },
    });
    assert.doesNotMatch(answer.text, /usage/);
  });

  test(`a whole answer holds everything in one message, ${name}`, async () => {
    await using gateway = await gatewayWith(writing(...ANSWER));
    const answer = await ask(gateway, { path: PATH, body: { model: 'test-model', messages: MESSAGES } });
    const { choices, usage, object, model } = JSON.parse(answer.text);
    assert.equal(object, 'chat.completion');
    assert.equal(model, 'test-model');
    assert.equal(choices[0].finish_reason, 'tool_calls');
    assert.deepEqual(choices[0].message.sources, [{ path: 'a.md' }]);
    assert.equal(choices[0].message.content, 'Hello "you"\n');
    assert.equal(choices[0].message.reasoning_content, 'Hmm');
    assert.equal(choices[0].message.tool_calls.length, 2);
    assert.deepEqual(usage, { prompt_tokens: 4, completion_tokens: 2, total_tokens: 6 });
    assert.deepEqual(gateway.outcomes(), ['ok']);
  });

  test(`an error before the first event has its own status, ${name}`, async () => {
    await using gateway = await gatewayWith(failing(new ObeliskError('context_length_exceeded', 'too long')));
    for (const stream of [true, false]) {
      const answer = await ask(gateway, {
        path: PATH,
        body: { model: 'test-model', messages: MESSAGES, stream },
      });
      assert.equal(answer.status, 400);
      assert.equal(JSON.parse(answer.text).error.code, 'context_length_exceeded');
    }
  });

  test(`an error or a missing end after the first event is a frame, ${name}`, async () => {
    const died = new ObeliskError('upstream_unreachable', 'the host died');
    const broken = failing(died, [{ type: 'text-delta', text: 'Hel' }]);
    for (const [write, code] of [
      [broken, 'upstream_unreachable'],
      [writing({ type: 'text-delta', text: 'Hel' }), 'upstream_invalid'],
    ] as const) {
      await using gateway = await gatewayWith(write);
      const answer = await ask(gateway, {
        path: PATH,
        body: { model: 'test-model', messages: MESSAGES, stream: true },
      });
      const data = dataOf(answer.text);
      assert.equal(JSON.parse(data.at(-2) ?? '').error.code, code);
      assert.equal(data.at(-1), '[DONE]');
      assert.deepEqual(gateway.outcomes(), [`error:${code}`]);
    }
  });

  test(`a defect is told as internal and logged with its stack, ${name}`, async () => {
    await using gateway = await gatewayWith(failing(new TypeError('canary of a defect')));
    const answer = await ask(gateway, { path: PATH, body: { model: 'test-model', messages: MESSAGES } });
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.text, /canary/);
    assert.match(answer.text, new RegExp(answer.headers['x-request-id'] ?? 'none'));
    const line = gateway.log.find(({ level }) => level === 'error');
    assert.match(String(line?.fields['stack']), /TypeError: canary of a defect/);
  });

  test(`a name in any script can stand in a header, ${name}`, async () => {
    await using gateway = await gatewayWith(async function* write(_request, context) {
      context.onHeader?.('x-obelisk-vault', 'Заметки\r\nset-cookie: a=b');
      yield { type: 'finish', reason: 'stop', usage: USAGE };
    });
    const answer = await ask(gateway, { path: PATH, body: { model: 'test-model', messages: MESSAGES } });
    assert.equal(answer.status, 200);
    assert.equal(decodeURIComponent(answer.headers['x-obelisk-vault'] ?? ''), 'Заметки\r\nset-cookie: a=b');
  });
}

test('a deployment’s defaults stand where a request is silent', async () => {
  let seen: ChatRequest | undefined;
  await using gateway = await gatewayWith(async function* write(request) {
    seen = request;
    yield { type: 'finish', reason: 'stop', usage: USAGE };
  });
  await askSocket(gateway, { path: PATH, body: { model: 'test-model', messages: MESSAGES, temperature: 1 } });
  assert.equal(seen?.temperature, 1);
  assert.deepEqual(seen?.options, { num_ctx: 2048 });
});

test('what has no effect is named, the writer’s part of it too', async () => {
  await using gateway = await gatewayWith(async function* write(_request, context) {
    context.onHeader?.('x-obelisk-options-ignored', 'num_gpu');
    yield { type: 'finish', reason: 'stop', usage: USAGE };
  });
  const fields = { logit_bias: { 50256: -100 }, prediction: {}, parallel_tool_calls: false, verbosity: null };
  for (const stream of [true, false]) {
    const body = { model: 'test-model', messages: MESSAGES, stream, ...fields };
    const answer = await askSocket(gateway, { path: PATH, body });
    assert.equal(answer.headers['x-obelisk-options-ignored'], 'logit_bias, parallel_tool_calls, num_gpu');
  }
});

test('a loading model is heartbeats and a log line, not silence', async () => {
  await using gateway = await gatewayWith(
    async function* write(_request, context) {
      context.onLoading?.();
      await new Promise((resolve) => setTimeout(resolve, 60));
      yield* ANSWER;
    },
    { heartbeat: { firstMs: 5, everyMs: 10 } },
  );
  const answer = await askSocket(gateway, {
    path: PATH,
    body: { model: 'test-model', messages: MESSAGES, stream: true },
  });
  assert.match(answer.text, /^: loading\n\n: loading\n\n/);
  assert.equal(dataOf(answer.text).at(-1), '[DONE]');
  assert.ok(
    gateway.log.some(({ message, fields }) => message === 'loading' && fields['model'] === 'test-model'),
  );
});

test('a client that does not read stops the writer instead of filling the memory', async () => {
  const text = 'x'.repeat(64 * 1024);
  let written = 0;
  await using gateway = await gatewayWith(async function* write() {
    for (; written < 4_000; written += 1) yield { type: 'text-delta', text };
  });
  const response = await fetch(gateway.origin + PATH, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'test-model', messages: MESSAGES, stream: true }),
  });
  let before = -1;
  await until(() => {
    const settled = written > 0 && before === written;
    before = written;
    return settled;
  }, 'the writer waits');
  // What the kernel holds for both ends is a few MiB; all of it would be 250.
  assert.ok(written < 1_000, `${written} events were written`);
  await response.body?.cancel();
  await until(() => gateway.outcomes().length === 1, 'the call is settled');
  assert.deepEqual(gateway.outcomes(), ['client_gone']);
});

test('a client that leaves aborts the writer', async () => {
  let aborted = false;
  let begun = false;
  await using gateway = await gatewayWith(async function* write(_request, { signal }) {
    yield { type: 'text-delta', text: 'Hel' };
    begun = true;
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => {
        aborted = true;
        resolve();
      });
    });
  });
  const controller = new AbortController();
  const asked = fetch(gateway.origin + PATH, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'test-model', messages: MESSAGES, stream: true }),
    signal: controller.signal,
  })
    .then((response) => response.text())
    .then(() => assert.fail('the answer cannot be complete'))
    .catch((error: unknown) => assert.equal((error as Error).name, 'AbortError'));
  await until(() => begun, 'the writer has begun');
  controller.abort();
  await until(() => aborted, 'the writer is aborted');
  await asked;
  await until(() => gateway.outcomes().length > 0, 'the call has its outcome');
  assert.deepEqual(gateway.outcomes(), ['client_gone']);
});
