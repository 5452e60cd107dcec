import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ollama } from 'ollama';
import type { ChatEvent } from '../../src/providers/chat.ts';
import { ObeliskError } from '../../src/shared/errors.ts';
import { ANSWER, chunkOf, DOOR_KEY, DOOR_MODELS, eventsOf, startDoor } from '../door-gateway.ts';
import type { DoorSetting } from '../door-gateway.ts';
import { until } from '../eventually.ts';

const client = ({ gateway }: DoorSetting, key?: string): Ollama =>
  new Ollama({
    host: gateway.origin,
    ...(key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } }),
  });
async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const parts: T[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

const messages = [{ role: 'user', content: 'Is it ready?' }];
const FINISH: ChatEvent = { type: 'finish', reason: 'stop', usage: { promptTokens: 7, completionTokens: 3 } };
const TOOL = {
  type: 'function',
  function: {
    name: 'tide',
    description: 'Height of the tide',
    parameters: { type: 'object', properties: { at: { type: 'string' } }, required: ['at'] },
  },
};

test('models of every kind are asked through the ollama client, whole and streaming', async () => {
  await using door = await startDoor();
  for (const model of [...DOOR_MODELS, 'mock', 'remote:latest', 'local:latest', 'vault/notes:latest']) {
    const whole = await client(door).chat({ model, messages });
    assert.equal(whole.message.content, ANSWER, model);
    assert.equal(whole.message.role, 'assistant');
    assert.equal(whole.done, true);
    assert.equal(whole.done_reason, 'stop');
    assert.ok(whole.total_duration > 0 && whole.eval_duration > 0 && whole.eval_count > 0, model);
    assert.ok(!Number.isNaN(Date.parse(String(whole.created_at))));
    let text = '';
    let parts = 0;
    for await (const part of await client(door).chat({ model, messages, stream: true })) {
      assert.equal(part.model, model);
      text += part.message.content;
      parts += 1;
    }
    assert.equal(text, ANSWER, model);
    assert.ok(parts > 2, 'it comes in pieces');
  }
});

test('a tag that says nothing is not taken for the model that writes a vault’s answer', async () => {
  await using door = await startDoor();
  await client(door).chat({ model: 'vault/notes:latest', messages });
  assert.equal(door.asked[0]?.model, 'vault/notes');
});

test('the durations of the model’s own server are passed on in nanoseconds', async () => {
  await using door = await startDoor();
  const {
    load_duration: load,
    prompt_eval_duration: prompt,
    ...answer
  } = await client(door).chat({
    model: 'local',
    messages,
  });
  assert.deepEqual([load, prompt, answer.eval_duration], [10e6, 5e6, 20e6]);
  assert.deepEqual([answer.prompt_eval_count, answer.eval_count], [7, 3]);
});

test('tools are called and answered, whole and streaming, whoever serves the model', async () => {
  const pieces = ['{"at":', '"noon"}'];
  const script: NonNullable<Parameters<typeof startDoor>[0]>['script'] = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(
      chunkOf({ tool_calls: [{ index: 0, id: 'call_a', function: { name: 'tide', arguments: pieces[0] } }] }),
    );
    response.write(chunkOf({ tool_calls: [{ index: 0, function: { arguments: pieces[1] } }] }));
    response.end(`${chunkOf({}, 'tool_calls')}data: [DONE]\n\n`);
  };
  const call: ChatEvent = {
    type: 'tool-call',
    index: 0,
    call: { id: 'call_a', name: 'tide', arguments: '{"at":"noon"}' },
  };
  await using door = await startDoor({
    script,
    events: () => [call, { ...FINISH, reason: 'tool_calls' }] satisfies ChatEvent[],
  });
  for (const model of ['local', 'remote']) {
    const { message, done_reason: reason } = await client(door).chat({ model, messages, tools: [TOOL] });
    assert.deepEqual(message.tool_calls, [
      { id: 'call_a', function: { index: 0, name: 'tide', arguments: { at: 'noon' } } },
    ]);
    assert.equal(reason, 'stop');
    const names: string[] = [];
    for await (const part of await client(door).chat({ model, messages, tools: [TOOL], stream: true })) {
      names.push(...(part.message.tool_calls ?? []).map((made) => made.function.name));
    }
    assert.deepEqual(names, ['tide']);
  }
});

test('results of tools find their calls, though the client sends no ids', async () => {
  await using door = await startDoor();
  const calls = [
    { function: { name: 'tide', arguments: { at: 'noon' } } },
    { function: { name: 'wind', arguments: {} } },
  ];
  const turns = [
    ...messages,
    { role: 'assistant', content: '', tool_calls: calls },
    { role: 'tool', content: '3 knots', tool_name: 'wind' },
    { role: 'tool', content: '2 m', tool_name: 'tide' },
  ];
  await client(door).chat({ model: 'local', messages: turns });
  const [, assistant, wind, tide] = door.asked[0]?.messages ?? [];
  assert.ok(assistant?.role === 'assistant' && wind?.role === 'tool' && tide?.role === 'tool');
  const [first, second] = assistant.toolCalls ?? [];
  assert.deepEqual([wind.toolCallId, tide.toolCallId], [second?.id, first?.id]);
  assert.notEqual(first?.id, second?.id);
  await client(door).chat({ model: 'remote', messages: turns });
  const sent = JSON.parse(door.upstream.received[0]?.body ?? '{}');
  assert.equal(sent.messages[1].tool_calls[0].function.arguments, '{"at":"noon"}');
  assert.equal(sent.messages[3].tool_call_id, sent.messages[1].tool_calls[0].id);
});

test('thinking, images, formats and options arrive in each dialect', async () => {
  await using door = await startDoor();
  const png = 'iVBORw0KGgoAAAANSUhEUg==';
  const schema = { type: 'object', properties: { ready: { type: 'boolean' } } };
  const request = {
    messages: [{ role: 'user', content: 'See', images: [png] }],
    format: schema,
    think: 'high' as const,
    keep_alive: '10m',
    options: { temperature: 0.5, num_predict: 12, num_ctx: 512, top_k: 3, stop: ['.'] },
  };
  await client(door).chat({ model: 'local', ...request });
  const { messages: turns, ...asked } = door.asked[0] ?? assert.fail('nothing was asked');
  assert.deepEqual(turns, [{ role: 'user', text: 'See', images: [{ mediaType: 'image/png', base64: png }] }]);
  assert.deepEqual(asked, {
    model: 'local',
    stream: false,
    includeUsage: true,
    temperature: 0.5,
    maxTokens: 12,
    stop: ['.'],
    format: { type: 'schema', schema },
    think: 'high',
    keepAlive: '10m',
    options: { num_ctx: 512, top_k: 3 },
  });
  await client(door).chat({ model: 'remote', ...request });
  const { messages: sentMessages, ...sent } = JSON.parse(door.upstream.received[0]?.body ?? '{}');
  assert.equal(sentMessages[0].content[1].image_url.url, `data:image/png;base64,${png}`);
  assert.deepEqual(sent, {
    model: 'upstream-model',
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: 12,
    temperature: 0.5,
    stop: ['.'],
    response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
    reasoning_effort: 'high',
  });
});

test('thinking comes back apart from the answer', async () => {
  const events: readonly ChatEvent[] = [
    { type: 'reasoning-delta', text: 'Look at the tide.' },
    { type: 'text-delta', text: 'Yes.' },
    FINISH,
  ];
  await using door = await startDoor({ events: () => events });
  const { message } = await client(door).chat({ model: 'local', messages, think: true });
  assert.deepEqual([message.thinking, message.content], ['Look at the tide.', 'Yes.']);
});

test('errors have Ollama’s shape and status, and each request one outcome', async () => {
  await using door = await startDoor({ key: DOOR_KEY });
  const keyed = client(door, DOOR_KEY);
  const failures: readonly [() => Promise<unknown>, number, RegExp][] = [
    [() => client(door).chat({ model: 'local', messages }), 401, /key/],
    [() => keyed.chat({ model: 'nope', messages }), 404, /model not found: .*nope/],
    [() => keyed.chat({ model: 'embedder', messages }), 400, /cannot chat/],
    [
      () => keyed.chat({ model: 'local', messages, options: { temperature: 'hot' as never } }),
      400,
      /temperature/,
    ],
    [() => keyed.chat({ model: 'local', messages, format: 'yaml' }), 400, /format/],
    [() => keyed.chat({ model: 'local', messages: [{ role: 'nobody', content: '' }] }), 400, /role/],
    [
      () => keyed.chat({ model: 'local', messages: [{ role: 'user', content: '', images: ['http://x/y'] }] }),
      400,
      /base64/,
    ],
  ];
  for (const [ask, status, message] of failures) {
    await assert.rejects(ask(), (error: Error & { status_code?: number }) => {
      assert.equal(error.status_code, status, error.message);
      assert.match(error.message, message);
      return true;
    });
  }
  await until(() => door.gateway.outcomes().length === failures.length, 'every request has ended');
  assert.ok(door.gateway.outcomes().every((outcome) => outcome.startsWith('error:')));
});

test('an error after the first line is a line of the stream', async () => {
  await using door = await startDoor({
    async *events() {
      yield { type: 'text-delta', text: 'Well' };
      await Promise.resolve();
      throw new ObeliskError('upstream_error', 'the runner died');
    },
  });
  const stream = await client(door).chat({ model: 'local', messages, stream: true });
  await assert.rejects(collect(stream), /the runner died/);
  await until(() => door.gateway.outcomes().length === 1, 'every request has ended');
  assert.deepEqual(door.gateway.outcomes(), ['error:upstream_error']);
});

test('a stream that an upstream cuts off is an error, never an answer', async () => {
  await using door = await startDoor({
    script(response) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(chunkOf({ content: 'Half' }));
    },
  });
  const stream = await client(door).chat({ model: 'remote', messages, stream: true });
  await assert.rejects(collect(stream), /finish_reason/);
  await assert.rejects(client(door).chat({ model: 'remote', messages }), /finish_reason/);
});

test('who aborts is gone for the upstream as well', async () => {
  await using door = await startDoor({
    script(response) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunkOf({ content: 'First' }));
    },
  });
  const stream = await client(door).chat({ model: 'remote', messages, stream: true });
  await assert.rejects(async () => {
    for await (const part of stream) {
      assert.equal(part.message.content, 'First');
      stream.abort();
    }
  }, /abort/i);
  await until(() => door.upstream.abandoned() === 1, 'the upstream was left');
  await until(() => door.gateway.outcomes().length === 1, 'every request has ended');
  assert.deepEqual(door.gateway.outcomes(), ['client_gone']);
});

test('a model that loads for long gives signs of life that a client reads as nothing said', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using door = await startDoor({
    async *events() {
      await promise;
      yield* eventsOf(ANSWER);
    },
  });
  const stream = await client(door).chat({ model: 'local', messages, stream: true });
  let text = '';
  let empty = 0;
  for await (const part of stream) {
    text += part.message.content;
    if (part.message.content === '' && !part.done) empty += 1;
    if (empty === 2) resolve();
  }
  assert.equal(text, ANSWER);
  assert.ok(empty >= 2);
});
