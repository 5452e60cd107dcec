/** Why a deployment is left alone. */
export type CoolingCause = 'unreachable' | 'timeout' | 'rate_limited' | 'failing';

/** What a deployment may be asked at most. */
export type DeploymentLimits = {
  /** Requests in a window of a minute. */
  readonly rpm: number;
  /** Tokens in a window of a minute, prompts and answers. */
  readonly tpm: number;
  readonly maxParallelRequests: number;
};

const WINDOW_MS = 60_000;
/** How many of the last attempts the breaker looks at. */
const HISTORY = 20;
const HISTORY_MASK = 2 ** HISTORY - 1;

/**
 * What is known of one deployment: plain fields that a request reads and adds to. Times are
 * monotonic milliseconds. It outlives a reload of the configuration, so that a deployment that
 * stays keeps what was learned about it.
 */
export class DeploymentState {
  /** In metrics and in the log. */
  readonly id: string;
  inFlight = 0;
  /** Refused the key it was sent: not asked again before the configuration is loaded anew. */
  disabled = false;
  /** Others are asked instead until then. */
  cooledUntilMs = 0;
  cause: CoolingCause | undefined;
  /** Counts cool-downs, so that a success from before one does not end it. */
  epoch = 0;
  failuresInRow = 0;
  /** Cool-downs since the last success. */
  strikes = 0;
  retries = 0;
  readonly cooldowns: Record<CoolingCause, number> = {
    unreachable: 0,
    timeout: 0,
    rate_limited: 0,
    failing: 0,
  };
  #windowEndMs = 0;
  #requests = 0;
  #tokens = 0;
  /** The last outcomes, a bit each, 1 for a failure. */
  #history = 0;
  #attempts = 0;

  constructor(id: string) {
    this.id = id;
  }

  /** Whether a limit leaves no room for one more request. */
  isSpent(limits: DeploymentLimits, nowMs: number): boolean {
    return this.inFlight >= limits.maxParallelRequests || this.#isWindowSpent(limits, nowMs);
  }

  /** Milliseconds until there may be room again, where a limit or a 429 is in the way; else undefined. */
  roomInMs(limits: DeploymentLimits, nowMs: number): number | undefined {
    if (this.cause === 'rate_limited' && this.cooledUntilMs > nowMs) return this.cooledUntilMs - nowMs;
    if (this.#isWindowSpent(limits, nowMs)) return this.#windowEndMs - nowMs;
    // When a request in flight will end is not known.
    return this.inFlight >= limits.maxParallelRequests ? 0 : undefined;
  }

  #isWindowSpent({ rpm, tpm }: DeploymentLimits, nowMs: number): boolean {
    return nowMs < this.#windowEndMs && (this.#requests >= rpm || this.#tokens >= tpm);
  }

  /** Counts a request as sent. */
  begin(nowMs: number): void {
    this.inFlight += 1;
    if (nowMs >= this.#windowEndMs) {
      this.#windowEndMs = nowMs + WINDOW_MS;
      this.#requests = 0;
      this.#tokens = 0;
    }
    this.#requests += 1;
  }

  /** Counts tokens of a request that has ended. */
  addTokens(tokens: number, nowMs: number): void {
    if (nowMs < this.#windowEndMs) this.#tokens += tokens;
  }

  /** Notes how an attempt went. */
  note(failed: boolean): void {
    this.#history = ((this.#history << 1) | (failed ? 1 : 0)) & HISTORY_MASK;
    this.#attempts += 1;
    this.failuresInRow = failed ? this.failuresInRow + 1 : 0;
  }

  /** Whether more than half of the last twenty attempts failed. */
  get mostlyFails(): boolean {
    return this.#attempts >= HISTORY && countBits(this.#history) * 2 > HISTORY;
  }

  /** Leaves the deployment alone until `untilMs`, or longer where that was said before. */
  cool(cause: CoolingCause, untilMs: number): void {
    this.cause = cause;
    this.cooledUntilMs = Math.max(this.cooledUntilMs, untilMs);
    this.epoch += 1;
    this.strikes += 1;
    this.cooldowns[cause] += 1;
  }

  /** Forgets every failure. */
  heal(): void {
    this.cause = undefined;
    this.cooledUntilMs = 0;
    this.failuresInRow = 0;
    this.strikes = 0;
    this.#history = 0;
    this.#attempts = 0;
  }
}

function countBits(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
