import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Claims } from './claims.ts';
import { ModelLimit } from './model-limit.ts';

test('how many models fit is learned from what was seen and from what had to go', () => {
  const limit = new ModelLimit();
  assert.equal(limit.models, 3);
  limit.note(2, 0);
  assert.equal(limit.models, 3, 'two that are loaded say nothing of a third');
  limit.note(5, 0);
  assert.equal(limit.models, 5);
  limit.note(2, 1);
  assert.equal(limit.models, 2, 'one went though it had time left');
  limit.note(2, 1);
  assert.equal(limit.models, 2);
  limit.note(0, 2);
  assert.equal(limit.models, 1);
  limit.note(4, 2);
  assert.equal(limit.models, 4, 'and more are seen again');
});

test('demand is what was asked of late, half of it two minutes later', () => {
  const claims = new Claims();
  assert.equal(claims.demand(1_000), 0);
  claims.begin(1_000);
  claims.begin(1_000);
  assert.equal(claims.open, 2);
  assert.equal(claims.demand(1_000), 2);
  assert.equal(claims.demand(121_000), 1);
  claims.begin(121_000);
  assert.equal(claims.demand(121_000), 2);
  claims.end();
  assert.deepEqual([claims.open, claims.lastMs, claims.sinceMs], [2, 121_000, 1_000]);
});
