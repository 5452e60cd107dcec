import assert from 'node:assert/strict';
import { test } from 'node:test';

import { deployment } from '../../test/gateway.ts';
import type { DeploymentRouting, RoutingSettings } from '../config/settings.ts';
import { isObeliskError, ObeliskError } from '../shared/errors.ts';
import { Secret } from '../shared/secret.ts';
import { silentLogger } from '../telemetry/log.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import type { Attempts } from './attempts.ts';
import { Balancer } from './balancer.ts';
import type { Deployment } from './deployment.ts';
import { routingCounters, routingGauges } from './routing-gauges.ts';

/** A balancer on a clock and dice of the test's own. */
class Table {
  nowMs = 1_000;
  dice = 0;
  readonly group: readonly Deployment[];
  readonly settings: RoutingSettings;
  balancer: Balancer;

  constructor(routings: readonly DeploymentRouting[], settings: Partial<RoutingSettings> = {}) {
    this.settings = { strategy: 'simple-shuffle', retries: 2, retryAfterMs: 0, timeouts: {}, ...settings };
    this.group = routings.map((routing, index) =>
      deployment({ id: `m#${index}`, baseUrl: `http://host${index}`, routing, apiKey: new Secret('sk-1') }),
    );
    this.balancer = this.#create();
  }

  ask(): Attempts {
    return this.balancer.begin(this.group);
  }

  /** Asks once, ends it well and says who it was, or with which error nobody was asked. */
  visit(): string {
    try {
      const attempts = this.ask();
      attempts.abandoned();
      return attempts.deployment.id;
    } catch (error) {
      assert.ok(isObeliskError(error));
      return `${error.code} ${error.retryAfter ?? ''}`.trim();
    }
  }

  fail(status: number, more: { readonly retryAfter?: number } = {}): number | undefined {
    return this.ask().failed(statusError(status, more));
  }

  inFlight(): number {
    return this.balancer
      .states()
      .values()
      .reduce((sum, state) => sum + state.inFlight, 0);
  }

  reload(): void {
    this.balancer = this.#create(this.balancer);
  }

  #create(previous?: Balancer): Balancer {
    return new Balancer({
      settings: this.settings,
      logger: silentLogger,
      monotonicMs: () => this.nowMs,
      random: () => this.dice,
      previous,
    });
  }
}

function statusError(status: number, more: { readonly retryAfter?: number } = {}): ObeliskError {
  return new ObeliskError('upstream_error', 'x', { upstreamStatus: status, ...more });
}

const unreachable = new ObeliskError('upstream_unreachable', 'x');
const silent = new ObeliskError('upstream_timeout', 'x');

test('who refused is left alone for 5 s, then asked by one request until it answers', () => {
  const table = new Table([{ weight: 1 }, { weight: 0 }]);
  const first = table.ask();
  assert.equal(first.failed(unreachable), 0);
  assert.ok(first.again());
  assert.equal(first.deployment.id, 'm#1');
  first.succeeded(0);
  table.nowMs += 4_999;
  assert.equal(table.visit(), 'm#1');
  table.nowMs += 1;
  const probe = table.ask();
  assert.equal(probe.deployment.id, 'm#0');
  assert.equal(table.visit(), 'm#1', 'the others wait for the one');
  probe.answered();
  assert.equal(table.visit(), 'm#0', 'it is well once its answer has begun');
  probe.succeeded(0);
});

test('a 429 with a wait is kept to it, at most a minute; everything comes back at once', () => {
  for (const [retryAfter, coolMs] of [
    [7, 7_000],
    [3_600, 60_000],
  ] as const) {
    const table = new Table([{}]);
    assert.equal(table.fail(429, { retryAfter }), undefined, 'the same one is not asked again');
    assert.equal(table.visit(), `rate_limited ${coolMs / 1_000}`);
    table.nowMs += coolMs - 1;
    assert.equal(table.visit(), 'rate_limited 1');
    table.nowMs += 1;
    const [one, two] = [table.ask(), table.ask()];
    assert.deepEqual([one.deployment.id, two.deployment.id], ['m#0', 'm#0']);
  }
});

test('a 429 without a wait is left alone longer each time, from half a second to a minute', () => {
  const table = new Table([{ retries: 0 }]);
  const waits = Array.from({ length: 9 }, () => {
    table.fail(429);
    const startMs = table.nowMs;
    while (table.visit().startsWith('rate_limited')) table.nowMs += 250;
    return table.nowMs - startMs;
  });
  assert.deepEqual(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  table.dice = 0.999;
  table.fail(429);
  table.nowMs += 59_000;
  assert.equal(table.visit(), 'rate_limited 1');
  table.nowMs += 1_000;
  table.ask().succeeded(0);
  table.dice = 0;
  table.fail(429);
  table.nowMs += 500;
  assert.equal(table.visit(), 'm#0', 'a success starts it over');
});

test('the breaker opens at the fifth failure in a row, and one request in ten seconds looks', () => {
  const table = new Table([{ weight: 1, retries: 0 }, { weight: 0 }]);
  for (let at = 0; at < 4; at += 1) table.fail(500);
  assert.equal(table.visit(), 'm#0');
  table.fail(529);
  assert.equal(table.visit(), 'm#1');
  for (let look = 0; look < 3; look += 1) {
    table.nowMs += 9_999;
    assert.equal(table.visit(), 'm#1');
    table.nowMs += 1;
    assert.equal(table.visit(), 'm#0');
    assert.equal(table.visit(), 'm#1');
  }
});

test('the breaker opens when more than half of the last twenty failed', () => {
  const table = new Table([{ weight: 1, retries: 0 }, { weight: 0 }]);
  for (let at = 0; at < 20; at += 1) {
    if (at % 2 === 0) table.fail(503);
    else table.ask().succeeded(0);
  }
  assert.equal(table.visit(), 'm#0', 'half is not more than half');
  table.fail(503);
  assert.equal(table.visit(), 'm#0', 'a success left the twenty');
  table.fail(503);
  assert.equal(table.visit(), 'm#1');
});

test('an answer that blames the request counts as well', () => {
  const table = new Table([{ weight: 1, retries: 0 }, { weight: 0 }]);
  for (let at = 0; at < 30; at += 1) table.fail(at % 5 === 4 ? 400 : 500);
  assert.equal(table.visit(), 'm#1', 'four of five failed');
  const other = new Table([{ retries: 0 }]);
  for (let at = 0; at < 30; at += 1) other.fail(404);
  assert.equal(other.visit(), 'm#0');
});

test('who says nothing is looked at ever more rarely, since each look costs somebody a whole clock', () => {
  const table = new Table([{ weight: 1 }, { weight: 0 }]);
  const waits: number[] = [];
  for (let at = 0; at < 6; at += 1) {
    const attempts = table.ask();
    assert.equal(attempts.deployment.id, 'm#0');
    assert.equal(attempts.failed(silent), 0);
    const startMs = table.nowMs;
    while ([...table.balancer.states().values()][0]?.cooledUntilMs !== table.nowMs) table.nowMs += 1_000;
    waits.push(table.nowMs - startMs);
  }
  assert.deepEqual(waits, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
});

test('requests under way together make a cool-down neither longer nor a success end it', () => {
  const table = new Table([{ retries: 0 }]);
  const [one, two, three] = [table.ask(), table.ask(), table.ask()];
  one.failed(statusError(429));
  two.failed(statusError(429));
  assert.equal(table.visit(), 'rate_limited 1');
  three.succeeded(0);
  assert.equal(table.visit(), 'rate_limited 1');
  table.nowMs += 500;
  assert.equal(table.visit(), 'm#0');
});

test('a refused key ends with the configuration that had it; what else was learned stays', () => {
  const table = new Table([{ weight: 1 }, { weight: 0 }]);
  assert.equal(table.fail(401), undefined);
  assert.equal(table.visit(), 'm#1');
  table.nowMs += 3_600_000;
  assert.equal(table.visit(), 'm#1');
  const other = table.ask();
  assert.equal(other.failed(unreachable), undefined);
  const running = table.ask();
  table.reload();
  assert.equal(table.visit(), 'm#0');
  assert.equal(table.ask().failed(unreachable), undefined, 'the other one is still left alone');
  assert.equal(table.inFlight(), 1);
  running.succeeded(0);
  assert.equal(table.inFlight(), 0);
});

test('when every key was refused nobody is asked', () => {
  const table = new Table([{}, {}]);
  assert.equal(table.fail(401), undefined);
  assert.equal(table.fail(403), undefined);
  assert.equal(table.visit(), 'upstream_auth');
});

test('shares are by weight, else by rpm, else equal, and whoever lacks what others have gets none', () => {
  const spread = (routings: readonly DeploymentRouting[]): readonly number[] => {
    const table = new Table(routings);
    const counts = routings.map(() => 0);
    for (let at = 0; at < 1_000; at += 1) {
      table.dice = at / 1_000;
      const attempts = table.ask();
      const index = Number(attempts.deployment.id.slice(2));
      counts[index] = (counts[index] ?? 0) + 1;
      attempts.abandoned();
      table.nowMs += 60_000;
    }
    return counts;
  };
  assert.deepEqual(spread([{ weight: 3 }, { weight: 1 }, { rpm: 9 }]), [750, 250, 0]);
  assert.deepEqual(spread([{ rpm: 900 }, { rpm: 100 }]), [900, 100]);
  assert.deepEqual(spread([{ tpm: 10 }, { tpm: 30 }]), [250, 750]);
  assert.deepEqual(spread([{}, {}, {}, {}]), [250, 250, 250, 250]);
});

test('least-busy asks whoever has the fewest requests under way', () => {
  const table = new Table([{}, {}, {}], { strategy: 'least-busy' });
  const six = Array.from({ length: 6 }, () => table.ask());
  assert.deepEqual(six.map(({ deployment: { id } }) => id).toSorted(), [
    'm#0',
    'm#0',
    'm#1',
    'm#1',
    'm#2',
    'm#2',
  ]);
  six[3]?.succeeded(0);
  assert.equal(table.ask().deployment.id, six[3]?.deployment.id);
});

test('all attempts share the time of the request', () => {
  const table = new Table([{}, { timeoutMs: 4_000 }], { timeouts: { totalMs: 10_000, firstByteMs: 6_000 } });
  const attempts = table.ask();
  assert.equal(attempts.clocks(false).totalMs, 10_000);
  table.nowMs += 6_000;
  assert.equal(attempts.failed(silent), 0);
  assert.ok(attempts.again());
  assert.equal(attempts.clocks(false).totalMs, 4_000);
  table.nowMs += 4_000;
  assert.equal(attempts.failed(silent), undefined);
  const late = new Table([{}], { timeouts: { totalMs: 1_000 }, retryAfterMs: 1_000 });
  assert.equal(late.fail(500), undefined, 'a pause that outlasts the time is not begun');
});

test('cooldown_time and allowed_fails say how patient it is', () => {
  const table = new Table([{ weight: 1, retries: 0, cooldownMs: 500, allowedFails: 0 }, { weight: 0 }]);
  table.fail(500);
  assert.equal(table.visit(), 'm#1');
  table.nowMs += 500;
  assert.equal(table.visit(), 'm#0');
  const never = new Table([{ weight: 1, cooldownMs: 0 }, { weight: 0 }]);
  never.ask().failed(unreachable);
  assert.equal(never.visit(), 'm#0');
});

test('metrics tell the state, the requests under way, retries and cool-downs of each deployment', () => {
  const table = new Table([{ weight: 1 }, { weight: 0 }]);
  const metrics = createMetrics(
    routingGauges(() => table.balancer),
    routingCounters(() => table.balancer),
  );
  const attempts = table.ask();
  attempts.failed(unreachable);
  attempts.again();
  const text = metrics.render();
  assert.match(text, /^obelisk_deployment_state\{deployment="m#0"\} 1$/m);
  assert.match(text, /^obelisk_deployment_state\{deployment="m#1"\} 0$/m);
  assert.match(text, /^obelisk_deployment_in_flight\{deployment="m#1"\} 1$/m);
  assert.match(
    text,
    /^# TYPE obelisk_upstream_retries_total counter\n(?:.*\n)?obelisk_upstream_retries_total\{deployment="m#1"\} 1$/m,
  );
  assert.match(text, /^obelisk_deployment_cooldowns_total\{deployment="m#0",cause="unreachable"\} 1$/m);
});
