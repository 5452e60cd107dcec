import assert from 'node:assert/strict';
import { test } from 'node:test';

import { deployment } from '../../test/gateway.ts';
import { ObeliskError } from '../shared/errors.ts';
import { silentLogger } from '../telemetry/log.ts';
import { Balancer } from './balancer.ts';

const BUSY = new ObeliskError('rate_limited', 'slow down', { upstreamStatus: 429 });

type Clock = { readonly monotonicMs: () => number; readonly random: () => number };

function balancerFor(clock: Clock): Balancer {
  return new Balancer({
    settings: { strategy: 'simple-shuffle', retries: 2, retryAfterMs: 0, timeouts: {} },
    logger: silentLogger,
    ...clock,
    pause: { leastMs: 0, mostMs: 4_000 },
  });
}

test('after the pause that a 429 asks for the deployment may be asked again, to the fraction of a millisecond', () => {
  for (let turn = 0; turn < 1_000; turn += 1) {
    let nowMs = 1_000 + turn / 7;
    // A pause that is shorter than the cool-down by itself.
    const balancer = balancerFor({ monotonicMs: () => nowMs, random: () => (turn % 10) / 100 });
    const attempts = balancer.begin([deployment({ id: 'm#0', baseUrl: 'http://host0' })]);
    const waitMs = attempts.failed(BUSY);
    assert.ok(waitMs !== undefined, `at ${nowMs}`);
    nowMs += waitMs - 0.9;
    assert.equal(attempts.again(), true, `at ${nowMs}, an early timer`);
  }
});

test('a server that says when it will be back is not asked before, and not waited for longer than a moment', () => {
  const failed = (status: number, retryAfter: number, deployments: number): number | undefined => {
    const group = Array.from({ length: deployments }, (_, index) => deployment({ id: `m#${index}` }));
    const attempts = balancerFor({ monotonicMs: () => 1_000, random: () => 0 }).begin(group);
    return attempts.failed(
      new ObeliskError('upstream_error', 'not now', { upstreamStatus: status, retryAfter }),
    );
  };
  for (const status of [408, 409, 500, 503]) {
    assert.equal(failed(status, 3_600, 1), undefined);
    assert.equal(failed(status, 3, 1), 3_000);
    assert.equal(failed(status, 3_600, 2), 0, 'another one is asked at once');
  }
});
