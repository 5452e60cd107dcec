import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, percentile, slope } from './statistics.ts';

test('the median of an even number of values lies between the two in the middle', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([10, 1, 4, 2]), 3);
  assert.equal(median([7]), 7);
});

test('nothing has no median and no percentile', () => {
  assert.ok(Number.isNaN(median([])));
  assert.ok(Number.isNaN(percentile([], 0.99)));
});

test('a percentile is a value that was measured: the smallest that so many do not exceed', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.equal(percentile(values, 0.5), 50);
  assert.equal(percentile(values, 0.99), 99);
  assert.equal(percentile(values, 1), 100);
  assert.equal(percentile([3, 1, 2], 0.99), 3);
  assert.equal(percentile([3, 1, 2], 0), 1);
});

test('values are compared as numbers', () => {
  assert.equal(median([100, 9, 20]), 20);
  assert.equal(percentile([100, 9, 20], 0.5), 20);
});

test('the slope of a line is found through single values that lie far off it', () => {
  const points = Array.from({ length: 20 }, (_, x): [number, number] => [x, 3 * x + 1]);
  points[5] = [5, 1_000];
  points[13] = [13, -1_000];
  assert.equal(slope(points), 3);
});
