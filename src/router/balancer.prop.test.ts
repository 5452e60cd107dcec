import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { deployment } from '../../test/gateway.ts';
import type { DeploymentRouting } from '../config/settings.ts';
import { isObeliskError, ObeliskError } from '../shared/errors.ts';
import { silentLogger } from '../telemetry/log.ts';
import type { Attempts } from './attempts.ts';
import { Balancer } from './balancer.ts';
import type { Deployment } from './deployment.ts';
import type { DeploymentState } from './deployment-state.ts';

/** How an attempt can end. */
const ENDS = [
  'ok',
  'gone',
  'refused',
  'reset',
  'timeout',
  '400',
  '401',
  '409',
  '429',
  '429+',
  '500',
  'cut',
] as const;
type End = (typeof ENDS)[number];

function errorOf(end: Exclude<End, 'ok' | 'gone'>): ObeliskError {
  const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  switch (end) {
    case 'refused':
      return new ObeliskError('upstream_unreachable', 'x', { cause: refused });
    case 'reset':
      return new ObeliskError('upstream_unreachable', 'x');
    case 'timeout':
      return new ObeliskError('upstream_timeout', 'x');
    case 'cut':
      return new ObeliskError('upstream_unreachable', 'x', { upstreamStatus: 200 });
    case '401':
      return new ObeliskError('upstream_auth', 'x', { upstreamStatus: 401 });
    case '429':
      return new ObeliskError('rate_limited', 'x', { upstreamStatus: 429 });
    case '429+':
      return new ObeliskError('rate_limited', 'x', { upstreamStatus: 429, retryAfter: 7 });
    case '400':
      return new ObeliskError('invalid_request', 'x', { upstreamStatus: 400 });
    default:
      return new ObeliskError('upstream_error', 'x', { upstreamStatus: Number(end) });
  }
}

/** A balancer whose clock and dice the test holds, and the requests that run on it. */
class Model {
  nowMs = 0;
  requests = 0;
  retries = 0;
  readonly open = new Set<Attempts>();
  readonly balancer: Balancer;
  readonly group: readonly Deployment[];
  readonly waiting: { attempts: Attempts; atMs: number }[] = [];

  constructor(
    routings: readonly DeploymentRouting[],
    strategy: 'simple-shuffle' | 'least-busy',
    dice: readonly number[],
  ) {
    let throws = 0;
    this.group = routings.map((routing, index) =>
      deployment({ id: `m#${index}`, baseUrl: `http://127.0.0.1:${index}`, routing }),
    );
    this.balancer = new Balancer({
      settings: { strategy, retries: 2, retryAfterMs: 0, timeouts: {} },
      logger: silentLogger,
      monotonicMs: () => this.nowMs,
      random: () => dice[(throws += 1) % dice.length] ?? 0,
    });
  }

  states(): readonly DeploymentState[] {
    return [...this.balancer.states().values()];
  }

  /** Which deployments may be asked, worked out from what they promise and not from how they are chosen. */
  free(): readonly DeploymentState[] {
    return this.states().filter((state, index) => {
      const { maxParallelRequests = Infinity } = this.group[index]?.routing ?? {};
      return !state.disabled && state.cooledUntilMs <= this.nowMs && state.inFlight < maxParallelRequests;
    });
  }

  begin(): void {
    const free = this.free().map((state) => state.id);
    const known = this.states().length > 0;
    this.requests += 1;
    try {
      const attempts = this.balancer.begin(this.group);
      this.open.add(attempts);
      if (known && free.length > 0)
        assert.ok(free.includes(attempts.deployment.id), 'a free one is asked where there is one');
    } catch (error) {
      assert.ok(isObeliskError(error) && (error.code === 'rate_limited' || error.code === 'upstream_auth'));
      if (error.code === 'rate_limited')
        assert.ok((error.retryAfter ?? 0) >= 1 && (error.retryAfter ?? 0) <= 60);
    }
  }

  end(attempts: Attempts, end: End): void {
    this.open.delete(attempts);
    if (end === 'ok') attempts.succeeded(10);
    else if (end === 'gone') attempts.abandoned();
    else {
      const asked = attempts.deployment.id;
      const waitMs = attempts.failed(errorOf(end));
      if (waitMs === undefined) return;
      assert.ok(
        ['refused', 'reset', 'timeout', '409', '429', '429+', '500'].includes(end),
        `${end} is not tried again`,
      );
      assert.ok(waitMs <= 4_000);
      if (waitMs > 0) this.waiting.push({ attempts, atMs: this.nowMs + waitMs });
      else {
        this.#again(attempts);
        assert.notEqual(attempts.deployment.id, asked, 'the same one is not asked again at once');
      }
    }
  }

  pass(ms: number): void {
    this.nowMs += ms;
    for (const { attempts, atMs } of this.waiting.splice(0)) {
      if (atMs > this.nowMs) this.waiting.push({ attempts, atMs });
      else this.#again(attempts);
    }
  }

  #again(attempts: Attempts): void {
    if (!attempts.again()) return;
    this.retries += 1;
    assert.ok(attempts.made <= 3, 'at most three attempts');
    this.open.add(attempts);
  }
}

const routing = fc.record(
  {
    weight: fc.integer({ min: 0, max: 9 }),
    rpm: fc.integer({ min: 1, max: 30 }),
    maxParallelRequests: fc.integer({ min: 1, max: 4 }),
  },
  { requiredKeys: [] },
);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'begin' } as const) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      which: fc.nat(50),
      end: fc.constantFrom(...ENDS),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
  },
);

test('whatever happens, who may not be asked is not asked, what is in flight is counted, and attempts are bounded', () => {
  fc.assert(
    fc.property(
      fc.record({
        routings: fc.array(routing, { minLength: 1, maxLength: 4 }),
        strategy: fc.constantFrom('simple-shuffle' as const, 'least-busy' as const),
        dice: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 7 }),
        steps: fc.array(step, { maxLength: 300 }),
      }),
      ({ routings, strategy, dice, steps }) => {
        const model = new Model(routings, strategy, dice);
        for (const one of steps) {
          if (one.kind === 'begin') model.begin();
          else if (one.kind === 'pass') model.pass(one.ms);
          else {
            const attempts = [...model.open][one.which % Math.max(1, model.open.size)];
            if (attempts) model.end(attempts, one.end);
          }
          const inFlight = model.states().map((state) => state.inFlight);
          assert.ok(inFlight.every((count) => count >= 0));
          assert.equal(
            inFlight.reduce((sum, count) => sum + count, 0),
            model.open.size,
          );
          for (const [index, count] of inFlight.entries())
            assert.ok(count <= (routings[index]?.maxParallelRequests ?? Infinity));
        }
        for (const attempts of model.open) attempts.abandoned();
        assert.ok(model.states().every((state) => state.inFlight === 0));
      },
    ),
    { numRuns: 300 },
  );
});

test('retries of what was sent stay within the budget, however everything fails', () => {
  fc.assert(
    fc.property(
      fc.record({
        members: fc.integer({ min: 1, max: 4 }),
        // Of these a conflict never leaves a deployment alone, so that only the budget is in the way.
        end: fc.constantFrom('409' as const, '500' as const, 'reset' as const),
        pauses: fc.array(fc.nat(40), { minLength: 100, maxLength: 800 }),
      }),
      ({ members, end, pauses }) => {
        const routings = Array.from({ length: members }, () => ({}));
        const model = new Model(routings, 'simple-shuffle', [0.1, 0.7, 0.4]);
        for (const ms of pauses) {
          model.begin();
          for (const attempts of Array.from(model.open)) model.end(attempts, end);
          model.pass(ms);
        }
        const budget = 100 + 0.2 * model.requests + model.nowMs / 1_000 + 1;
        assert.ok(model.retries <= budget, `${model.retries} retries`);
      },
    ),
    { numRuns: 60 },
  );
});
