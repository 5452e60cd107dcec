import { getHeapStatistics } from 'node:v8';
import type { Logger } from '../telemetry/log.ts';
import type { ExtraCounter, ExtraGauge } from '../telemetry/metrics.ts';
import { createYoungBound } from './collector.ts';
import type { Door } from './door.ts';
import { createHeapShare, oldGenerationLimit, processFlags } from './heap-share.ts';
import { LoadJudge } from './load-judge.ts';
import type { Shortage } from './load-judge.ts';

const TICK_MS = 100;

const SHORTAGES: readonly Shortage[] = ['event_loop', 'heap'];

const REASONS: Readonly<Record<Shortage, string>> = {
  event_loop: 'the server is overloaded: its event loop is late',
  heap: 'the server is overloaded: its memory is nearly full',
};

/** What a load watch works with. */
export type LoadWatchOptions = { readonly door: Door; readonly logger: Logger };

/**
 * Watches how late the event loop is and how full the heap, ten times a second, and closes the door
 * to new work while either is too much.
 */
export class LoadWatch {
  readonly #door: Door;
  readonly #logger: Logger;
  readonly #heapShare = createHeapShare(
    oldGenerationLimit(processFlags(), getHeapStatistics().heap_size_limit),
  );
  readonly #boundYoung = createYoungBound();
  readonly #times: Record<Shortage, number> = { event_loop: 0, heap: 0 };
  #judge = new LoadJudge();
  #timer: NodeJS.Timeout | undefined;
  #shortage: Shortage | undefined;
  #expectedMs = 0;
  #latenessMs = 0;

  constructor({ door, logger }: LoadWatchOptions) {
    this.#door = door;
    this.#logger = logger;
  }

  /** Begins to watch; its timer does not keep the process alive. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#judge = new LoadJudge();
    this.#boundYoung();
    this.#expectedMs = performance.now() + TICK_MS;
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  gauges(): readonly ExtraGauge[] {
    return [
      {
        name: 'obelisk_overloaded',
        help: '1 while new work is refused because the process is short of it.',
        read: () =>
          SHORTAGES.map((cause) => ({ labels: { cause }, value: this.#shortage === cause ? 1 : 0 })),
      },
      {
        name: 'obelisk_event_loop_lateness_seconds',
        help: 'How late the event loop called a timer when it was last looked at.',
        read: () => this.#latenessMs / 1_000,
      },
      {
        name: 'obelisk_heap_used_share',
        help: 'Share of the limit of the heap’s old generation that is in use.',
        read: this.#heapShare,
      },
    ];
  }

  counters(): readonly ExtraCounter[] {
    return [
      {
        name: 'obelisk_overloads_total',
        help: 'Times that new work was refused for a while, by what the process was short of.',
        read: () => SHORTAGES.map((cause) => ({ labels: { cause }, value: this.#times[cause] })),
      },
    ];
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#latenessMs = Math.max(0, nowMs - this.#expectedMs);
    this.#expectedMs = nowMs + TICK_MS;
    this.#boundYoung();
    this.#judge.take({ latenessMs: this.#latenessMs, heapShare: this.#heapShare() });
    const { shortage } = this.#judge;
    if (shortage === this.#shortage) return;
    this.#shortage = shortage;
    this.#door.setOverload(shortage && REASONS[shortage]);
    this.#tell(shortage);
  }

  #tell(shortage: Shortage | undefined): void {
    if (shortage === undefined) {
      this.#logger.info('the server takes new work again');
      return;
    }
    this.#times[shortage] += 1;
    this.#logger.warn('the server is overloaded and takes no new work', {
      cause: shortage,
      latenessMs: Math.round(this.#latenessMs),
      heapShare: Number(this.#heapShare().toFixed(2)),
    });
  }
}
