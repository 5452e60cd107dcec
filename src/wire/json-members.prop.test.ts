import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findMembers } from './json-members.ts';

/** Keys that JSON escapes are found in their escaped form, which nobody looks for. */
const key = fc.string({ unit: 'grapheme' }).filter((text) => JSON.stringify(text) === `"${text}"`);
const object = fc.dictionary(key, fc.jsonValue());
const spacing = fc.constantFrom(undefined, 1, '\t');

function latin1(value: unknown, space: number | string | undefined): string {
  return Buffer.from(JSON.stringify(value, null, space)).toString('latin1');
}

test('the members of a whole object are those that JSON.parse finds', () => {
  fc.assert(
    fc.property(object, spacing, (value, space) => {
      const text = ` \n${latin1(value, space)}\r\n`;
      const names = [...Object.keys(value), 'of none'];
      const found = findMembers(
        text,
        names.map((name) => Buffer.from(name).toString('latin1')),
      );
      assert.ok(found);
      const read = names.flatMap((name, index) => {
        const range = found[index];
        if (range === undefined) return [];
        return [[name, JSON.parse(Buffer.from(text.slice(range.start, range.end), 'latin1').toString())]];
      });
      assert.deepEqual(Object.fromEntries(read), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('no object that was cut anywhere is a whole one, nor is one that goes on', () => {
  fc.assert(
    fc.property(object, spacing, fc.nat(), (value, space, at) => {
      const text = latin1(value, space);
      assert.equal(findMembers(text.slice(0, at % text.length), ['a']), undefined);
      assert.equal(findMembers(`${text}}`, ['a']), undefined);
      assert.equal(findMembers(text + text, ['a']), undefined);
    }),
  );
});

test('what is no object has no members', () => {
  for (const text of ['', ' ', '[]', '"{}"', 'null', '<html>{}', '{"a"}', '{"a', '{"a":"\\"}'])
    assert.equal(findMembers(text, ['a']), undefined, text);
});
