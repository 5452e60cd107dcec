import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { detachedString } from './detached-string.ts';

test('a copy is the same text, whatever it holds', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => assert.equal(detachedString(text), text)));
  const halfPair = `half a pair \uD800 and more`;
  assert.equal(detachedString(halfPair), halfPair);
});
