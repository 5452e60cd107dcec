import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI, {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from 'openai';
import { Secret } from '../shared/secret.ts';
import { until } from '../../test/eventually.ts';
import { deployment, registryOf, startGateway, startUpstream } from '../../test/gateway.ts';
import type { TestGateway } from '../../test/gateway.ts';

const client = (gateway: TestGateway, apiKey = 'any'): OpenAI =>
  new OpenAI({ apiKey, baseURL: `${gateway.origin}/v1`, maxRetries: 0 });
const messages = [{ role: 'user' as const, content: 'Hi' }];
const chunk = (content: string, finish: string | null): string =>
  `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;

test('the openai client chats, whole and streaming', async () => {
  await using gateway = await startGateway([deployment({ mockResponse: 'Hello from here' })]);
  const openai = client(gateway);
  const whole = await openai.chat.completions.create({ model: 'test-model', messages });
  assert.equal(whole.choices[0]?.message.content, 'Hello from here');
  const stream = await openai.chat.completions.create({
    model: 'test-model',
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = '';
  let total: number | undefined;
  for await (const part of stream) {
    text += part.choices[0]?.delta.content ?? '';
    total = part.usage?.total_tokens ?? total;
  }
  assert.equal(text, 'Hello from here');
  assert.equal(total, 30);
});

test('the openai client streams tool calls through its own accumulator', async () => {
  const call = { id: 'call_1', name: 'look', arguments: '{"at":1}' };
  await using gateway = await startGateway([deployment({ dialect: 'ollama' })], {
    writers: {
      ollama: () =>
        async function* write() {
          yield { type: 'tool-call', index: 0, call };
          yield { type: 'finish', reason: 'tool_calls', usage: { promptTokens: 1, completionTokens: 1 } };
        },
      vault: () => assert.fail('no vault'),
      extractive: () => assert.fail('no writer'),
    },
  });
  const stream = client(gateway).chat.completions.stream({ model: 'test-model', messages });
  const final = await stream.finalChatCompletion();
  assert.equal(final.choices[0]?.finish_reason, 'tool_calls');
  const [made] = final.choices[0]?.message.tool_calls ?? [];
  assert.deepEqual(made?.type === 'function' ? [made.id, made.function] : [], [
    'call_1',
    { name: 'look', arguments: '{"at":1}' },
  ]);
});

test('the openai client gets the numbers it would get from OpenAI, though it asks for base64', async () => {
  const vectors = [Float32Array.of(0.25, -1, 1e-3), Float32Array.of(1, 2, 3)];
  await using gateway = await startGateway(
    [
      deployment({
        modelName: 'embedder',
        dialect: 'ollama',
        capabilities: { embedding: true, chat: false },
      }),
    ],
    {
      embedders: {
        ollama:
          () =>
          async ({ input }) => ({ vectors: vectors.slice(0, input.length), promptTokens: 5 }),
      },
    },
  );
  const openai = client(gateway);
  const answer = await openai.embeddings.create({ model: 'embedder', input: ['a', 'b'] });
  assert.deepEqual(
    answer.data.map(({ embedding }) => Array.from(Float32Array.from(embedding))),
    vectors.map((vector) => Array.from(vector)),
  );
  assert.equal(answer.usage.prompt_tokens, 5);
  const numbers = await openai.embeddings.create({ model: 'embedder', input: 'a', encoding_format: 'float' });
  assert.equal(numbers.data[0]?.embedding[0], 0.25);
});

test('the openai client lists models and finds one with a slash and a colon in its name', async () => {
  await using gateway = await startGateway([
    deployment({ modelName: 'vault/My Notes', dialect: 'vault' }),
    deployment({ modelName: 'hf.co/org/model:Q4_K_M' }),
  ]);
  const openai = client(gateway);
  const ids: string[] = [];
  for await (const model of openai.models.list()) ids.push(model.id);
  assert.deepEqual(ids, ['vault/My Notes', 'hf.co/org/model:Q4_K_M']);
  assert.equal((await openai.models.retrieve('hf.co/org/model:Q4_K_M')).id, 'hf.co/org/model:Q4_K_M');
  assert.equal((await openai.models.retrieve('vault/My Notes')).owned_by, 'obelisk');
});

test('the openai client throws the class that fits each error', async () => {
  await using upstream = await startUpstream((response, { body }) => {
    const status = Number(JSON.parse(body).user);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message: 'no', type: 't', code: null } }));
  });
  const chat = deployment({ baseUrl: upstream.baseUrl });
  // One each: what a deployment answered is remembered of it.
  const models = [chat, ...['busy', 'locked', 'broken'].map((id) => ({ ...chat, id, modelName: id }))];
  await using gateway = await startGateway(models, { registry: registryOf(models, ['away-model']) });
  const openai = client(gateway);
  const asking = (model: string, user = '200'): Promise<unknown> =>
    openai.chat.completions.create({ model, messages, user });
  await assert.rejects(asking('test-model', '400'), BadRequestError);
  await assert.rejects(asking('busy', '429'), RateLimitError);
  await assert.rejects(asking('locked', '401'), InternalServerError);
  await assert.rejects(asking('broken', '500'), InternalServerError);
  await assert.rejects(asking('nope'), (error: unknown) => {
    assert.ok(error instanceof NotFoundError);
    assert.equal(error.code, 'model_not_found');
    assert.match(error.message, /did you mean test-model/);
    return true;
  });
  await assert.rejects(asking('away-model'), (error: unknown) => {
    assert.ok(error instanceof InternalServerError);
    assert.equal(error.status, 503);
    assert.match(error.message, /11434.*start "ollama serve"/);
    return true;
  });
  await using locked = await startGateway([chat], {
    access: { allowedHosts: [], allowedOrigins: [], masterKey: new Secret('sk-right') },
  });
  await assert.rejects(client(locked, 'sk-wrong').models.list(), AuthenticationError);
});

test('the openai client throws when a stream breaks', async () => {
  await using upstream = await startUpstream((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chunk('Hel', null), () => setTimeout(() => response.destroy(), 20));
  });
  await using gateway = await startGateway([deployment({ baseUrl: upstream.baseUrl })]);
  const stream = await client(gateway).chat.completions.create({
    model: 'test-model',
    messages,
    stream: true,
  });
  const seen: string[] = [];
  await assert.rejects(async () => {
    for await (const part of stream) seen.push(part.choices[0]?.delta.content ?? '');
  }, APIError);
  assert.deepEqual(seen, ['Hel']);
});

test('the openai client aborts and its upstream is closed', async () => {
  await using upstream = await startUpstream((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chunk('Hel', null));
  });
  await using gateway = await startGateway([deployment({ baseUrl: upstream.baseUrl })]);
  const stream = await client(gateway).chat.completions.create({
    model: 'test-model',
    messages,
    stream: true,
  });
  for await (const _part of stream) stream.controller.abort();
  await until(() => upstream.abandoned() === 1, 'the upstream is closed');
  await until(() => gateway.outcomes().length === 1, 'the call is settled');
  assert.deepEqual(gateway.outcomes(), ['client_gone']);
});
