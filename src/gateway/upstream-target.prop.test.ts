import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { deployment } from '../../test/gateway.ts';
import { Secret } from '../shared/secret.ts';
import { createTargets } from './upstream-target.ts';

const targetOf = createTargets('test');
const redact = (key: string, text: string): string =>
  targetOf(deployment({ baseUrl: 'http://a/v1', apiKey: new Secret(key) })).redact(text);

/** A character as one of the ways in which JSON may spell it. */
function spelled(character: string, way: number): string {
  const code = character.charCodeAt(0).toString(16).padStart(4, '0');
  if (way === 0) return `\\u${code}`;
  if (way === 1) return `\\u${code.toUpperCase()}`;
  return way === 2 && character === '/' ? '\\/' : JSON.stringify(character).slice(1, -1);
}

test('the key of an upstream does not leave in what it says, however JSON spells it', () => {
  const key = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength: 8,
    maxLength: 40,
  });
  fc.assert(
    fc.property(key, fc.array(fc.nat({ max: 9 }), { minLength: 40, maxLength: 40 }), (text, ways) => {
      const letters = Array.from(ways, (way, index) => spelled(text.charAt(index), way));
      const spelling = letters.slice(0, text.length).join('');
      const said = redact(text, `{"error":{"message":"the key ${spelling} is wrong"}}`);
      assert.equal(said, '{"error":{"message":"the key [secret] is wrong"}}');
      assert.equal(redact(text, `the key ${text} is wrong`), 'the key [secret] is wrong');
    }),
  );
});

test('what only resembles the key stays', () => {
  assert.equal(redact('sk.abc+/d', 'skxabc+/d sk.abc+/D'), 'skxabc+/d sk.abc+/D');
});
