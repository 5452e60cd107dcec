import assert from 'node:assert/strict';
import { test } from 'node:test';

import { deployment } from '../../test/gateway.ts';
import { ObeliskError } from '../shared/errors.ts';
import { silentLogger } from '../telemetry/log.ts';
import { Balancer } from './balancer.ts';

const BUSY = new ObeliskError('rate_limited', 'slow down', { upstreamStatus: 429 });

test('after the pause that a 429 asks for the deployment may be asked again, to the fraction of a millisecond', () => {
  for (let turn = 0; turn < 1_000; turn += 1) {
    let nowMs = 1_000 + turn / 7;
    const balancer = new Balancer({
      settings: { strategy: 'simple-shuffle', retries: 2, retryAfterMs: 0, timeouts: {} },
      logger: silentLogger,
      monotonicMs: () => nowMs,
      // A pause that is shorter than the cool-down by itself.
      random: () => (turn % 10) / 100,
      pause: { leastMs: 0, mostMs: 4_000 },
    });
    const attempts = balancer.begin([deployment({ id: 'm#0', baseUrl: 'http://host0' })]);
    const waitMs = attempts.failed(BUSY);
    assert.ok(waitMs !== undefined, `at ${nowMs}`);
    nowMs += waitMs - 0.9;
    assert.equal(attempts.again(), true, `at ${nowMs}, an early timer`);
  }
});
