import type { UpstreamTimeouts } from '../config/settings.ts';
import { LOCAL_CLOCKS, REMOTE_CLOCKS } from '../wire/upstream.ts';
import type { Clocks } from '../wire/upstream.ts';
import type { Deployment } from './deployment.ts';

/** Clocks of one attempt at a deployment. */
export type DeploymentClocks = {
  /** For an answer in one piece. */
  readonly whole: Clocks;
  readonly stream: Clocks;
};

/** Works out a deployment's clocks: its own timeouts over those of the configuration over the defaults. */
export function clocksOf(
  { local, routing = {} }: Pick<Deployment, 'local' | 'routing'>,
  timeouts: UpstreamTimeouts,
): DeploymentClocks {
  const base = local ? LOCAL_CLOCKS : REMOTE_CLOCKS;
  const totalMs = Math.min(routing.timeoutMs ?? Infinity, timeouts.totalMs ?? base.totalMs);
  const whole = {
    connectMs: timeouts.connectMs ?? base.connectMs,
    firstByteMs: timeouts.firstByteMs ?? base.firstByteMs,
    idleMs: timeouts.idleMs ?? base.idleMs,
    totalMs,
  };
  return { whole, stream: { ...whole, firstByteMs: routing.streamTimeoutMs ?? whole.firstByteMs } };
}

/** The time a request has over all its attempts, in milliseconds. */
export function deadlineOf({ totalMs = REMOTE_CLOCKS.totalMs }: UpstreamTimeouts): number {
  return totalMs;
}
