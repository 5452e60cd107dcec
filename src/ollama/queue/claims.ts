/** How fast demand is forgotten: what was asked this long ago counts half. */
const HALF_LIFE_MS = 120_000;

/**
 * The requests that were sent a model's way on a host, from the choice of the host to the end of the
 * attempt: those that the queue counts are among them, but here they count at once, so that two
 * requests in one turn of the program do not choose the same idle host. Times are monotonic
 * milliseconds.
 */
export class Claims {
  /** Requests that have not ended. */
  open: number = 0;
  /** When the last one began; 0 before the first. */
  lastMs: number = 0;
  /** When the first of those began that have followed each other without a gap. */
  sinceMs: number = 0;
  #demand = 0;
  #atMs = 0;

  begin(nowMs: number): void {
    if (this.open === 0) this.sinceMs = nowMs;
    this.open += 1;
    this.#demand = this.demand(nowMs) + 1;
    this.#atMs = nowMs;
    this.lastMs = nowMs;
  }

  end(): void {
    this.open -= 1;
  }

  /** Requests of late, older ones counting less. */
  demand(nowMs: number): number {
    return this.#demand * 2 ** ((this.#atMs - nowMs) / HALF_LIFE_MS);
  }
}
