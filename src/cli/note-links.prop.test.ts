import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { NoteLinks } from './note-links.ts';

function run(parts: readonly string[]): string {
  const links = new NoteLinks();
  return parts.map((part) => links.push(part)).join('') + links.end();
}

test('a link to a note of the page becomes its title and path', () => {
  assert.equal(
    run(['- [How it works](/vault/docs/a/How%20it%20works.md)\n']),
    '- How it works (a/How it works.md)\n',
  );
  assert.equal(run(['[A](http://127.0.0.1:4000/vault/docs/A.md)']), 'A (A.md)');
  assert.equal(run(['[A](/vault/docs/%zz.md)']), 'A (%zz.md)');
});

test('every other text passes unchanged', () => {
  for (const text of [
    '[1] and [2].',
    'a [b',
    'see [x](https://example.org/vault.html)',
    '[[Note]]',
    '[ ] to do',
  ]) {
    assert.equal(run([text]), text);
  }
});

test('the result does not depend on where the text was cut', () => {
  const piece = fc.constantFrom(
    '[1]', '[A](/vault/d/A%20b.md)', '[', ']', '(', ')', '/vault/', 'word ', '\n', '[x](https://e.org)', '[[N]]',
  ); // prettier-ignore
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(text, fc.array(fc.nat(100), { maxLength: 6 }), (whole, cuts) => {
      const places = [
        0,
        ...cuts.map((cut) => cut % (whole.length + 1)).toSorted((a, b) => a - b),
        whole.length,
      ];
      const parts = places.slice(1).map((end, index) => whole.slice(places[index], end));
      assert.equal(run(parts), run([whole]));
    }),
  );
});
