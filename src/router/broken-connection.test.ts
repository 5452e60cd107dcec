import assert from 'node:assert/strict';
import { test } from 'node:test';

import { deployment } from '../../test/gateway.ts';
import { ObeliskError } from '../shared/errors.ts';
import { silentLogger } from '../telemetry/log.ts';
import { Balancer } from './balancer.ts';

const RESET = brokenBy('ECONNRESET');

function brokenBy(code: string): ObeliskError {
  const cause = Object.assign(new Error('broken'), { code });
  return new ObeliskError('upstream_unreachable', 'it did not answer', { cause });
}

function balancerFor(retries: number): Balancer {
  return new Balancer({
    settings: { strategy: 'simple-shuffle', retries, retryAfterMs: 0, timeouts: {} },
    logger: silentLogger,
    monotonicMs: () => 1_000,
    random: () => 0,
  });
}

const ALONE = [deployment({ id: 'm#0', baseUrl: 'http://host0' })];
const TWO = [...ALONE, deployment({ id: 'm#1', baseUrl: 'http://host1' })];

for (const code of ['ECONNRESET', 'EPIPE', 'connection closed']) {
  test(`a connection that ended with ${code} before an answer is followed by one more, at once, where nobody else is`, () => {
    const attempts = balancerFor(2).begin(ALONE);
    assert.equal(attempts.failed(brokenBy(code)), 0);
    assert.equal(attempts.again(), true);
    assert.equal(attempts.made, 2);
    assert.equal(attempts.failed(brokenBy(code)), undefined);
  });
}

test('an answer to the second connection leaves no mark', () => {
  const balancer = balancerFor(2);
  const attempts = balancer.begin(ALONE);
  attempts.failed(RESET);
  attempts.again();
  attempts.succeeded(0);
  const [state] = [...balancer.states().values()];
  assert.deepEqual([state?.inFlight, state?.cause, state?.retries], [0, undefined, 1]);
});

test('who is left alone already is not asked twice, so that an outage costs one attempt a request', () => {
  const balancer = balancerFor(2);
  const first = balancer.begin(ALONE);
  first.failed(RESET);
  first.again();
  first.failed(RESET);
  const second = balancer.begin(ALONE);
  assert.equal(second.failed(RESET), undefined);
});

test('another deployment comes first', () => {
  const attempts = balancerFor(2).begin(TWO);
  assert.equal(attempts.failed(RESET), 0);
  assert.equal(attempts.again(), true);
  assert.equal(attempts.deployment.id, 'm#1');
});

for (const code of ['ECONNREFUSED', 'EACCES', 'ETIMEOUT', 'connect timeout']) {
  test(`what was never sent, for ${code}, goes elsewhere without a share of the budget`, () => {
    const failedBy = (reason: string): number | undefined => {
      const balancer = balancerFor(2);
      while (balancer.budget.take(1_000));
      return balancer.begin(TWO).failed(brokenBy(reason));
    };
    assert.equal(failedBy(code), 0);
    assert.equal(failedBy('ETIMEDOUT'), undefined);
  });
}

test('it is not asked again without retries, or where nothing listens', () => {
  assert.equal(balancerFor(0).begin(ALONE).failed(RESET), undefined);
  assert.equal(balancerFor(2).begin(ALONE).failed(brokenBy('ECONNREFUSED')), undefined);
});
