import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { byteByByte, cutAt } from '../../test/fuzz/cut.ts';
import { LineSplitter } from './line-splitter.ts';

function split(pieces: readonly Buffer[], maxBytes: number): { lines: string[]; failed: boolean } {
  const lines: string[] = [];
  const splitter = new LineSplitter({ maxBytes, onLine: (line) => lines.push(line) });
  try {
    for (const piece of pieces) splitter.feed(piece);
    splitter.end();
    return { lines, failed: false };
  } catch (error) {
    assert.match(String(error), /more than \d+ bytes/);
    return { lines, failed: true };
  }
}

const places = fc.array(fc.nat({ max: 200 }), { maxLength: 8 });
const text = fc
  .array(fc.constantFrom('\r', '\n', '\r\n', 'a', 'é', '😀', ' ', ''), { maxLength: 60 })
  .map((parts) => parts.join(''));

test('lines are the same however their bytes are cut, also inside a character or a CRLF', () => {
  fc.assert(
    fc.property(text, places, fc.integer({ min: 1, max: 20 }), (sent, at, maxBytes) => {
      const bytes = Buffer.from(sent);
      const whole = split([bytes], maxBytes);
      assert.deepEqual(split(byteByByte(bytes), maxBytes), whole);
      assert.deepEqual(split(cutAt(bytes, at), maxBytes), whole);
    }),
    { numRuns: 500 },
  );
});

test('lines are what a regular expression makes of the whole text', () => {
  fc.assert(
    fc.property(text, places, (sent, at) => {
      const expected = sent.split(/\r\n|\r|\n/);
      if (expected.at(-1) === '') expected.pop();
      assert.deepEqual(split(cutAt(Buffer.from(sent), at), 1_000), { lines: expected, failed: false });
    }),
    { numRuns: 500 },
  );
});

test('a line is accepted up to its limit in bytes, wherever it is cut', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 1, max: 30 }),
      places,
      (length, maxBytes, at) => {
        const { failed } = split(cutAt(Buffer.from(`${'a'.repeat(length)}\n`), at), maxBytes);
        assert.equal(failed, length > maxBytes);
      },
    ),
  );
});
