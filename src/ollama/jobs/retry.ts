import { isObeliskError } from '../../shared/errors.ts';
import type { ObeliskError } from '../../shared/errors.ts';
import type { JobKind } from '../control-plane.ts';

/** When a job is tried again. */
export type RetryRules = {
  /** Tries in a row that move nothing before it is given up. */
  readonly fruitlessTries: number;
  /** Pause before the second try, in milliseconds; doubled each time. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** How long a layer may stand still before the transfer is begun again, in milliseconds. */
  readonly stallMs: number;
};

/** Two minutes of a network that is away, and any number of interruptions that let something through. */
export const RETRY_RULES: RetryRules = {
  fruitlessTries: 8,
  firstPauseMs: 1_000,
  longestPauseMs: 60_000,
  // Ollama gives up on a part by itself after 30 s and asks for it again, six times.
  stallMs: 120_000,
};

/** What no further try mends, in the words of Ollama, registries and systems. */
const FINAL =
  /file does not exist|not found|no space left|quota|read-only|permission denied|insecure protocol|unauthori[sz]ed|denied|forbidden|newer version|requires? .*version|not supported|unsupported|incompatible|invalid|no Location header|x509:|HTTP response to HTTPS client|: 4(?!08|25|29)\d\d:(?: |$)/i;
/** A name that was never found is most likely wrong, or the host has no network at all. */
const NAME_NOT_FOUND = /no such host/i;
const NAME_NOT_FOUND_TRIES = 3;

/** Whether another try of a job may end better than one that failed with `error`. */
export function isWorthRetrying(error: unknown, kind: JobKind): boolean {
  if (!isObeliskError(error)) return false;
  switch (error.code) {
    case 'upstream_unreachable':
    case 'upstream_timeout':
    case 'upstream_invalid':
    case 'overloaded':
    case 'rate_limited':
      return true;
    case 'upstream_error':
      return (kind === 'pull' || kind === 'push') && !FINAL.test(error.message);
    default:
      return false;
  }
}

/** How many tries in a row may move nothing, where the last failed with `error` and `movedBytes` were moved in all. */
export function fruitlessTries(rules: RetryRules, error: ObeliskError, movedBytes: number): number {
  const isStrange = movedBytes === 0 && NAME_NOT_FOUND.test(error.message);
  return isStrange ? Math.min(NAME_NOT_FOUND_TRIES, rules.fruitlessTries) : rules.fruitlessTries;
}

/** How long to wait after the try that was the `fruitless`th in a row to move nothing, in milliseconds. */
export function pauseMs(rules: RetryRules, fruitless: number, retryAfterSeconds = 0): number {
  const grown = rules.firstPauseMs * 2 ** Math.min(Math.max(fruitless - 1, 0), 20);
  return Math.max(Math.min(grown, rules.longestPauseMs), retryAfterSeconds * 1000);
}
