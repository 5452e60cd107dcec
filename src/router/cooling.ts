import type { Logger } from '../telemetry/log.ts';
import type { Member } from './deployment-group.ts';
import type { CoolingCause } from './deployment-state.ts';

/** What a cool-down is worked out from besides the deployment. */
export type CoolingFacts = {
  readonly nowMs: number;
  readonly random: () => number;
  readonly logger: Logger;
  /** Whether the attempt began after the last cool-down; others were under way already and make nothing worse. */
  readonly fresh: boolean;
  /** What the upstream asked for in `retry-after`. */
  readonly retryAfterMs?: number | undefined;
};

const UNREACHABLE_MS = 5_000;
const FAILING_MS = 10_000;
const RATE_LIMITED_MS = 1_000;
/** Nothing is left alone for longer: some servers answer 429 with years. */
const LONGEST_MS = 60_000;

/** Leaves a deployment alone for a while, and says so once. */
export function coolDown(member: Member, cause: CoolingCause, facts: CoolingFacts): void {
  const { state } = member;
  const { nowMs, logger } = facts;
  if (!facts.fresh && state.cooledUntilMs > nowMs) {
    const ms = durationOf(member, cause, { ...facts, strikes: state.strikes - 1 });
    state.cooledUntilMs = Math.max(state.cooledUntilMs, nowMs + ms);
    return;
  }
  const ms = durationOf(member, cause, { ...facts, strikes: state.strikes });
  if (ms <= 0) return;
  const known = state.cause === cause;
  state.cool(cause, nowMs + ms);
  if (known) return;
  const { id, baseUrl, modelName } = member.deployment;
  logger.warn('deployment left alone for a while', {
    deployment: id,
    model: modelName,
    host: baseUrl,
    cause,
    forMs: Math.round(ms),
  });
}

/**
 * Lets one request through to a deployment that is being left alone; the others go on waiting. After
 * a 429 everything may come back at once: the server is well and has said when.
 */
export function markProbe(member: Member, nowMs: number): void {
  const { state } = member;
  if (state.cause === undefined || state.cause === 'rate_limited') return;
  const strikes = state.strikes - 1;
  state.cooledUntilMs = nowMs + durationOf(member, state.cause, { random: () => 1, strikes });
}

/** Ends the cool-down of a deployment that has answered. */
export function endCooling(member: Member, logger: Logger): void {
  const { id, baseUrl, modelName } = member.deployment;
  logger.info('deployment serves again', { deployment: id, model: modelName, host: baseUrl });
  member.state.heal();
}

type Duration = {
  readonly random: () => number;
  readonly retryAfterMs?: number | undefined;
  /** Cool-downs before this one since the last success. */
  readonly strikes: number;
};

function durationOf({ cooldownMs }: Member, cause: CoolingCause, duration: Duration): number {
  const { random, retryAfterMs, strikes } = duration;
  if (cause === 'rate_limited' && retryAfterMs !== undefined) return Math.min(retryAfterMs, LONGEST_MS);
  if (cooldownMs !== undefined) return cooldownMs;
  const doubled = 2 ** Math.max(0, Math.min(strikes, 6));
  // Each look at a silent server costs somebody the whole first-byte clock, so that looks become rarer.
  if (cause === 'timeout') return Math.min(LONGEST_MS, UNREACHABLE_MS * doubled);
  // Never less than half, or a jitter near nothing would hammer a server that asked for mercy.
  if (cause === 'rate_limited') return Math.min(LONGEST_MS, RATE_LIMITED_MS * doubled) * (0.5 + random() / 2);
  return cause === 'unreachable' ? UNREACHABLE_MS : FAILING_MS;
}
