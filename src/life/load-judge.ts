/** What the process is short of. */
export type Shortage = 'event_loop' | 'heap';

/** How the process is at one moment. */
export type LoadSample = {
  /** How much later than it should a timer was called, in milliseconds. */
  readonly latenessMs: number;
  /** Share of the old generation's limit that is in use. */
  readonly heapShare: number;
};

/** One wait of this length is too much, in milliseconds. */
const BLOCKED_MS = 1_000;
/**
 * So is a mean wait of this length, over the window, in milliseconds. A thousand connections that ask
 * as fast as they are answered make a loop half as late, and nobody is served badly.
 */
const SLOW_MS = 500;
/** A wait of at most this is no trouble, in milliseconds: refusing a thousand at a time takes less. */
const CALM_MS = 250;
/** Samples in the window; so many calm ones in a row end the trouble. */
const WINDOW = 10;
/** V8 collects halfway between what lives and the limit: at this share, more than four fifths live. */
const HEAP_FULL = 0.9;
const HEAP_CALM = 0.85;

/**
 * Judges from samples whether the process has more to do than it can. It is quick to say so and slow
 * to take it back, so that it does not change its mind with every burst.
 */
export class LoadJudge {
  readonly #waits = new Float64Array(WINDOW);
  #next = 0;
  #calm = 0;
  #loop = false;
  #heap = false;

  /** The verdict; the heap before the loop, because a full one makes the loop slow. */
  get shortage(): Shortage | undefined {
    if (this.#heap) return 'heap';
    return this.#loop ? 'event_loop' : undefined;
  }

  /** Takes a sample; they come at a steady pace. */
  take({ latenessMs, heapShare }: LoadSample): void {
    this.#waits[this.#next] = latenessMs;
    this.#next = (this.#next + 1) % WINDOW;
    this.#calm = latenessMs <= CALM_MS ? this.#calm + 1 : 0;
    if (latenessMs >= BLOCKED_MS || this.#meanMs() >= SLOW_MS) this.#loop = true;
    else if (this.#calm >= WINDOW) this.#loop = false;
    this.#heap = heapShare >= (this.#heap ? HEAP_CALM : HEAP_FULL);
  }

  #meanMs(): number {
    return this.#waits.reduce((sum, wait) => sum + wait, 0) / WINDOW;
  }
}
