import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ParallelProof } from './parallel-proof.ts';

test('a host that serves one at a time is tried again, each time after twice as long', () => {
  const proof = new ParallelProof();
  let nowMs = 0;
  for (const restMs of [1_000, 2_000, 4_000]) {
    assert.equal(proof.mayTry(1, nowMs), true);
    const [first, second] = [{ sinceMs: nowMs }, { sinceMs: nowMs }];
    proof.begin(second, [first]);
    assert.equal(proof.mayTry(1, nowMs), false, 'one trial at a time');
    proof.answered(first, nowMs + 10);
    nowMs += 100;
    assert.equal(proof.ended(first, { nowMs, totalMs: 100 }), false);
    proof.answered(second, nowMs + 5);
    assert.equal(proof.ended(second, { nowMs: nowMs + 90, totalMs: 180 }), false);
    assert.equal(proof.mayTry(1, nowMs + restMs - 1), false);
    nowMs += restMs;
  }
  assert.equal(proof.proven, 1);
  assert.equal(proof.mayTry(0, nowMs), false, 'nothing is tried beside nothing');
  proof.forget();
  assert.equal(proof.mayTry(1, 0), true);
});
