import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toKeepAlive } from './keep-alive.ts';

test('numbers and durations stay, a bare number in a string becomes the number', () => {
  for (const same of [300, -1, 0, '5m', '1h30m', '-1m', '1.5h', '100ms'])
    assert.equal(toKeepAlive(same), same);
  assert.equal(toKeepAlive('300'), 300);
  assert.equal(toKeepAlive('-1'), -1);
  assert.equal(toKeepAlive(' 0 '), 0);
});

test('what is no duration is refused before Ollama refuses it without naming the field', () => {
  for (const bad of ['', '5 minutes', '5x', 'for ever', Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => toKeepAlive(bad), { code: 'invalid_request', param: 'keep_alive' });
  }
});
