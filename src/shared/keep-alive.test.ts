import assert from 'node:assert/strict';
import { test } from 'node:test';

import { keepAliveSeconds } from './keep-alive.ts';

test('a keep_alive is read as seconds, in every form that Ollama takes', () => {
  for (const [value, seconds] of [
    [300, 300],
    [-1, -1],
    [0, 0],
    ['300', 300],
    ['-1', -1],
    ['5m', 300],
    ['1h30m', 5_400],
    ['-5m', -300],
    ['1.5s', 1.5],
    ['250ms', 0.25],
    [' 24h ', 86_400],
  ] as const) {
    assert.equal(keepAliveSeconds(value), seconds, String(value));
  }
});

test('anything else is no keep_alive', () => {
  for (const value of ['', 'soon', '5 m', '5m!', 'm5', '--5m', Number.NaN, Infinity]) {
    assert.equal(keepAliveSeconds(value), undefined, String(value));
  }
});
