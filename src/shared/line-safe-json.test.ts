import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineSafeJson } from './line-safe-json.ts';

test('what some clients take for the end of a line is escaped, and means the same', () => {
  const value = { text: 'a\u0085b\u2028c\u2029d\n\r\v\f\u001C\u001D\u001E', other: '🦊 é' };
  const written = lineSafeJson(value);
  assert.doesNotMatch(written, /[\u0085\u2028\u2029]/);
  assert.deepEqual(JSON.parse(written), value);
});

test('everything else is JSON as it always was', () => {
  const value = { text: 'Grüße 🦊 漢字 \\u2028', list: [1, null, 'x'] };
  assert.equal(lineSafeJson(value), JSON.stringify(value));
});
