import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { isObeliskError } from '../../shared/errors.ts';
import type { ChatEvent } from '../chat.ts';
import { toOllamaChatLine } from './chat-line.ts';
import { createOllamaReader, fromOllamaLine, requireOllamaDone } from './chat-response.ts';

const toolCall = fc.record(
  {
    id: fc.constantFrom('', 'call_a', 'call_b'),
    function: fc.record({ name: fc.string(), arguments: fc.dictionary(fc.string(), fc.jsonValue()) }),
  },
  { requiredKeys: ['function'] },
);
const line = fc.record(
  {
    message: fc.record(
      { content: fc.string(), thinking: fc.string(), tool_calls: fc.array(toolCall, { maxLength: 3 }) },
      { requiredKeys: [] },
    ),
    done: fc.boolean(),
    done_reason: fc.constantFrom('stop', 'length', 'load', ''),
    prompt_eval_count: fc.nat(),
    eval_count: fc.nat(),
  },
  { requiredKeys: [] },
);

function read(lines: readonly unknown[]): { readonly events: readonly ChatEvent[]; readonly whole: boolean } {
  let made = 0;
  const reader = createOllamaReader({
    host: 'h',
    model: 'm',
    newToolCallId: () => `new_${String((made += 1))}`,
  });
  const events = lines.flatMap((json) => fromOllamaLine(toOllamaChatLine(json, reader), reader));
  try {
    requireOllamaDone(reader);
    return { events, whole: true };
  } catch (error) {
    assert.ok(isObeliskError(error));
    return { events, whole: false };
  }
}

test('whatever lines come: a finish is the last event, there is one exactly when done was said, tool calls count up', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
      const { events, whole } = read(lines);
      assert.equal(
        whole,
        lines.some((one) => one.done === true),
      );
      assert.deepEqual(
        events.flatMap((event, index) => (event.type === 'finish' ? [index] : [])),
        whole ? [events.length - 1] : [],
      );
      const calls = events.filter((event) => event.type === 'tool-call');
      assert.deepEqual(
        calls.map((event) => event.index),
        calls.map((_, index) => index),
      );
      assert.equal(new Set(calls.map((event) => event.call.id)).size, calls.length);
      for (const event of calls) assert.equal(typeof JSON.parse(event.call.arguments), 'object');
      const last = events.at(-1);
      if (last?.type === 'finish' && last.reason !== 'length') {
        assert.equal(last.reason, calls.length > 0 ? 'tool_calls' : 'stop');
      }
    }),
  );
});

test('no JSON at all makes the reader throw anything but Obelisk’s own error', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { maxLength: 4 }), (lines) => {
      try {
        read(lines);
      } catch (error) {
        assert.ok(isObeliskError(error));
      }
    }),
  );
});
