import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ObeliskError } from '../shared/errors.ts';
import { isInPieces } from './body-pieces.ts';
import { scanTopLevel } from './json-scan.ts';
import type { Scan } from './json-scan.ts';
import { splice } from './json-splice.ts';

function tryScan(body: Buffer): Scan | undefined {
  try {
    return scanTopLevel(body);
  } catch (error) {
    assert.ok(error instanceof ObeliskError, String(error));
    return undefined;
  }
}

function agrees(body: Buffer): boolean {
  const found = tryScan(body);
  if (found === undefined) return false;
  const parsed: unknown = JSON.parse(body.toString());
  assert.ok(typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed));
  const entries = [...found.members.keys()].map((key) => [key, found.value(key)]);
  assert.deepEqual(Object.fromEntries(entries), parsed);
  return true;
}

const bodies = fc.dictionary(
  fc.oneof(fc.constantFrom('model', 'stream', '__proto__'), fc.string({ unit: 'binary' })),
  fc.jsonValue({ maxDepth: 4 }),
);
const spacing = fc.constantFrom(undefined, 1, '\t', ' \r\n');

test('what JSON.stringify writes is accepted and read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(bodies, spacing, (value, space) => {
      assert.ok(agrees(Buffer.from(JSON.stringify(value, undefined, space))));
    }),
  );
});

test('what is accepted after any damage, JSON.parse accepts and reads the same', () => {
  const alphabet = fc.constantFrom(...Array.from('{}[]",:\\ue0-.1tfn \n\u0001é'));
  const damage = fc.record({
    at: fc.nat(),
    removed: fc.nat(3),
    text: fc.string({ unit: alphabet, maxLength: 3 }),
  });
  fc.assert(
    fc.property(bodies, fc.array(damage, { minLength: 1, maxLength: 3 }), (value, damages) => {
      let text = JSON.stringify(value);
      for (const { at, removed, text: added } of damages) {
        const place = at % (text.length + 1);
        text = text.slice(0, place) + added + text.slice(place + removed);
      }
      agrees(Buffer.from(text));
    }),
    { numRuns: 1_000 },
  );
});

test('damage anywhere in long text is found as JSON.parse finds it', () => {
  const broken = fc.constantFrom('"', '\\', '\u0000', '\u001f', '\n', '\u007f', 'é', '\\n', ' ', '!');
  fc.assert(
    fc.property(fc.tuple(fc.nat(200), fc.nat(200), fc.nat(3)), broken, ([before, after, shift], text) => {
      const json = `${' '.repeat(shift)}{"a":"${'x'.repeat(before)}${text}${'y'.repeat(after)}"}`;
      let accepted = true;
      try {
        JSON.parse(json);
      } catch {
        accepted = false;
      }
      assert.equal(agrees(Buffer.from(json)), accepted);
    }),
    { numRuns: 1_000 },
  );
});

test('what is refused has a reason that JSON.parse shares, or is a limit of ours', () => {
  const fragments = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"a"',
    '"b"',
    ':',
    ',',
    '1',
    '-0.5e+3',
    'true',
    'null',
    ' ',
    '"\\u00e9"',
    '"\\n"',
  );
  fc.assert(
    fc.property(fc.array(fragments, { maxLength: 12 }), (parts) => {
      const text = `{${parts.join('')}}`;
      if (agrees(Buffer.from(text))) return;
      try {
        JSON.parse(text);
      } catch {
        return;
      }
      assert.throws(() => scanTopLevel(Buffer.from(text)), /twice/);
    }),
    { numRuns: 1_000 },
  );
});

/** What is long is not copied. */
const longBodies = bodies.map((value) => ({ ...value, long: 'x'.repeat(10_000) }));

test('a splice changes what it names and nothing else', () => {
  const changes = fc.dictionary(fc.constantFrom('model', 'stream', 'a'), fc.option(fc.jsonValue()));
  fc.assert(
    fc.property(fc.oneof(bodies, longBodies), changes, spacing, (value, wanted, space) => {
      const found = scanTopLevel(Buffer.from(JSON.stringify(value, undefined, space)));
      const texts = Object.entries(wanted).map(([key, json]) => [
        key,
        json === null ? null : JSON.stringify(json),
      ]);
      const spliced = splice(found, Object.fromEntries(texts));
      const result = scanTopLevel(isInPieces(spliced) ? Buffer.concat(spliced) : spliced);
      const expected = new Map([...found.members.keys()].map((key) => [key, found.value(key)]));
      for (const [key, json] of Object.entries(wanted)) {
        if (json === null) expected.delete(key);
        else expected.set(key, JSON.parse(JSON.stringify(json)));
      }
      assert.deepEqual(new Map([...result.members.keys()].map((key) => [key, result.value(key)])), expected);
    }),
  );
});
