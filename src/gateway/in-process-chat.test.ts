import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObeliskError, ObeliskError } from '../shared/errors.ts';
import type { ChatEvent, ChatRequest, ChatWriter } from '../providers/chat.ts';
import { createInProcessClient } from './in-process-chat.ts';
import { until } from '../../test/eventually.ts';
import { deployment, startGateway, startUpstream } from '../../test/gateway.ts';
import type { TestGateway } from '../../test/gateway.ts';

const request: ChatRequest = {
  model: 'test-model',
  messages: [{ role: 'user', text: 'Hi', images: [{ mediaType: 'image/png', base64: 'AAAA' }] }],
  stream: false,
  includeUsage: false,
  temperature: 0.2,
  think: 'low',
  keepAlive: -1,
  options: { num_ctx: 4096 },
};
const finish: ChatEvent = { type: 'finish', reason: 'stop', usage: { promptTokens: 2, completionTokens: 3 } };

function gatewayWith(write: ChatWriter, overrides: object = {}): Promise<TestGateway> {
  const writers = {
    ollama: () => write,
    vault: () => assert.fail('no vault'),
    extractive: () => assert.fail('no writer'),
  };
  return startGateway([deployment({ dialect: 'ollama' })], { writers, ...overrides });
}

async function collect(events: AsyncIterable<ChatEvent>): Promise<ChatEvent[]> {
  const list: ChatEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}

const signal = (): AbortSignal => new AbortController().signal;

test('events and requests come out of the gateway as they went in', async () => {
  let seen: ChatRequest | undefined;
  const events: readonly ChatEvent[] = [
    { type: 'reasoning-delta', text: 'Hmm' },
    {
      type: 'text-delta',
      text: 'Hel',
      logprobs: [{ token: 'Hel', logprob: -0.5, bytes: null, top_logprobs: [] }],
    },
    { type: 'message-fields', fields: { sources: [{ path: 'ä.md' }] } },
    { type: 'tool-call', index: 0, call: { id: 'c', name: 'f', arguments: '{}' } },
    { ...finish, reason: 'tool_calls' },
  ];
  await using gateway = await gatewayWith(async function* write(received) {
    seen = received;
    yield* events;
  });
  const client = createInProcessClient(gateway.handler);
  assert.deepEqual(await collect(client.chat(request, { signal: signal() })), events);
  assert.deepEqual(seen, { ...request, stream: true, includeUsage: true });
  assert.deepEqual(gateway.outcomes(), ['ok']);
});

test('an upstream of OpenAI’s dialect becomes the same events', async () => {
  const chunk = (choice: object, usage: object | null = null): string =>
    `data: ${JSON.stringify({ id: 'x', choices: [{ index: 0, ...choice }], usage })}\n\n`;
  await using upstream = await startUpstream((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const call = (piece: object): string => chunk({ delta: { tool_calls: [{ index: 0, ...piece }] } });
    response.end(
      chunk({ delta: { role: 'assistant', content: '' } }) +
        chunk({ delta: { content: 'Hi' } }) +
        call({ id: 'c', function: { name: 'f', arguments: '' } }) +
        call({ function: { arguments: '{"a"' } }) +
        call({ function: { arguments: ':1}' } }) +
        chunk({ delta: {}, finish_reason: 'tool_calls' }) +
        'data: {"choices":[],"usage":{"prompt_tokens":2,"completion_tokens":3}}\n\ndata: [DONE]\n\n',
    );
  });
  await using gateway = await startGateway([deployment({ baseUrl: upstream.baseUrl })]);
  let loading = 0;
  const context = { signal: signal(), onLoading: () => (loading += 1) };
  assert.deepEqual(await collect(createInProcessClient(gateway.handler).chat(request, context)), [
    { type: 'text-delta', text: 'Hi' },
    { type: 'tool-call', index: 0, call: { id: 'c', name: 'f', arguments: '{"a":1}' } },
    { ...finish, reason: 'tool_calls' },
  ]);
  assert.equal(loading, 0);
});

test('an error has the code it had inside, before and after the first event', async () => {
  for (const first of [[], [{ type: 'text-delta', text: 'Hel' }]] as const) {
    await using gateway = await gatewayWith(async function* write() {
      yield* first;
      throw new ObeliskError('model_unavailable', 'the host is away', { param: 'model' });
    });
    const client = createInProcessClient(gateway.handler);
    await assert.rejects(collect(client.chat(request, { signal: signal() })), (error: unknown) => {
      assert.ok(isObeliskError(error));
      assert.equal(error.code, 'model_unavailable');
      assert.equal(error.message, 'the host is away');
      assert.equal(error.param, 'model');
      return true;
    });
  }
});

test('a wait is told, and headers of ours come along', async () => {
  await using gateway = await gatewayWith(
    async function* write(_request, context) {
      context.onHeader?.('x-obelisk-options-ignored', 'num_gpu');
      await new Promise((resolve) => setTimeout(resolve, 30));
      yield finish;
    },
    { heartbeat: { firstMs: 5, everyMs: 5 } },
  );
  let loading = 0;
  const headers: Record<string, string> = {};
  const context = {
    signal: signal(),
    onLoading: () => (loading += 1),
    onHeader: (name: string, value: string) => (headers[name] = value),
  };
  await collect(createInProcessClient(gateway.handler).chat(request, context));
  assert.ok(loading > 0);
  assert.equal(headers['x-obelisk-options-ignored'], 'num_gpu');
});

test('aborting reaches the writer', async () => {
  const controller = new AbortController();
  let aborted = false;
  await using gateway = await gatewayWith(async function* write(_request, { signal: inner }) {
    inner.addEventListener('abort', () => (aborted = true));
    yield { type: 'text-delta', text: 'Hel' };
    await new Promise((resolve) => inner.addEventListener('abort', resolve));
  });
  const events = createInProcessClient(gateway.handler).chat(request, { signal: controller.signal });
  await assert.rejects(
    (async () => {
      for await (const _event of events) controller.abort();
    })(),
    (error: unknown) => isObeliskError(error) && error.code === 'client_gone',
  );
  await until(() => aborted, 'the writer is aborted');
  assert.deepEqual(gateway.outcomes(), ['client_gone']);
});

test('embeddings come back bit for bit', async () => {
  const vectors = [Float32Array.of(0.1, -0.2), Float32Array.of(1e-20, 3)];
  await using gateway = await startGateway(
    [deployment({ dialect: 'ollama', capabilities: { embedding: true } })],
    {
      embedders: { ollama: () => async () => ({ vectors, promptTokens: 9 }) },
    },
  );
  const embed = createInProcessClient(gateway.handler).embed;
  const result = await embed({ model: 'test-model', input: ['a', 'b'], options: {} }, signal());
  assert.deepEqual(result, { vectors, promptTokens: 9 });
  await assert.rejects(embed({ model: 'nope', input: ['a'], options: {} }, signal()), (error: unknown) => {
    return isObeliskError(error) && error.code === 'model_not_found';
  });
});
