import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createCitationFilter } from './citations.ts';

const piece = fc.oneof(
  fc.constantFrom(
    '[1]',
    '[2]',
    '[7]',
    '[1, 2]',
    '[^1]',
    '[[2]]',
    '[1](',
    '[[a]]',
    '【1】',
    '`',
    '```',
    '~~~',
    '\n',
  ),
  fc.constantFrom(
    ' ',
    '  ',
    '[',
    ']',
    '\\',
    'word',
    '😀',
    '[2024]',
    '- ',
    '(',
    ')',
    '[1-3]',
    '\n\n',
    '1',
    ',',
  ),
);
const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));

/** Splits a text between its code points: a decoder never hands out half a surrogate pair. */
function split(whole: string, cuts: readonly number[]): string[] {
  const characters = Array.from(whole);
  const parts: string[] = [];
  let from = 0;
  for (const cut of [...cuts].map((value) => value % (characters.length + 1)).sort((a, b) => a - b)) {
    parts.push(characters.slice(from, cut).join(''));
    from = cut;
  }
  return [...parts, characters.slice(from).join('')];
}

function run(parts: readonly string[]): { shown: string; citations: unknown; invalid: unknown } {
  const filter = createCitationFilter(3);
  const shown = parts.map((part) => filter.push(part)).join('') + filter.end();
  return { shown, citations: [...filter.citations()], invalid: [...filter.invalid()] };
}

test('the result does not depend on where the deltas were cut', () => {
  fc.assert(
    fc.property(text, fc.array(fc.nat(200), { maxLength: 12 }), (whole, cuts) => {
      assert.deepEqual(run(split(whole, cuts)), run([whole]));
    }),
  );
});

test('every citation points at its own mark and at an existing source', () => {
  fc.assert(
    fc.property(text, (whole) => {
      const filter = createCitationFilter(3);
      const shown = filter.push(whole) + filter.end();
      for (const { source, start, end } of filter.citations()) {
        assert.equal(shown.slice(start, end), `[${String(source)}]`);
        assert.ok(source >= 1 && source <= 3);
      }
    }),
  );
});
