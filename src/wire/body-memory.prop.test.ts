import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bodyMemory, freeBodyMemory, joinBody } from './body-memory.ts';

/** Bodies of every kind: on Node's slabs, in memory of their own, too long to be kept. */
const LENGTH = fc.integer({ min: 0, max: 300 * 1024 });

test('memory that is in use is never lent a second time, whatever is freed in between', () => {
  const step = fc.record({ bytes: LENGTH, free: fc.nat(9), twice: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
      const inUse: { readonly body: Buffer; readonly mark: number }[] = [];
      steps.forEach(({ bytes, free, twice }, index) => {
        const body = bodyMemory(bytes).fill(index);
        assert.equal(body.length, bytes);
        inUse.push({ body, mark: index });
        const [given] = free < inUse.length ? inUse.splice(free, 1) : [];
        if (given) freeBodyMemory(given.body);
        if (given && twice) freeBodyMemory(given.body);
        for (const { body: other, mark } of inUse) assert.ok(other.equals(Buffer.alloc(other.length, mark)));
      });
    }),
    { numRuns: 60 },
  );
});

test('whoever keeps a view of freed memory sees nothing of what is written there next', () => {
  const first = bodyMemory(50_000).fill('a');
  const view = first.subarray(10, 40_000);
  const words = new Int32Array(first.buffer, 0, 100);
  freeBodyMemory(first);
  const second = bodyMemory(50_000).fill('b');
  assert.deepEqual([first.length, view.length, words.length], [0, 0, 0]);
  assert.equal(
    second.every((byte) => byte === 0x62),
    true,
  );
});

test('the same memory serves bodies of about one length', () => {
  freeBodyMemory(bodyMemory(60_000).fill('z'));
  assert.equal(bodyMemory(61_000).toString('latin1', 0, 60_000), 'z'.repeat(60_000));
});

test('what is not lent is left as it is', () => {
  const own = Buffer.alloc(64 * 1024, 'x');
  const small = bodyMemory(100).fill('y');
  freeBodyMemory(own);
  freeBodyMemory(small);
  assert.deepEqual([own.toString('latin1', 0, 2), small.toString('latin1', 0, 2)], ['xx', 'yy']);
});

test('joined pieces are the body, and their memory is free', () => {
  fc.assert(
    fc.property(fc.array(LENGTH, { minLength: 2, maxLength: 4 }), (lengths) => {
      const pieces = lengths.map((bytes, index) => bodyMemory(bytes).fill(index + 1));
      const expected = Buffer.concat(pieces);
      assert.ok(joinBody(pieces).equals(expected));
    }),
    { numRuns: 20 },
  );
});
