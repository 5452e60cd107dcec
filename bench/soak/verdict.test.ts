import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growthOf, verdictsOf } from './verdict.ts';
import type { Sample, SoakResult } from './verdict.ts';

/** Ten minutes, a sample a second. */
const samples = (memory: (share: number) => number): readonly Sample[] =>
  Array.from({ length: 601 }, (_, second) => ({
    atMs: second * 1_000,
    residentMib: memory(second / 600),
    descriptors: 30,
  }));

const SOUND: SoakResult = {
  samples: samples(() => 100),
  tally: { answered: 30_000, failedAsInjected: 60, failedOtherwise: 0, lied: 0, injected: 300 },
  descriptorsBefore: 25,
  descriptorsAfter: 25,
  exited: false,
  loopDelayP99Ms: 1.5,
};

const failedOf = (change: Partial<SoakResult>): readonly string[] =>
  verdictsOf({ ...SOUND, ...change }).flatMap(({ name, passed }) => (passed === false ? [name] : []));

test('a program that grows while it gets warm and then stays has not grown', () => {
  const { growth, mibPerHour } = growthOf(samples((share) => (share < 0.2 ? 60 + share * 200 : 100)));
  assert.equal(growth, 0);
  assert.equal(mibPerHour, 0);
});

test('a steady leak is seen in the growth and in the slope', () => {
  const { growth, mibPerHour } = growthOf(samples((share) => 100 + 20 * share));
  // Medians of the first and the last fifth of what follows the warm-up: 105.6 and 118.4.
  assert.ok(Math.abs(growth - 12.8 / 105.6) < 0.002, String(growth));
  assert.ok(Math.abs(mibPerHour - 120) < 0.01, String(mibPerHour));
});

test('single peaks are no growth', () => {
  const peaks = samples(() => 100).map((sample, index) =>
    index % 10 === 0 ? { ...sample, residentMib: 180 } : sample,
  );
  assert.equal(growthOf(peaks).growth, 0);
});

test('a sound soak passes everything', () => {
  assert.deepEqual(failedOf({}), []);
});

test('each thing that must not happen fails its own line', () => {
  assert.deepEqual(failedOf({ samples: samples((share) => 100 + 20 * share) }), [
    'growth of resident memory',
  ]);
  assert.deepEqual(failedOf({ descriptorsAfter: 26 }), ['file descriptors before and after']);
  assert.deepEqual(failedOf({ tally: { ...SOUND.tally, failedOtherwise: 1 } }), [
    'failures that were not injected',
  ]);
  assert.deepEqual(failedOf({ tally: { ...SOUND.tally, lied: 1 } }), ['cut answers that looked whole']);
  assert.deepEqual(failedOf({ exited: true }), ['ends of the process']);
  assert.deepEqual(failedOf({ tally: { ...SOUND.tally, answered: 0 } }), ['requests answered']);
});
