import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeploymentState } from './deployment-state.ts';

const UNLIMITED = { rpm: Infinity, tpm: Infinity, maxParallelRequests: Infinity };

test('who is at two limits has room when the later one is over', () => {
  const state = new DeploymentState('m#0');
  state.begin(1_000);
  assert.equal(state.roomInMs({ ...UNLIMITED, maxParallelRequests: 1 }, 11_000), 0);
  assert.equal(state.roomInMs({ ...UNLIMITED, rpm: 1 }, 11_000), 50_000);
  assert.equal(state.roomInMs({ ...UNLIMITED, rpm: 1, maxParallelRequests: 1 }, 11_000), 50_000);
  assert.equal(state.roomInMs({ ...UNLIMITED, rpm: 1, maxParallelRequests: 1 }, 61_000), 0);
  assert.equal(state.roomInMs({ ...UNLIMITED, rpm: 1, maxParallelRequests: 2 }, 61_000), undefined);
});
