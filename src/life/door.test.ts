import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Door } from './door.ts';

test('a door that closed for load opens again, one that closed for good does not', () => {
  const door = new Door();
  const refusal = (): Door['refusal'] => door.refusal;
  assert.equal(refusal(), undefined);
  door.setOverload('too much to do');
  assert.deepEqual(door.trouble, { status: 'overloaded', reason: 'too much to do' });
  assert.equal(refusal()?.code, 'overloaded');
  assert.match(refusal()?.message ?? '', /too much to do; ask again/);
  assert.equal(refusal()?.retryAfter, 2);
  door.setOverload(undefined);
  assert.equal(refusal(), undefined);
  door.stop();
  door.setOverload(undefined);
  assert.equal(door.trouble?.status, 'stopping');
  assert.equal(refusal()?.code, 'overloaded');
});
