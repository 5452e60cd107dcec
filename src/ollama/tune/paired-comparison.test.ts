import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparePairs, FEWEST_ROUNDS } from './paired-comparison.ts';

/** Numbers from 0 to 1 that are the same in every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

test('the interval is that of the textbook', () => {
  // Hollander and Wolfe, example 3.1 (Hamilton depression scale): 9 differences; R's wilcox.test with
  // conf.int gives -0.46 as the estimate and [-0.786, -0.010] as the interval.
  const differences = [-0.952, 0.147, -1.022, -0.43, -0.62, -0.59, -0.49, 0.08, -0.01];
  const { ratio, low, high, rounds } = comparePairs(differences.map(Math.exp));
  assert.equal(rounds, 9);
  assert.ok(Math.abs(Math.log(ratio) + 0.46) < 0.001, String(Math.log(ratio)));
  assert.ok(Math.abs(Math.log(low) + 0.786) < 0.001, String(Math.log(low)));
  assert.ok(Math.abs(Math.log(high) + 0.01) < 0.001, String(Math.log(high)));
});

test('six pairs are the fewest that say anything: all of them must agree', () => {
  const six = comparePairs([1.1, 1.2, 1.15, 1.08, 1.3, 1.12]);
  assert.ok(Math.abs(six.low - 1.08) < 1e-9 && Math.abs(six.high - 1.3) < 1e-9);
  const five = comparePairs([1.1, 1.2, 1.15, 1.08, 1.3]);
  assert.deepEqual([five.low, five.high, FEWEST_ROUNDS], [0, Infinity, 6]);
  assert.ok(Number.isNaN(comparePairs([]).ratio));
});

test('one pair that went wrong does not decide', () => {
  const { ratio } = comparePairs([1.1, 1.11, 1.09, 1.1, 1.12, 1.1, 1.08, 1.1, 1.11, 0.01]);
  assert.ok(Math.abs(ratio - 1.1) < 0.02);
});

test('where nothing differs, a gain is found in fewer than 3 of 100 experiments, however wild the noise', () => {
  const next = generator(7);
  const experiments = 4_000;
  let found = 0;
  let missed = 0;
  for (let experiment = 0; experiment < experiments; experiment += 1) {
    // The time of each side has a heavy tail: one in eight takes up to three times as long.
    const time = (): number => 1 + 0.1 * next() + (next() < 0.125 ? 2 * next() : 0);
    const { low, high } = comparePairs(Array.from({ length: 10 }, () => time() / time()));
    if (low > 1) found += 1;
    if (low > 1 || high < 1) missed += 1;
  }
  assert.ok(found / experiments < 0.03, `${found} of ${experiments}`);
  assert.ok(missed / experiments > 0.03, 'and it is not 95 % by being as wide as can be');
});

test('a gain of a tenth is found where the noise is as large', () => {
  const next = generator(11);
  const found = Array.from({ length: 400 }, () => {
    const time = (mean: number): number => mean * (0.95 + 0.1 * next());
    return comparePairs(Array.from({ length: 10 }, () => time(1.1) / time(1))).low > 1.02;
  }).filter(Boolean).length;
  assert.ok(found > 360, `${found} of 400`);
});
