import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { isObeliskError } from '../../shared/errors.ts';
import { ModelfileValue } from './modelfile-value.ts';
import { parseModelfile } from './modelfile.ts';

const printable = fc.stringMatching(/^[\p{L}\p{N}\p{P}\p{S} ]*$/u, { maxLength: 30 });
/** A value with lines, tabs and quotes, which does not end what holds it. */
const value = fc
  .array(fc.oneof(printable, fc.constantFrom('\n', '\t', '"', '""', ' ', '#', 'FROM x')), { maxLength: 8 })
  .map((parts) => parts.join(''))
  .filter((text) => !text.includes('"""') && !text.endsWith('"') && !text.startsWith('"'));
const word = fc.constantFrom('license', 'template', 'system', 'adapter', 'renderer', 'parser');
const command = fc.oneof(
  fc.record({ head: word, value }),
  fc.record({ head: fc.constantFrom('PARAMETER stop', 'PARAMETER num_ctx'), value }),
  fc.record({ head: fc.constantFrom('MESSAGE user', 'MESSAGE assistant', 'MESSAGE system'), value }),
);
const newline = fc.constantFrom('\n', '\r\n', '\n\n', ' \n', '\n# a comment\n');

test('whatever is written between three quotes is read as it was written', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(command, newline)), (commands) => {
      const text = commands.map(([one, end]) => `${one.head} """${one.value}"""${end}`).join('');
      const read = parseModelfile(`FROM base\n${text}`).slice(1);
      assert.deepEqual(
        read.map((one) => one.value),
        commands.map(([one]) => one.value),
      );
      assert.deepEqual(
        read.map((one) => one.command),
        commands.map(([one]) => one.head.split(' ')[0]?.toLowerCase()),
      );
    }),
  );
});

test('anything at all is read, or refused with a reason', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.constantFrom('FROM a\n', 'SYSTEM ', 'MESSAGE user ', 'PARAMETER stop ', '"""', '"', '\n', '\r', '#'),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      try {
        const read = parseModelfile(pieces.join(''));
        assert.ok(read.some((one) => one.command === 'from'));
        for (const one of read) assert.ok(one.line > 0);
      } catch (error) {
        assert.ok(isObeliskError(error) && error.code === 'invalid_request', String(error));
      }
    }),
    { numRuns: 500 },
  );
});

/** What `ModelfileValue` says at no cost, said at the cost of the whole text. */
function isClosed(text: string): boolean {
  const trimmed = text.replaceAll(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
  if (trimmed.startsWith('"""')) return trimmed.length >= 6 && trimmed.endsWith('"""');
  if (trimmed.startsWith('"')) return trimmed.length >= 2 && trimmed.endsWith('"');
  return true;
}

test('whether a value is complete is known at every character', () => {
  const chars = fc.array(fc.constantFrom('"', 'a', ' ', '\n', '\t', '\r'), { maxLength: 24 });
  fc.assert(
    fc.property(chars, (all) => {
      const value = new ModelfileValue();
      let text = '';
      for (const char of all) {
        value.add(char);
        text += char;
        assert.equal(value.isComplete, isClosed(text), JSON.stringify(text));
      }
    }),
    { numRuns: 1_000 },
  );
});
