import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { TransferProgress } from './transfer-progress.ts';

type Setting = { readonly progress: TransferProgress; pass(ms: number): void };

function start(): Setting {
  let nowMs = 1_000;
  const progress = new TransferProgress(() => nowMs);
  progress.beginAttempt();
  return { progress, pass: (ms) => void (nowMs += ms) };
}

const layer = (
  digest: string,
  completed: number | undefined,
  total = 1_000,
): Parameters<TransferProgress['note']>[0] => ({
  status: `pulling ${digest}`,
  digest,
  total,
  completed,
});

test('the whole is the sum of the layers that were told of', () => {
  const { progress } = start();
  progress.note({ status: 'pulling manifest' });
  assert.deepEqual(progress.snapshot(), { status: 'pulling manifest', layers: [] });
  progress.note(layer('a', 400));
  progress.note(layer('b', undefined, 500));
  const { totalBytes, completedBytes, layers } = progress.snapshot();
  assert.deepEqual([totalBytes, completedBytes], [1_500, 400]);
  assert.deepEqual(layers, [
    { digest: 'a', totalBytes: 1_000, completedBytes: 400 },
    { digest: 'b', totalBytes: 500, completedBytes: 0 },
  ]);
});

test('speed and time left are those of the last ten seconds', () => {
  const { progress, pass } = start();
  progress.note(layer('a', 0, 100_000));
  for (let second = 1; second <= 30; second += 1) {
    pass(1_000);
    progress.note(layer('a', second <= 15 ? second * 1_000 : 15_000 + (second - 15) * 100, 100_000));
  }
  const { bytesPerSecond = 0, secondsLeft = 0 } = progress.snapshot();
  assert.ok(Math.abs(bytesPerSecond - 100) < 10, String(bytesPerSecond));
  assert.ok(Math.abs(secondsLeft - (100_000 - 16_500) / 100) < 90, String(secondsLeft));
});

test('what was there before counts as there, and not as speed', () => {
  const { progress, pass } = start();
  progress.note(layer('a', 900_000, 1_000_000));
  pass(1_000);
  progress.note(layer('a', 900_100, 1_000_000));
  assert.equal(progress.snapshot().bytesPerSecond, 100);
  progress.beginAttempt();
  progress.note(layer('a', 950_000, 1_000_000));
  pass(1_000);
  progress.note(layer('a', 950_050, 1_000_000));
  assert.equal(progress.snapshot().bytesPerSecond, 50);
  assert.equal(progress.furthestBytes, 950_050);
});

test('bytes that fall are believed, and make no negative speed', () => {
  const { progress, pass } = start();
  progress.note(layer('a', 0));
  pass(1_000);
  progress.note(layer('a', 600));
  pass(1_000);
  progress.note(layer('a', 200));
  const { completedBytes, bytesPerSecond } = progress.snapshot();
  assert.equal(completedBytes, 200);
  assert.equal(bytesPerSecond, 300);
});

test('without speed no time left is claimed', () => {
  const { progress, pass } = start();
  progress.note(layer('a', 0));
  assert.equal(progress.snapshot().bytesPerSecond, undefined);
  pass(20_000);
  progress.note(layer('a', 0));
  const { bytesPerSecond, secondsLeft } = progress.snapshot();
  assert.deepEqual([bytesPerSecond, secondsLeft], [0, undefined]);
});

test('a layer that stands still is noticed, one that is complete does not stand still', () => {
  const { progress, pass } = start();
  progress.note(layer('a', 10));
  pass(60_000);
  progress.note(layer('a', 10));
  assert.equal(progress.stalledMs, 60_000);
  progress.note(layer('a', 1_000));
  pass(60_000);
  assert.equal(progress.stalledMs, 0);
  progress.note(layer('b', 0));
  assert.equal(progress.stalledMs, 0);
});

test('whatever is told, the sums are sums, within bounds', () => {
  const step = fc.record({
    digest: fc.constantFrom('a', 'b', 'c'),
    completed: fc.option(fc.integer({ min: -5, max: 2_000 }), { nil: undefined }),
    total: fc.option(fc.integer({ min: -5, max: 1_000 }), { nil: undefined }),
    passMs: fc.integer({ min: 0, max: 5_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { progress, pass } = start();
      for (const { digest, completed, total, passMs } of steps) {
        pass(passMs);
        progress.note({ status: 'pulling', digest, total, completed });
        const {
          totalBytes = 0,
          completedBytes = 0,
          bytesPerSecond = 0,
          secondsLeft = 0,
          layers,
        } = progress.snapshot();
        assert.equal(
          totalBytes,
          layers.reduce((sum, one) => sum + one.totalBytes, 0),
        );
        assert.ok(completedBytes >= 0 && completedBytes <= totalBytes);
        assert.ok(bytesPerSecond >= 0 && secondsLeft >= 0 && Number.isFinite(secondsLeft));
      }
    }),
  );
});
