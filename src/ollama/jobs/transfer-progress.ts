import type { JobProgress } from '../control-plane.ts';
import type { OllamaProgress } from '../api/pull-progress.ts';

/** Span over which speed is measured, in milliseconds: long enough for parts that end in bursts. */
const WINDOW_MS = 10_000;
/** Shortest span that says something of speed. */
const SHORTEST_MS = 500;
/** Time between two samples of the window. */
const SAMPLE_MS = 250;
/** A model has a handful of layers; what claims to have more is not remembered. */
const MAX_LAYERS = 1_000;
const MAX_STATUS_LENGTH = 200;

type Layer = {
  totalBytes: number;
  completedBytes: number;
  /** Attempt in which it was last told of. */
  attempt: number;
};

/**
 * How far a transfer is, over its layers and over several attempts. Ollama tells of one layer at a
 * time, starts again where parts failed (`completed` falls), and tells nothing of speed.
 */
export class TransferProgress {
  readonly #nowMs: () => number;
  readonly #layers = new Map<string, Layer>();
  readonly #notices: Set<string>;
  #samples: { readonly atMs: number; readonly bytes: number }[] = [];
  #status = '';
  #attempt = 0;
  /** Bytes that came since the beginning, those that had to come twice counted twice. */
  #transferred = 0;
  #furthest = 0;
  #gainedMs: number;

  /** @param nowMs Monotonic milliseconds. @param earlier What is known from before a restart. */
  constructor(nowMs: () => number, earlier?: JobProgress) {
    this.#nowMs = nowMs;
    this.#gainedMs = nowMs();
    this.#status = earlier?.status ?? '';
    this.#notices = new Set(earlier?.notices);
    for (const { digest, totalBytes, completedBytes } of earlier?.layers ?? []) {
      this.#layers.set(digest, { totalBytes, completedBytes, attempt: 0 });
    }
    this.#furthest = this.#sum('completedBytes');
  }

  /** Most bytes that were ever there at once: what must come again, and again, is no way forward. */
  get furthestBytes(): number {
    return this.#furthest;
  }

  /** Since when a layer stands still that is not complete, in milliseconds; 0 where none does. */
  get stalledMs(): number {
    const isOpen = [...this.#layers.values()].some(
      (layer) => layer.attempt === this.#attempt && layer.completedBytes < layer.totalBytes,
    );
    return isOpen ? this.#nowMs() - this.#gainedMs : 0;
  }

  /** Begins to listen anew: what the first word of a layer says was there before is no speed. */
  beginAttempt(): void {
    this.#attempt += 1;
    this.#samples = [];
    this.#gainedMs = this.#nowMs();
  }

  /** Says in words what is done. */
  say(status: string): void {
    if (status !== '') this.#status = status.slice(0, MAX_STATUS_LENGTH);
  }

  /** Takes in one step as Ollama told it. */
  note({ status, digest, total, completed, notice }: OllamaProgress): void {
    this.say(status);
    if (notice !== undefined) this.#notices.add(notice);
    if (digest === undefined || total === undefined || !(total > 0)) return;
    const known = this.#layers.get(digest);
    if (known === undefined && this.#layers.size >= MAX_LAYERS) return;
    const completedBytes = Math.min(Math.max(completed ?? 0, 0), total);
    if (known === undefined || known.attempt !== this.#attempt) this.#gainedMs = this.#nowMs();
    else this.#gain(completedBytes - known.completedBytes);
    this.#layers.set(digest, { totalBytes: total, completedBytes, attempt: this.#attempt });
    this.#furthest = Math.max(this.#furthest, this.#sum('completedBytes'));
    this.#sample();
  }

  /** What is known now. */
  snapshot(): JobProgress {
    const layers = [...this.#layers].map(([digest, { totalBytes, completedBytes }]) => ({
      digest,
      totalBytes,
      completedBytes,
    }));
    const notices = this.#notices.size === 0 ? {} : { notices: [...this.#notices] };
    if (layers.length === 0) return { status: this.#status, ...notices, layers };
    const totalBytes = this.#sum('totalBytes');
    const completedBytes = this.#sum('completedBytes');
    const speed = this.#bytesPerSecond();
    return {
      status: this.#status,
      totalBytes,
      completedBytes,
      ...(speed === undefined ? {} : { bytesPerSecond: Math.round(speed) }),
      ...(speed === undefined || speed < 1
        ? {}
        : { secondsLeft: Math.ceil((totalBytes - completedBytes) / speed) }),
      ...notices,
      layers,
    };
  }

  #sum(of: 'totalBytes' | 'completedBytes'): number {
    let sum = 0;
    for (const layer of this.#layers.values()) sum += layer[of];
    return sum;
  }

  #gain(bytes: number): void {
    if (bytes <= 0) return;
    this.#transferred += bytes;
    this.#gainedMs = this.#nowMs();
  }

  #sample(): void {
    const atMs = this.#nowMs();
    const last = this.#samples.at(-1);
    if (last !== undefined && atMs - last.atMs < SAMPLE_MS) return;
    this.#samples.push({ atMs, bytes: this.#transferred });
    // The newest sample older than the window stays: it is where the window begins.
    while ((this.#samples[1]?.atMs ?? atMs) <= atMs - WINDOW_MS) this.#samples.shift();
  }

  #bytesPerSecond(): number | undefined {
    const first = this.#samples[0];
    if (first === undefined) return undefined;
    const spanMs = this.#nowMs() - first.atMs;
    return spanMs < SHORTEST_MS ? undefined : ((this.#transferred - first.bytes) * 1000) / spanMs;
  }
}

/** The progress of what has ended: nothing is left, and nothing moves. */
export function settledProgress(progress: JobProgress): JobProgress {
  const { status, totalBytes, completedBytes, notices, layers } = progress;
  return {
    status,
    ...(notices === undefined ? {} : { notices }),
    ...(totalBytes === undefined ? {} : { totalBytes }),
    ...(completedBytes === undefined ? {} : { completedBytes }),
    layers,
  };
}
