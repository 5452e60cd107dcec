import type { QueuedRequest, QueuePlace } from '../../providers/chat.ts';
import { ObeliskError } from '../../shared/errors.ts';

import { FairLine } from './fair-line.ts';
import { ParallelProof } from './parallel-proof.ts';
import type { Sent } from './parallel-proof.ts';

/** How much of a model a host serves at once, and how many requests may wait for it. */
export type QueueLimits = {
  readonly parallel: number;
  readonly queueLimit: number;
  /** Whether it is found out if the host serves more at once than `parallel`, which nobody has configured. */
  readonly findsOut?: boolean;
};

/** How a request ended that was answered. */
export type SlotEnd = {
  /** How long the model worked for it, in milliseconds. */
  readonly workMs: number;
  /** How long the host says that it took, in milliseconds. */
  readonly totalMs?: number | undefined;
};

/** A request that wants a slot. */
export type QueueEntry = {
  /** Who asks: clients take turns. */
  readonly client: string;
  /** The latest configuration counts. */
  readonly limits: QueueLimits;
  readonly signal: AbortSignal;
  /** How long it may wait, in milliseconds. */
  readonly patienceMs: number;
  onQueued?(queued: QueuedRequest): void;
};

/** The right to ask a host; given back exactly once, in whatever way the request ends. */
export type Slot = {
  /** Milliseconds that it was waited for. */
  readonly waitedMs: number;
  /** Notes the first word of the answer. */
  answered(): void;
  /** Gives it back; without `end` where what became of it tells nothing of others. */
  release(end?: SlotEnd): void;
};

/** What a queue is made of. */
export type SlotQueueOptions = {
  /** `model at host`, for messages. */
  readonly name: string;
  /** Milliseconds that never go back. */
  readonly nowMs: () => number;
  /** Milliseconds that a load which is under way will still take. */
  readonly loadLeftMs: () => number;
};

/** How much the newest measurement counts in the average. */
const NEWEST = 0.25;
/** What is told to come back after where nothing was measured yet, in seconds. */
const UNMEASURED_RETRY_SECONDS = 5;

type Waiter = QueuedRequest & {
  readonly client: string;
  readonly sinceMs: number;
  grant(slot: Slot): void;
  refuse(error: unknown): void;
};

/**
 * The queue of one model on one host. As many requests as the host serves at once pass, the others
 * wait here, where they can be seen, counted and left, instead of inside Ollama, where they cannot.
 */
export class SlotQueue {
  readonly #options: SlotQueueOptions;
  readonly #line = new FairLine<Waiter>();
  /** When each of the requests that pass began. */
  readonly #begun = new Set<Sent>();
  readonly #proof = new ParallelProof();
  #limits: QueueLimits = { parallel: 1, queueLimit: 0 };
  #workMs: number | undefined;
  /** Requests that were turned away because the queue was full, or gave up waiting. */
  refused = 0;

  constructor(options: SlotQueueOptions) {
    this.#options = options;
  }

  get inFlight(): number {
    return this.#begun.size;
  }

  get queued(): number {
    return this.#line.length;
  }

  /** Requests that pass at once: as configured, or as many as the host was seen to serve. */
  get parallel(): number {
    return this.#slotsOf(this.#limits);
  }

  /** Requests that the host was seen to serve at once, where nobody has configured how many those are. */
  get foundParallel(): number | undefined {
    return this.#limits.findsOut === true ? this.#proof.proven : undefined;
  }

  /** Milliseconds that a slot is held, without loads, on average; undefined before the first. */
  get workMs(): number | undefined {
    return this.#workMs;
  }

  /**
   * Milliseconds that a request which came now would wait: 0 where a slot is free, undefined where
   * nothing was measured yet.
   */
  expectedWaitMs(limits: QueueLimits = this.#limits): number | undefined {
    if (this.#line.length === 0 && this.#begun.size < this.#slotsOf(limits)) return 0;
    return this.#waitAt(this.#line.length + 1, limits);
  }

  /**
   * Takes a slot, at once where one is free.
   * @throws ObeliskError `overloaded` where the queue is full or the patience at its end; what the
   *   signal was aborted with.
   */
  enter(entry: QueueEntry): Slot | Promise<Slot> {
    entry.signal.throwIfAborted();
    this.#limits = entry.limits;
    this.#admit();
    if (this.#line.length === 0 && this.#begun.size < this.parallel) return this.#begin(0);
    if (this.#line.length >= entry.limits.queueLimit) this.#makeRoom(entry);
    return this.#wait(entry);
  }

  /** Turns everybody away who waits, because the host is not there any more. */
  giveUp(error: ObeliskError): void {
    this.#proof.forget();
    for (let next = this.#line.take(); next !== undefined; next = this.#line.take()) {
      next.refuse(error);
    }
  }

  #wait(entry: QueueEntry): Promise<Slot> {
    const { client, signal, patienceMs } = entry;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abandon);
      };
      const waiter: Waiter = {
        client,
        sinceMs: this.#options.nowMs(),
        place: () => this.#placeOf(waiter),
        grant: (slot) => {
          leave();
          resolve(slot);
        },
        refuse: (error) => {
          leave();
          this.#line.remove(client, waiter);
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      };
      const abandon = (): void => waiter.refuse(signal.reason);
      const timer = setTimeout(() => waiter.refuse(this.#tooLong(waiter)), Math.min(patienceMs, 2 ** 31 - 1));
      signal.addEventListener('abort', abandon, { once: true });
      this.#line.add(client, waiter);
      this.#tryOneMore();
      if (waiter.place() !== undefined) entry.onQueued?.(waiter);
    });
  }

  /** A full queue has room for a client that has less of it than another: that one's newest goes. */
  #makeRoom({ client, limits }: QueueEntry): void {
    const displaced = limits.queueLimit > 0 ? this.#line.makeRoom(client) : undefined;
    const error = this.#full(limits);
    if (displaced === undefined) throw error;
    displaced.refuse(error);
  }

  #begin(waitedMs: number): Slot {
    const { nowMs } = this.#options;
    const begun = { sinceMs: nowMs() };
    this.#begun.add(begun);
    return {
      waitedMs,
      answered: () => this.#proof.answered(begun, nowMs()),
      release: (end) => {
        if (!this.#begun.delete(begun)) return;
        if (end !== undefined) this.#measure(end.workMs);
        this.#proof.ended(begun, { nowMs: nowMs(), totalMs: end?.totalMs });
        this.#admit();
      },
    };
  }

  /** Where nobody has said how many a host serves at once, a request that would wait finds it out. */
  #tryOneMore(): void {
    const { nowMs, loadLeftMs } = this.#options;
    if (this.#limits.findsOut !== true || this.#begun.size !== this.parallel || loadLeftMs() > 0) return;
    if (!this.#proof.mayTry(this.#begun.size, nowMs())) return;
    const others = [...this.#begun];
    if (!this.#grantNext()) return;
    const one = [...this.#begun].at(-1);
    if (one !== undefined) this.#proof.begin(one, others);
  }

  #slotsOf({ parallel, findsOut }: QueueLimits): number {
    return findsOut === true ? Math.max(parallel, this.#proof.proven) : parallel;
  }

  #admit(): void {
    while (this.#begun.size < this.parallel) if (!this.#grantNext()) return;
    this.#tryOneMore();
  }

  /** False where nobody waits. */
  #grantNext(): boolean {
    const next = this.#line.take();
    next?.grant(this.#begin(this.#options.nowMs() - next.sinceMs));
    return next !== undefined;
  }

  #measure(workMs: number): void {
    this.#workMs = this.#workMs === undefined ? workMs : this.#workMs + (workMs - this.#workMs) * NEWEST;
  }

  #placeOf(waiter: Waiter): QueuePlace | undefined {
    const position = this.#line.position(waiter.client, waiter);
    if (position === 0) return undefined;
    const waitMs = this.#waitAt(position, this.#limits);
    return waitMs === undefined ? { position } : { position, waitMs };
  }

  /** The n-th in the line goes when the slots have come free n times, each again after one more answer. */
  #waitAt(position: number, limits: QueueLimits): number | undefined {
    const parallel = this.#slotsOf(limits);
    const work = this.#workMs;
    const loadMs = this.#options.loadLeftMs();
    if (work === undefined) return undefined;
    const nowMs = this.#options.nowMs();
    const left = [...this.#begun]
      .map(({ sinceMs }) => Math.max(work / 10, work - (nowMs - sinceMs)))
      .toSorted((a, b) => a - b);
    const turn = position - 1;
    return loadMs + (left[turn % parallel] ?? 0) + Math.floor(turn / parallel) * work;
  }

  #full(limits: QueueLimits): ObeliskError {
    this.refused += 1;
    const { name } = this.#options;
    const waiting = this.#line.length;
    return new ObeliskError(
      'overloaded',
      `${name} has ${this.#begun.size} requests in work and ${waiting} waiting, which is as many as may (providers.ollama.queue_limit); ask again later`,
      { retryAfter: this.#retryAfter(limits), ownWords: true },
    );
  }

  #tooLong(waiter: Waiter): ObeliskError {
    this.refused += 1;
    const seconds = Math.round((this.#options.nowMs() - waiter.sinceMs) / 1_000);
    return new ObeliskError(
      'overloaded',
      `${this.#options.name} did not come to the request in ${seconds} s, which is all the time it has; ask again later`,
      { retryAfter: this.#retryAfter(this.#limits), ownWords: true },
    );
  }

  /** Seconds after which one more has room. */
  #retryAfter(limits: QueueLimits): number {
    const waitMs = this.#waitAt(1, limits);
    return waitMs === undefined ? UNMEASURED_RETRY_SECONDS : Math.max(1, Math.ceil(waitMs / 1_000));
  }
}
