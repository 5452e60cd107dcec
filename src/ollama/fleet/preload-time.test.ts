import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nextTime } from './preload-time.ts';

/** A Monday in November, by this machine's own zone. */
const MONDAY = new Date(2026, 10, 23, 12, 0, 30);

function next(at: string, days?: readonly number[]): string {
  const time = nextTime({ at, days }, MONDAY);
  return `${time.getDate()} ${time.getHours()}:${time.getMinutes()}:${time.getSeconds()}`;
}

test('the next time is later today, or else tomorrow', () => {
  assert.equal(next('12:01'), '23 12:1:0');
  assert.equal(next('23:59'), '23 23:59:0');
  assert.equal(next('12:00'), '24 12:0:0', 'this minute has begun');
  assert.equal(next('00:00'), '24 0:0:0');
});

test('a time of some days is on the next of them, a week later where today has passed', () => {
  assert.equal(next('12:01', [1]), '23 12:1:0');
  assert.equal(next('11:00', [1]), '30 11:0:0');
  assert.equal(next('07:30', [0, 6]), '28 7:30:0');
});
