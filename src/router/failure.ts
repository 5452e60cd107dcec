import { systemCodeOf } from '../shared/errors.ts';
import type { ErrorCode, ObeliskError } from '../shared/errors.ts';
import { BROKEN_CONNECTION, NEVER_CONNECTED } from '../shared/system-codes.ts';
import type { CoolingCause } from './deployment-state.ts';

/** What a failed attempt means for what comes next. */
export type Verdict = {
  /**
   * What it says about the deployment: nothing (`sound`: it answered, and the fault is the
   * request's), that it failed, or that the key it was sent is no good.
   */
  readonly health: CoolingCause | 'refused_key' | 'sound';
  /** Whether another deployment may be asked. */
  readonly retry: boolean;
  /** Whether the same one may be asked again after a pause, where there is no other. */
  readonly retrySame: boolean;
  /** How long that pause is at least, because the upstream said so, in milliseconds. */
  readonly leastMs: number;
  /** Whether the connection broke before an answer came, so that a fresh one may do, once. */
  readonly broken: boolean;
  /** Whether the request never left, so that asking again adds no load to anybody. */
  readonly unsent: boolean;
};

/** The request never left. */
const UNSENT: ReadonlySet<string> = new Set([...NEVER_CONNECTED, 'connect timeout']);

/** The connection ended before it was answered on. */
const BROKEN: ReadonlySet<string> = new Set([...BROKEN_CONNECTION, 'connection closed']);

/** Codes by which an upstream says that the request itself is at fault, whatever its status. */
const OF_THE_REQUEST: ReadonlySet<ErrorCode> = new Set([
  'invalid_request',
  'context_length_exceeded',
  'unsupported',
  'model_not_found',
  'payload_too_large',
  'client_gone',
  'loop_detected',
  'internal',
]);

const NOTHING = { retry: false, retrySame: false, leastMs: 0, broken: false, unsent: false };

/**
 * Judges a failed attempt. Tried again is only what cannot have been answered already or what the
 * upstream itself asks to be tried again: no connection, no answer, 408, 409, 429 and 5xx. A POST
 * that broke in the middle of its answer may have cost money, and a 4xx is right the first time.
 *
 * @param status The upstream's, where its head had come; else 0.
 */
export function judgeFailure(error: ObeliskError, status: number): Verdict {
  if (status === 0) return judgeSilence(error);
  if (status === 401 || status === 403) return { health: 'refused_key', ...NOTHING };
  if (status === 429) {
    return { ...NOTHING, health: 'rate_limited', retry: true, retrySame: error.retryAfter === undefined };
  }
  if (status === 408 || status === 409) return { ...later(error), health: 'sound' };
  if (OF_THE_REQUEST.has(error.code)) return { health: 'sound', ...NOTHING };
  if (status >= 500) return { ...later(error), health: 'failing' };
  return { health: status >= 400 ? 'sound' : 'failing', ...NOTHING };
}

/** Somebody else is asked at once; the same one not before it said. */
function later({ retryAfter = 0 }: ObeliskError): Omit<Verdict, 'health'> {
  return { ...NOTHING, retry: true, retrySame: true, leastMs: retryAfter * 1_000 };
}

/** No head came. */
function judgeSilence(error: ObeliskError): Verdict {
  switch (error.code) {
    case 'upstream_unreachable': {
      const code = systemCodeOf(error.cause) ?? '';
      const [unsent, broken] = [UNSENT.has(code), BROKEN.has(code)];
      return { ...NOTHING, health: 'unreachable', retry: true, broken, unsent };
    }
    // It was not asked: its queue with us was full, or the turn of the request did not come in time.
    case 'overloaded':
      return { ...NOTHING, health: 'sound', retry: true, unsent: true };
    case 'upstream_timeout':
      return { ...NOTHING, health: 'timeout', retry: true };
    case 'upstream_invalid':
    case 'upstream_error':
      return { ...NOTHING, health: 'failing' };
    default:
      return { ...NOTHING, health: 'sound' };
  }
}
