import { isObeliskError } from '../../shared/errors.ts';
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
  /file does not exist|not found|no space left|quota|read-only|permission denied|insecure protocol|unauthori[sz]ed|denied|forbidden|newer version|requires? .*version|not supported|unsupported|incompatible|invalid|no Location header/i;

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

/** How long to wait after the try that was the `fruitless`th in a row to move nothing, in milliseconds. */
export function pauseMs(rules: RetryRules, fruitless: number, retryAfterSeconds = 0): number {
  const grown = rules.firstPauseMs * 2 ** Math.min(Math.max(fruitless - 1, 0), 20);
  return Math.max(Math.min(grown, rules.longestPauseMs), retryAfterSeconds * 1000);
}
