import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isAt, readKey } from './json-keys.ts';

const KEY = fc.oneof(
  fc.constantFrom('model', 'messages', 'stream', 'stop', 'tools', 'user', 'top_p', 'max_tokens', 'metadata'),
  fc.constantFrom('modal', 'mess\u00E4ges', 'stre\u0000m', 'TOOLS', 'use', 'users', ''),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

test('a key is read as it stands, whether it is known or only resembles one that is', () => {
  fc.assert(
    fc.property(fc.string(), KEY, fc.string(), (before, key, after) => {
      const [start, bytes] = [Buffer.byteLength(before), Buffer.byteLength(key)];
      const body = Buffer.from(before + key + after);
      assert.equal(readKey(body, start, start + bytes), Buffer.from(key).toString());
      assert.ok(isAt(body, start, Buffer.from(key)));
    }),
    { numRuns: 1_000 },
  );
});

test('nothing stands beyond the end of a body', () => {
  assert.equal(isAt(Buffer.from('tru'), 0, Buffer.from('true')), false);
});
