/** A request that a host was sent, by the clock of its queue. */
export type Sent = { readonly sinceMs: number };

/** How long a host that served none more at once is not tried again, in milliseconds. */
const REST_MS = 600_000;

type Trial = {
  readonly one: Sent;
  /** Those that were under way when it was sent, as far as they have not ended. */
  readonly others: Set<Sent>;
  firstWordMs?: number;
};

/**
 * Finds out how many requests a host serves at once, which Ollama tells nobody, by now and then
 * sending one more than it was seen to serve. It serves one more where the first word of that one
 * came while all the others were still being answered, by the host's own account of how long they
 * took; else the one more has waited there as it would have waited here.
 */
export class ParallelProof {
  /** Requests that the host was seen to serve at once. */
  proven = 1;
  #trial: Trial | undefined;
  #restUntilMs = 0;

  /** Whether one more than `underWay` requests may be sent now. */
  mayTry(underWay: number, nowMs: number): boolean {
    return this.#trial === undefined && underWay > 0 && nowMs >= this.#restUntilMs;
  }

  /** Notes that one more was sent. */
  begin(one: Sent, others: Iterable<Sent>): void {
    this.#trial = { one, others: new Set(others) };
  }

  /** Notes the first word of an answer. */
  answered(one: Sent, nowMs: number): void {
    const trial = this.#trial;
    if (trial?.one === one) trial.firstWordMs ??= nowMs;
  }

  /**
   * Notes the end of a request. `totalMs` is how long the host says that it took, absent where it was
   * not answered to the end. True where the host has shown that it serves one more.
   */
  ended(
    one: Sent,
    { nowMs, totalMs }: { readonly nowMs: number; readonly totalMs?: number | undefined },
  ): boolean {
    const trial = this.#trial;
    if (trial === undefined) return false;
    if (one === trial.one) {
      // Left before its first word it shows nothing.
      if (trial.firstWordMs === undefined) this.#trial = undefined;
      return false;
    }
    if (!trial.others.delete(one)) return false;
    if (totalMs === undefined) {
      this.#trial = undefined;
      return false;
    }
    const { firstWordMs = Infinity } = trial;
    if (one.sinceMs + totalMs <= firstWordMs) {
      this.#trial = undefined;
      this.#restUntilMs = nowMs + REST_MS;
      return false;
    }
    if (trial.others.size > 0) return false;
    this.#trial = undefined;
    this.proven += 1;
    return true;
  }

  /** Forgets what was seen: the host may have been started anew, with other settings. */
  forget(): void {
    this.proven = 1;
    this.#trial = undefined;
    this.#restUntilMs = 0;
  }
}
