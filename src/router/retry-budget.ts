/** Part of the traffic that may be asked a second time. */
const SHARE = 0.2;
/** Retries that are saved up at most, and that a new process has. */
const CAPACITY = 100;
/** Retries that a quiet server earns a second. */
const PER_SECOND = 1;

/**
 * Bounds retries over all deployments: when everything fails at once, asking everything twice is
 * what keeps it down. A bucket filled by requests, and by time so that a quiet server may retry too:
 * in any T seconds with N requests there are at most 100 + 0.2 N + T retries.
 */
export class RetryBudget {
  #tokens = CAPACITY;
  #filledMs: number;

  constructor(nowMs: number) {
    this.#filledMs = nowMs;
  }

  /** Counts a request. */
  deposit(): void {
    if (this.#tokens < CAPACITY) this.#tokens += SHARE;
  }

  /** Takes one retry; false when none is left. */
  take(nowMs: number): boolean {
    const earned = (Math.max(0, nowMs - this.#filledMs) / 1_000) * PER_SECOND;
    this.#tokens = Math.min(CAPACITY, this.#tokens + earned);
    this.#filledMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
