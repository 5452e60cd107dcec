import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isObeliskError } from '../shared/errors.ts';
import { noteUrl, parseVaultPath } from './note-url.ts';

test('a note’s address leads back to the same vault and path, whatever their letters', () => {
  const part = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .map((text) => text.normalize('NFC'))
    .filter((text) => text !== '.' && text !== '..' && !/[/\\\0]/.test(text));
  fc.assert(
    fc.property(part, fc.array(part, { minLength: 1, maxLength: 4 }), (vault, parts) => {
      const url = new URL(noteUrl(vault, parts.join('/')), 'http://localhost');
      assert.deepEqual(parseVaultPath(url.pathname, '/vault/'), { vault, path: parts.join('/') });
    }),
  );
});

test('a heading’s or block’s id follows the address as its fragment', () => {
  assert.equal(noteUrl('My notes', 'A/B c.md', 'h-größe'), '/vault/My%20notes/A/B%20c.md#h-gr%C3%B6%C3%9Fe');
});

const ESCAPES = [
  'v/../secret.md',
  'v/%2e%2e/secret.md',
  'v/a%2f..%2f..%2fetc/passwd',
  'v/..%5c..%5csecret.md',
  'v/a%00.md',
  'v/./a.md',
  'v//etc/passwd',
  '/etc/passwd',
  '',
];
for (const path of ESCAPES) {
  test(`${JSON.stringify(path)} names nothing in a vault`, () => {
    assert.throws(
      () => parseVaultPath(`/vault/${path}`, '/vault/'),
      (error) => isObeliskError(error) && error.code === 'not_found',
    );
  });
}

test('a broken percent-escape is the request’s fault', () => {
  assert.throws(
    () => parseVaultPath('/vault/v/%E0%A4%A.md', '/vault/'),
    (error) => isObeliskError(error) && error.code === 'invalid_request',
  );
});

test('the address of a vault itself has an empty path', () => {
  assert.deepEqual(parseVaultPath('/vault/My%20notes/', '/vault/'), { vault: 'My notes', path: '' });
  assert.deepEqual(parseVaultPath('/vault/My%20notes', '/vault/'), { vault: 'My notes', path: '' });
});
