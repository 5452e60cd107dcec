/** A request that a host was sent, by the clock of its queue. */
export type Sent = { readonly sinceMs: number };

/**
 * How long a host that served none more at once is not tried again, in milliseconds: each time twice
 * as long, since the others may have been about to end.
 */
const LEAST_REST_MS = 1_000;
const MOST_REST_MS = 600_000;

type Trial = {
  readonly one: Sent;
  /** All that must be in work at the moment of the first word, as far as they have not ended. */
  readonly together: Set<Sent>;
  firstWordMs?: number;
};

/**
 * Finds out how many requests a host serves at once, which Ollama tells nobody, by now and then
 * sending one more than it was seen to serve. The host serves one more where at the moment of that
 * one's first word all the others had begun to be answered, and by the host's own account of how long
 * each took none of them was done; else the one more has waited there as it would have waited here.
 */
export class ParallelProof {
  /** Requests that the host was seen to serve at once. */
  proven = 1;
  readonly #spoken = new WeakSet<Sent>();
  #trial: Trial | undefined;
  #restUntilMs = 0;
  #restMs = LEAST_REST_MS;

  /** Whether one more than `underWay` requests may be sent now. */
  mayTry(underWay: number, nowMs: number): boolean {
    return this.#trial === undefined && underWay > 0 && nowMs >= this.#restUntilMs;
  }

  /** Notes that one more was sent. */
  begin(one: Sent, others: Iterable<Sent>): void {
    this.#trial = { one, together: new Set([...others, one]) };
  }

  /** Notes a word of an answer. */
  answered(one: Sent, nowMs: number): void {
    if (this.#spoken.has(one)) return;
    this.#spoken.add(one);
    const trial = this.#trial;
    if (trial?.one !== one) return;
    // One that is silent may be waiting behind this one, whichever was sent first.
    if ([...trial.together].every((other) => this.#spoken.has(other))) trial.firstWordMs = nowMs;
    else this.#trial = undefined;
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
    if (trial === undefined || !trial.together.delete(one)) return false;
    const { firstWordMs = Infinity, together } = trial;
    const overlapped = totalMs !== undefined && one.sinceMs + totalMs > firstWordMs;
    if (overlapped && together.size > 0) return false;
    this.#trial = undefined;
    if (overlapped) {
      this.#restMs = LEAST_REST_MS;
      this.proven += 1;
    } else if (totalMs !== undefined) {
      this.#restUntilMs = nowMs + this.#restMs;
      this.#restMs = Math.min(MOST_REST_MS, this.#restMs * 2);
    }
    return overlapped;
  }

  /** Forgets what was seen: the host may have been started anew, with other settings. */
  forget(): void {
    this.proven = 1;
    this.#trial = undefined;
    this.#restUntilMs = 0;
    this.#restMs = LEAST_REST_MS;
  }
}
