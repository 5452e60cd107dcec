import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ChatEvent } from '../chat.ts';
import { toOllamaChatLine } from './chat-line.ts';
import { createOllamaReader, fromOllamaLine, requireOllamaDone } from './chat-response.ts';
import type { OllamaReader } from './chat-response.ts';

function reader(contextTokens?: number): OllamaReader {
  let made = 0;
  return createOllamaReader({
    host: 'http://127.0.0.1:11434',
    model: 'tiny:latest',
    newToolCallId: () => `call_new${String((made += 1))}`,
    ...(contextTokens === undefined ? {} : { contextTokens }),
  });
}

function read(lines: readonly unknown[], state = reader()): readonly ChatEvent[] {
  return lines.flatMap((line) => fromOllamaLine(toOllamaChatLine(line, state), state));
}

const done = { done: true, done_reason: 'stop', prompt_eval_count: 54, eval_count: 4 };

test('lines of a real answer become text and one finish with the usage', () => {
  const events = read([
    { model: 'tiny', created_at: 'x', message: { role: 'assistant', content: 'a' }, done: false },
    { model: 'tiny', created_at: 'x', message: { role: 'assistant', content: '' }, ...done },
  ]);
  assert.deepEqual(events, [
    { type: 'text-delta', text: 'a' },
    { type: 'finish', reason: 'stop', usage: { promptTokens: 54, completionTokens: 4 } },
  ]);
});

test('the end says where the time went, in milliseconds, whatever is left out counting as none', () => {
  const [finish] = read([
    { done: true, total_duration: 2_500_000_000, prompt_eval_duration: 1_000_000, eval_duration: 2_000_000 },
  ]);
  assert.deepEqual(finish?.type === 'finish' && finish.timing, {
    totalMs: 2_500,
    loadMs: 0,
    promptMs: 1,
    generationMs: 2,
  });
});

test('thinking becomes reasoning, also on a line that has text too', () => {
  assert.deepEqual(read([{ message: { content: 'yes', thinking: 'hm' } }]), [
    { type: 'reasoning-delta', text: 'hm' },
    { type: 'text-delta', text: 'yes' },
  ]);
});

test('parallel tool calls get rising indexes over all lines and ids that differ', () => {
  const call = (id: string | undefined, index: number): unknown => ({
    message: { content: '', tool_calls: [{ id, function: { index, name: 'f', arguments: { a: 1 } } }] },
    done: false,
  });
  const events = read([
    call('call_x', 0),
    call(undefined, 0),
    call('call_x', 0),
    { ...done, message: { content: '' } },
  ]);
  assert.deepEqual(events.slice(0, 3), [
    { type: 'tool-call', index: 0, call: { id: 'call_x', name: 'f', arguments: '{"a":1}' } },
    { type: 'tool-call', index: 1, call: { id: 'call_new1', name: 'f', arguments: '{"a":1}' } },
    { type: 'tool-call', index: 2, call: { id: 'call_new2', name: 'f', arguments: '{"a":1}' } },
  ]);
  assert.deepEqual(events[3], {
    type: 'finish',
    reason: 'tool_calls',
    usage: { promptTokens: 54, completionTokens: 4 },
  });
});

test('a tool call without arguments has an id and empty arguments', () => {
  assert.deepEqual(read([{ message: { tool_calls: [{ function: { name: 'now' } }] } }]), [
    { type: 'tool-call', index: 0, call: { id: 'call_new1', name: 'now', arguments: '{}' } },
  ]);
});

test('an answer that ran out of tokens ends with length, tool calls or not', () => {
  assert.deepEqual(read([{ done: true, done_reason: 'length' }]), [
    { type: 'finish', reason: 'length', usage: { promptTokens: 0, completionTokens: 0 } },
  ]);
});

test('probabilities stay with their text and are not mixed with those of thinking', () => {
  const logprobs = [{ token: 'c', logprob: -1, bytes: [99], top_logprobs: [{ token: 'd', logprob: -2 }] }];
  assert.deepEqual(read([{ message: { content: 'c' }, logprobs }]), [
    {
      type: 'text-delta',
      text: 'c',
      logprobs: [
        { token: 'c', logprob: -1, bytes: [99], top_logprobs: [{ token: 'd', logprob: -2, bytes: null }] },
      ],
    },
  ]);
  assert.deepEqual(read([{ message: { content: '', thinking: 'c' }, logprobs }]), [
    { type: 'reasoning-delta', text: 'c' },
  ]);
});

test('an error inside the stream is thrown with its code', () => {
  assert.throws(() => read([{ error: 'llama runner process has terminated' }]), {
    code: 'upstream_error',
    message: 'ollama http://127.0.0.1:11434: llama runner process has terminated',
  });
});

test('a line of another protocol is an invalid answer, quoted nowhere', () => {
  for (const line of [null, 'text', 3, { message: 'hello' }, { message: { content: 4 } }]) {
    assert.throws(() => read([line]), { code: 'upstream_invalid' });
  }
});

test('a stream that ends without done is not an answer', () => {
  const state = reader();
  read([{ message: { content: 'half' }, done: false }], state);
  assert.throws(() => requireOllamaDone(state), { code: 'upstream_invalid' });
  read([done, { message: { content: 'after the end' } }], state);
  assert.doesNotThrow(() => requireOllamaDone(state));
});

test('nothing is told after the end', () => {
  assert.equal(read([done, { message: { content: 'after' } }, done]).length, 1);
});

test('a prompt that fills the whole window was cut by an old server, so it is refused', () => {
  assert.throws(() => read([{ ...done, prompt_eval_count: 256 }], reader(256)), {
    code: 'context_length_exceeded',
  });
  assert.equal(read([{ ...done, prompt_eval_count: 255 }], reader(256)).length, 1);
});
