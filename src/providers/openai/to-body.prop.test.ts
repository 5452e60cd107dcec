import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { ChatEvent, ChatRequest } from '../chat.ts';
import { createChatStreamWriter } from './chat-output.ts';
import { parseChatRequest } from './chat-request.ts';
import { createChatEventReader } from './from-event.ts';
import { toChatBody } from './to-body.ts';

/** Generated objects have no prototype, which is no difference that counts. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const text = fc.string({ unit: 'grapheme', maxLength: 30 });
const call = fc.record({
  id: fc.string({ minLength: 1 }),
  name: fc.string({ minLength: 1 }),
  arguments: text,
});
const message = fc.oneof(
  fc.record({ role: fc.constant('system' as const), text }),
  fc.record(
    {
      role: fc.constant('user' as const),
      text,
      images: fc.array(
        fc.record({ mediaType: fc.constant('image/png'), base64: fc.base64String({ minLength: 4 }) }),
        { minLength: 1, maxLength: 2 },
      ),
    },
    { requiredKeys: ['role', 'text'] },
  ),
  fc.record(
    {
      role: fc.constant('assistant' as const),
      text,
      reasoning: fc.string({ minLength: 1 }),
      toolCalls: fc.array(call, { minLength: 1, maxLength: 2 }),
    },
    { requiredKeys: ['role', 'text'] },
  ),
  fc.record({ role: fc.constant('tool' as const), text, toolCallId: fc.string({ minLength: 1 }) }),
);
const request: fc.Arbitrary<ChatRequest> = fc.record(
  {
    model: fc.string({ minLength: 1 }),
    messages: fc.array(message, { minLength: 1, maxLength: 4 }),
    stream: fc.constant(true),
    includeUsage: fc.boolean(),
    maxTokens: fc.integer({ min: 1, max: 1e6 }),
    temperature: fc.integer({ min: 0, max: 2 }),
    topP: fc.constantFrom(0, 0.5, 1),
    seed: fc.integer(),
    stop: fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
    format: fc.constantFrom<ChatRequest['format'] & object>(
      { type: 'json' },
      { type: 'schema', schema: { type: 'object' } },
    ),
    tools: fc.array(fc.record({ name: fc.string({ minLength: 1 }), description: fc.string() }), {
      minLength: 1,
      maxLength: 2,
    }),
    toolChoice: fc.constantFrom<ChatRequest['toolChoice'] & {}>('auto', 'required', { name: 'f' }),
    logprobs: fc.boolean(),
    topLogprobs: fc.integer({ min: 0, max: 20 }),
    think: fc.constantFrom<ChatRequest['think'] & {}>(true, false, 'low', 'medium', 'high', 'max'),
    keepAlive: fc.oneof(fc.integer(), fc.constant('5m')),
    options: fc.record({ num_ctx: fc.nat(), top_k: fc.nat() }),
  },
  { requiredKeys: ['model', 'messages', 'stream', 'includeUsage', 'options'] },
);

test('a request survives the way to OpenAI’s body and back', () => {
  fc.assert(
    fc.property(request, (wanted) =>
      assert.deepEqual(parseChatRequest(JSON.parse(toChatBody(wanted))), plain(wanted)),
    ),
  );
});

const delta: fc.Arbitrary<ChatEvent> = fc.oneof(
  fc.record({
    type: fc.constant('text-delta' as const),
    text: fc.string({ unit: 'grapheme', minLength: 1 }),
  }),
  fc.record({
    type: fc.constant('reasoning-delta' as const),
    text: fc.string({ unit: 'grapheme', minLength: 1 }),
  }),
  fc.record({
    type: fc.constant('message-fields' as const),
    fields: fc.record({ sources: fc.array(fc.string()) }),
  }),
);
const calls = fc
  .array(call, { maxLength: 3 })
  .map((list) => list.map((made, index): ChatEvent => ({ type: 'tool-call', index, call: made })));
const finish: fc.Arbitrary<ChatEvent> = fc.record({
  type: fc.constant('finish' as const),
  reason: fc.constantFrom('stop', 'length', 'tool_calls', 'content_filter'),
  usage: fc.record({ promptTokens: fc.nat(), completionTokens: fc.nat() }),
});

test('an answer survives the way to OpenAI’s stream and back', () => {
  fc.assert(
    fc.property(fc.array(delta, { maxLength: 10 }), calls, finish, (deltas, made, end) => {
      const writer = createChatStreamWriter({ id: 'chatcmpl-1', created: 1, model: 'm"\\' }, true);
      const written = [...deltas, ...made, end];
      const stream = writer.start() + written.map((event) => writer.event(event)).join('');
      const reader = createChatEventReader();
      const data = stream
        .split('\n\n')
        .filter((event) => event !== '')
        .map((event) => event.slice('data: '.length));
      assert.deepEqual([...data.flatMap((line) => reader.read(line)), ...reader.end()], plain(written));
    }),
  );
});
