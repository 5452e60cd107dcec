import { setTimeout as sleep } from 'node:timers/promises';

import type { AnswerTiming, EmbedContext, QueuedRequest, Usage } from '../../providers/chat.ts';
import { isServerBusy } from '../../providers/ollama/errors.ts';
import { isObeliskError, ObeliskError } from '../../shared/errors.ts';
import { LOCAL_CLOCKS } from '../../wire/upstream.ts';
import type { Clocks } from '../../wire/upstream.ts';

import type { RequestTiming } from '../control-plane.ts';
import type { HostBooks } from './host-books.ts';
import type { ModelBook, ModelUse } from './model-book.ts';
import type { QueueLimits, Slot } from './queue.ts';
import type { RunnerOptions } from './runner-options.ts';

/** Header that says where in the queue the request was when it came; absent where it did not wait. */
const QUEUE_POSITION_HEADER = 'x-obelisk-queue-position';
/** Header that says in seconds what the request waits, or has waited, for its turn. */
const QUEUE_WAIT_HEADER = 'x-obelisk-queue-wait';

/** What seats are given out from. */
export type OllamaSeats = {
  readonly books: HostBooks;
  /** What a host serves at once, and how many may wait, by its base URL. */
  limitsOf(url: string): QueueLimits;
};

/** A request that wants to be served. */
export type SeatRequest = {
  readonly url: string;
  readonly model: string;
  readonly signal: AbortSignal;
  readonly context: EmbedContext;
  /** Requests of this model that the host serves at once, where that is not what it is configured for. */
  readonly parallel?: number;
};

/** Shortest pause before a busy server is asked again, in milliseconds; each is twice the one before. */
const BUSY_PAUSE_MS = 250;
const LONGEST_BUSY_PAUSE_MS = 5_000;
/** Whoever asks without saying who it is: our own work. */
const NOBODY = 'obelisk';

/**
 * Waits for the turn of a request at a model, telling its place, and gives the seat from which the
 * host may be asked. Leave the seat in whatever way the request ends.
 * @throws ObeliskError `overloaded` where the queue is full or the time of the request is over;
 *   `client_gone` where its signal aborts.
 */
export async function takeSeat(seats: OllamaSeats, asked: SeatRequest): Promise<Seat> {
  const { books } = seats;
  const { url, model, signal, context } = asked;
  const book = books.book(url, model);
  const { clocks = LOCAL_CLOCKS, hasOther = false } = context;
  const nowMs = (): number => books.nowMs();
  const startedMs = nowMs();
  const slot = await enter(seats, { asked, book, patienceMs: clocks.totalMs });
  const onAskAgain = (): void => context.onAskAgain?.();
  return new Seat({ book, model, slot, signal, hasOther, onAskAgain, startedMs, nowMs, clocks });
}

type Entering = { readonly asked: SeatRequest; readonly book: ModelBook; readonly patienceMs: number };

async function enter(seats: OllamaSeats, { asked, book, patienceMs }: Entering): Promise<Slot> {
  const { url, signal, context, parallel } = asked;
  const { client = NOBODY } = context;
  const known = parallel === undefined ? {} : { parallel, findsOut: false };
  const limits = { ...seats.limitsOf(url), ...known };
  const onQueued = (queued: QueuedRequest): void => tellPlace(context, queued);
  try {
    const entered = book.queue.enter({ client, limits, signal, patienceMs, onQueued });
    if (!(entered instanceof Promise)) return entered;
    const slot = await entered;
    context.onHeader?.(QUEUE_WAIT_HEADER, seconds(slot.waitedMs));
    return slot;
  } catch (error) {
    if (signal.aborted) throw isObeliskError(error) ? error : leftWaiting(error);
    tellRefusal(context, book);
    throw error;
  }
}

function leftWaiting(cause: unknown): ObeliskError {
  return new ObeliskError('client_gone', 'the request was left while it waited for its turn', { cause });
}

function tellPlace({ onQueued, onHeader }: EmbedContext, queued: QueuedRequest): void {
  const place = queued.place();
  if (place !== undefined) {
    onHeader?.(QUEUE_POSITION_HEADER, String(place.position));
    if (place.waitMs !== undefined) onHeader?.(QUEUE_WAIT_HEADER, seconds(place.waitMs));
  }
  onQueued?.(queued);
}

/** Whoever is turned away is told where it would have been. */
function tellRefusal({ onHeader }: EmbedContext, { queue }: ModelBook): void {
  onHeader?.(QUEUE_POSITION_HEADER, String(queue.queued + 1));
  const waitMs = queue.expectedWaitMs();
  if (waitMs !== undefined) onHeader?.(QUEUE_WAIT_HEADER, seconds(waitMs));
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}

type SeatParts = {
  readonly book: ModelBook;
  /** As it was asked for. */
  readonly model: string;
  readonly slot: Slot;
  readonly signal: AbortSignal;
  /** Whether somebody else can be asked. */
  readonly hasOther: boolean;
  readonly onAskAgain: () => void;
  /** When the request came, by `nowMs`. */
  readonly startedMs: number;
  readonly nowMs: () => number;
  readonly clocks: Clocks;
};

/** A turn at a model: from when the host may be asked until it is done. */
export class Seat {
  readonly #parts: SeatParts;
  readonly #takenMs: number;
  #use: ModelUse | undefined;
  readonly #leave = (): void => {
    this.#parts.signal.removeEventListener('abort', this.#leave);
    this.#use?.abandoned();
    this.#parts.slot.release();
  };

  constructor(parts: SeatParts) {
    this.#parts = parts;
    this.#takenMs = parts.nowMs();
    // A reader that stops reading without leaving must not keep everybody else waiting for ever.
    parts.signal.addEventListener('abort', this.#leave, { once: true });
  }

  /** Clocks of the exchange, within what is left of the time of the request. */
  get clocks(): Clocks {
    const { clocks } = this.#parts;
    return { ...clocks, totalMs: Math.max(1, clocks.totalMs - this.#spentMs()) };
  }

  /** Notes that the host is asked with these runner options. */
  begin(options: RunnerOptions): ModelUse {
    const { book, model } = this.#parts;
    this.#use = book.begin(options, model);
    return this.#use;
  }

  /**
   * Asks for lines, again and again with growing pauses while Ollama says that it is busy, within the
   * time of the request, where nobody else can be asked. The first line notes that the model is loaded.
   */
  async *lines<T>(open: (clocks: Clocks) => AsyncIterable<T>): AsyncIterable<T> {
    let begun = false;
    for (let tries = 0; ; tries += 1) {
      try {
        for await (const line of open(this.clocks)) {
          begun = true;
          this.#use?.answered();
          this.#parts.slot.answered();
          yield line;
        }
        return;
      } catch (error) {
        // What has been heard would be heard twice.
        if (begun) throw error;
        await this.#waitOut(error, tries);
      }
    }
  }

  /** Asks for one answer, in the same way. */
  async answer<T>(ask: (clocks: Clocks) => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      try {
        return await ask(this.clocks);
      } catch (error) {
        await this.#waitOut(error, tries);
      }
    }
  }

  /** Notes the end of a complete answer, leaves the seat, and gives where the time went. */
  end({ usage, timing, unloads }: SeatEnd): AnswerTiming | undefined {
    const { slot, nowMs } = this.#parts;
    const workMs = nowMs() - this.#takenMs - (timing?.loadMs ?? 0);
    const queueMs = slot.waitedMs;
    this.#parts.signal.removeEventListener('abort', this.#leave);
    this.#use?.ended(toRequestTiming(timing, { queueMs, usage }), unloads);
    // A load alone tells nothing of how long answers take.
    const worked = usage.promptTokens + usage.completionTokens > 0;
    slot.release(worked ? { workMs: Math.max(0, workMs), totalMs: timing?.totalMs } : undefined);
    return timing === undefined ? undefined : { ...timing, queueMs };
  }

  /** Leaves the seat; does nothing after `end`. */
  leave(): void {
    this.#leave();
  }

  #spentMs(): number {
    return this.#parts.nowMs() - this.#parts.startedMs;
  }

  /** @throws what was thrown, where it is something else or there is no time left. */
  async #waitOut(error: unknown, tries: number): Promise<void> {
    const { clocks, book, signal, hasOther, onAskAgain } = this.#parts;
    if (!isServerBusy(error)) throw error;
    book.noteBusy();
    const pauseMs = Math.min(LONGEST_BUSY_PAUSE_MS, BUSY_PAUSE_MS * 2 ** tries);
    if (hasOther || this.#spentMs() + pauseMs >= clocks.totalMs) throw error;
    try {
      await sleep(pauseMs, undefined, { signal });
    } catch (cause) {
      throw leftWaiting(cause);
    }
    onAskAgain();
  }
}

/** How an answer ended. */
export type SeatEnd = {
  readonly usage: Usage;
  readonly timing?: AnswerTiming | undefined;
  /** Whether the request asked for the model to be unloaded after it. */
  readonly unloads: boolean;
};

function toRequestTiming(
  timing: AnswerTiming | undefined,
  { queueMs, usage }: { readonly queueMs: number; readonly usage: Usage },
): RequestTiming {
  const { loadMs = 0, promptMs = 0, generationMs = 0 } = timing ?? {};
  return { queueMs, loadMs, promptMs, generationMs, ...usage };
}
