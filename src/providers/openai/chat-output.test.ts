import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChatEvent } from '../chat.ts';
import { createChatCompletionBuilder, createChatStreamWriter } from './chat-output.ts';

const MIB = 1024 * 1024;
const IDENTITY = { id: 'chatcmpl-1', created: 1, model: 'm' };
const FINISH: ChatEvent = {
  type: 'finish',
  reason: 'stop',
  usage: { promptTokens: 1, completionTokens: 1 },
};

test('an answer of 32 MiB is kept, and one that goes on is given up, whatever it consists of', () => {
  const text = 'x'.repeat(MIB);
  const call = { id: 'call_1', name: 'f', arguments: text };
  const events: readonly ChatEvent[] = [
    { type: 'text-delta', text },
    { type: 'reasoning-delta', text },
    { type: 'tool-call', index: 0, call },
  ];
  for (const event of events) {
    const builder = createChatCompletionBuilder();
    for (let count = 0; count < 32; count += 1) builder.add(event);
    builder.add(FINISH);
    assert.ok((builder.body(IDENTITY)?.length ?? 0) > 32 * MIB);
    assert.throws(() => builder.add(event), { code: 'upstream_invalid' });
  }
});

test('no text of a stream ends a line early, by whatever client it is split', () => {
  const text = 'a\u2028b\u2029c\u0085d';
  const writer = createChatStreamWriter(IDENTITY, false);
  const logprob = { token: text, logprob: -1, bytes: null, top_logprobs: [] };
  const events: readonly ChatEvent[] = [
    { type: 'text-delta', text, logprobs: [logprob] },
    { type: 'reasoning-delta', text },
    { type: 'tool-call', index: 0, call: { id: 'call_1', name: 'f', arguments: JSON.stringify({ text }) } },
    { type: 'message-fields', fields: { text } },
  ];
  for (const event of events) {
    const [line = '', ...rest] = writer.event(event).split(/[\n\u0085\u2028\u2029]/);
    assert.deepEqual(rest, ['', '']);
    assert.ok(JSON.stringify(JSON.parse(line.slice('data: '.length))).includes('a\u2028b\u2029c\u0085d'));
  }
});
