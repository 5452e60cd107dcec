import { Roster } from '../shared/roster.ts';

/** Something whose deadlines are looked at on every tick; by one clock at a time. */
export type Watched = {
  listedBefore: Watched | undefined;
  listedAfter: Watched | undefined;
  /** `nowMs` is monotonic, in milliseconds. */
  onTick(nowMs: number): void;
};

/**
 * One interval for every deadline, instead of a timer per deadline: starting, refreshing and ending
 * one costs a field write. A deadline fires up to two ticks late and never early.
 */
export class CoarseClock {
  readonly #tickMs: number;
  readonly #watched = new Roster<Watched>();
  #interval: NodeJS.Timeout | undefined;
  #nowMs = 0;

  /** @param tickMs Resolution in milliseconds. */
  constructor(tickMs: number) {
    this.#tickMs = tickMs;
  }

  /** Monotonic milliseconds at the last tick; current only while something is watched. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Milliseconds that have certainly passed since `sinceMs`, a value read from `nowMs`. */
  elapsedMs(sinceMs: number): number {
    return this.#nowMs - sinceMs - this.#tickMs;
  }

  /** Calls `watched.onTick` on every tick until `unwatch`. */
  watch(watched: Watched): void {
    if (this.#interval === undefined) {
      this.#nowMs = performance.now();
      this.#interval = setInterval(() => this.#tick(), this.#tickMs).unref();
    }
    this.#watched.add(watched);
  }

  /** Ends `watch`; harmless when not watched. */
  unwatch(watched: Watched): void {
    this.#watched.delete(watched);
  }

  /** Timers run before the loop reads and immediates after it: a loop that was held up hears first what has come. */
  #tick(): void {
    this.#nowMs = performance.now();
    setImmediate(() => this.#look());
  }

  #look(): void {
    this.#watched.forEach((watched) => watched.onTick(this.#nowMs));
    if (this.#watched.size > 0) return;
    clearInterval(this.#interval);
    this.#interval = undefined;
  }
}
