import type { IncomingMessage } from 'node:http';
import { ObeliskError } from '../shared/errors.ts';
import type { BodyRules } from './body-collector.ts';
import type { Watched } from './coarse-clock.ts';
import type { RequestStream } from './http.ts';

/** How much of a refused body is read and dropped, so that the client gets to read the refusal. */
export const DRAIN_BYTES: number = 32 * 1024 * 1024;
/** How long a client that sends more than that still has to read it before it is cut off, in milliseconds. */
export const LINGER_MS = 500;

/** Drops one more piece of a body that nobody wants; gives how many bytes were dropped so far. */
export function dropPiece(incoming: IncomingMessage, piece: Buffer, droppedBefore: number): number {
  const dropped = droppedBefore + piece.length;
  if (dropped > DRAIN_BYTES && !incoming.isPaused()) {
    incoming.pause();
    setTimeout(() => incoming.destroy(), LINGER_MS).unref();
  }
  return dropped;
}

/** A body on node:http that is taken as it arrives. */
export class IncomingStream implements RequestStream, Watched {
  listedBefore: Watched | undefined;
  listedAfter: Watched | undefined;
  readonly bytes: number | undefined;
  readonly #incoming: IncomingMessage;
  readonly #rules: BodyRules;
  readonly #signal: AbortSignal;
  #reading = false;
  /** Since when the client is waited for; -1 while it is not. */
  #waitingMs = -1;
  #late = false;
  #wake: (() => void) | undefined;
  readonly #onNews = (): void => this.#wake?.();

  constructor(incoming: IncomingMessage, rules: BodyRules, signal: AbortSignal) {
    const { 'content-length': length, 'transfer-encoding': coding } = incoming.headers;
    this.bytes = coding === undefined ? Number(length ?? 0) : undefined;
    this.#incoming = incoming;
    this.#rules = rules;
    this.#signal = signal;
  }

  /** Whether it was opened, and neither ended nor was left. */
  get reading(): boolean {
    return this.#reading;
  }

  async *open(): AsyncGenerator<Buffer, void, undefined> {
    const incoming = this.#incoming;
    this.#begin();
    try {
      for (;;) {
        this.#requireWanted();
        const piece: Buffer | null = incoming.read();
        if (piece !== null) yield piece;
        else if (incoming.readableEnded) return;
        else await this.#news();
      }
    } finally {
      this.#end();
    }
  }

  onTick(): void {
    const { clock, bodyMs } = this.#rules;
    if (this.#waitingMs === -1 || clock.elapsedMs(this.#waitingMs) < bodyMs) return;
    this.#late = true;
    this.#wake?.();
  }

  #begin(): void {
    this.#reading = true;
    this.#rules.clock.watch(this);
    for (const event of ['readable', 'end', 'error', 'close']) this.#incoming.on(event, this.#onNews);
    this.#signal.addEventListener('abort', this.#onNews);
  }

  #end(): void {
    this.#reading = false;
    this.#rules.clock.unwatch(this);
    for (const event of ['readable', 'end', 'close']) this.#incoming.off(event, this.#onNews);
    this.#signal.removeEventListener('abort', this.#onNews);
    if (!this.#incoming.readableEnded && !this.#incoming.destroyed) this.#dropRest();
  }

  #requireWanted(): void {
    if (this.#signal.aborted) throw new ObeliskError('client_gone', 'the body is not wanted any more');
    if (this.#incoming.destroyed && !this.#incoming.readableEnded) {
      const message = 'the client closed the connection before its request was complete';
      throw new ObeliskError('client_gone', message);
    }
    if (!this.#late) return;
    const message = `no more of the request body arrived for ${this.#rules.bodyMs / 1000} s; send it in one go`;
    throw new ObeliskError('request_timeout', message);
  }

  async #news(): Promise<void> {
    this.#waitingMs = this.#rules.clock.nowMs;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
    this.#waitingMs = -1;
  }

  /** The client may still be sending what it was answered to already: it gets some time to read that. */
  #dropRest(): void {
    const incoming = this.#incoming;
    const timer = setTimeout(() => incoming.destroy(), this.#rules.bodyMs).unref();
    const stop = (): void => clearTimeout(timer);
    incoming.on('end', stop);
    incoming.on('close', stop);
    let dropped = 0;
    incoming.on('data', (piece: Buffer) => {
      dropped = dropPiece(incoming, piece, dropped);
    });
    incoming.resume();
  }
}
