import { BodyCollector } from '../body-collector.ts';
import type { BodyRules } from '../body-collector.ts';
import { copyToMemory } from '../body-memory.ts';
import type { Watched } from '../coarse-clock.ts';
import type { Headers, HttpRequest, HttpResponse } from '../http.ts';
import { callSoon } from '../node-exchange.ts';
import type { RequestHead } from './request-head.ts';
import { latin1Of, responseText } from './response-text.ts';

/** Longest piece that is copied to leave together with what frames it. */
const MAX_JOINED_BYTES = 8 * 1024;
/** Bytes of a body held for a handler that has not asked for it yet. */
const MAX_HELD_BYTES = 64 * 1024;

const NOTHING: Buffer = Buffer.alloc(0);
const LAST_CHUNK = '0\r\n\r\n';

/** The connection under an exchange, as far as the exchange needs it. */
export type Carrier = {
  readonly remoteAddress: string;
  readonly bodyRules: BodyRules;
  /** How long a client may take nothing of what waits for it, in milliseconds. */
  readonly stalledMs: number;
  /** Whether the system has all that was written. */
  readonly sent: boolean;
  /** Headers that say what becomes of the connection, and the date. */
  headEnd(status: number): string;
  /** Sends latin1 text; false means: wait for `onDrained`. */
  write(text: string): boolean;
  /** The same, with bytes in the middle that are too many to copy. */
  writeAround(before: string, bytes: Uint8Array | string, after: string): boolean;
  pauseReading(): void;
  resumeReading(): void;
  /** The response is complete. */
  finished(): void;
  destroy(): void;
};

/** One request and its response on a connection of the codec: one object for both. */
export class ServerExchange implements HttpRequest, HttpResponse, Watched {
  listedBefore: Watched | undefined;
  listedAfter: Watched | undefined;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly #head: RequestHead;
  readonly #carrier: Carrier;
  /** Bytes of the body that have not arrived. */
  #bodyLeft: number;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #collector: BodyCollector | undefined;
  #goneListeners: (() => void)[] | undefined;
  #drainListeners: (() => void)[] | undefined;
  /** The response's head until it leaves with the first bytes of the body. */
  #headText = '';
  #started = false;
  #ended = false;
  #gone = false;
  #chunked = false;
  /** Bytes of a body of known length that have not been written. */
  #unwritten = 0;
  #blockedMs = -1;

  constructor(head: RequestHead, carrier: Carrier) {
    this.method = head.method;
    this.path = head.path;
    this.query = head.query;
    this.#head = head;
    this.#carrier = carrier;
    this.#bodyLeft = head.bodyBytes;
  }

  get remoteAddress(): string {
    return this.#carrier.remoteAddress;
  }

  get started(): boolean {
    return this.#started;
  }

  get closed(): boolean {
    return this.#ended || this.#gone;
  }

  get sent(): boolean {
    return this.#carrier.sent;
  }

  /** Bytes of the request that are still to come and belong to nobody else. */
  get bodyLeft(): number {
    return this.#bodyLeft;
  }

  header(name: string): string | undefined {
    return name === 'content-length' ? this.#head.lengthText : this.#head.fields.get(name);
  }

  /** Takes a copy of what belongs to this request's body and gives back what does not. */
  takeBody(bytes: Buffer): Buffer | undefined {
    const own = Math.min(bytes.length, this.#bodyLeft);
    if (own > 0) this.#take(own === bytes.length ? bytes : bytes.subarray(0, own));
    return own === bytes.length ? undefined : bytes.subarray(own);
  }

  body(limitBytes: number): Buffer | Promise<Buffer> {
    if (this.#bodyLeft === 0 && this.#held.length < 2 && this.#heldBytes <= limitBytes && !this.#gone) {
      const [whole = NOTHING] = this.#held;
      // A stream may outlast its request by minutes.
      this.#held = [];
      return whole;
    }
    return new Promise((resolve, reject) => {
      this.#collect(new BodyCollector(this.#carrier.bodyRules, limitBytes, { resolve, reject }));
    });
  }

  onGone(listener: () => void): () => void {
    if (this.#gone) return callSoon(listener);
    const listeners = (this.#goneListeners ??= []);
    listeners.push(listener);
    return () => {
      const at = listeners.indexOf(listener);
      if (at !== -1) listeners.splice(at, 1);
    };
  }

  head(status: number, headers: Headers): void {
    if (this.#started) throw new Error('the head was sent already');
    const text = responseText(status, headers);
    this.#started = true;
    const length = headers['content-length'];
    const hasBody = status !== 204 && status !== 304;
    this.#chunked = length === undefined && hasBody;
    this.#unwritten = hasBody ? Number(length ?? 0) : 0;
    const framing = this.#chunked ? 'transfer-encoding: chunked\r\n' : '';
    this.#headText = `${text}${framing}${this.#carrier.headEnd(status)}\r\n`;
    // A stream may have no bytes yet for its head to leave with.
    if (this.#chunked) process.nextTick(flushHead, this);
  }

  write(chunk: Uint8Array | string): boolean {
    if (!this.#started) throw new Error('no head was sent');
    if (this.closed || chunk.length === 0) return true;
    const more = this.#send(chunk, '');
    if (!more && this.#blockedMs === -1) this.#block();
    return more;
  }

  onDrain(listener: () => void): void {
    if (this.#gone) queueMicrotask(listener);
    else (this.#drainListeners ??= []).push(listener);
  }

  end(chunk?: Uint8Array | string): void {
    if (!this.#started) throw new Error('no head was sent');
    if (this.closed) return;
    if (chunk === undefined || chunk.length === 0) this.#sendLast();
    else this.#send(chunk, this.#chunked ? LAST_CHUNK : '');
    this.#ended = true;
    this.#goneListeners = undefined;
    this.#unblock();
    // Another length than was declared would be read as the start of the next response.
    if (!this.#chunked && this.#unwritten !== 0) this.#carrier.destroy();
    else this.#carrier.finished();
  }

  destroy(): void {
    this.#carrier.destroy();
  }

  /** Sends a head that waits for a body which is not there yet. */
  flushHead(): void {
    const text = this.#headText;
    this.#headText = '';
    if (text !== '' && !this.closed) this.#carrier.write(text);
  }

  /** The connection can take more. */
  onDrained(): void {
    this.#unblock();
    const listeners = this.#drainListeners ?? [];
    this.#drainListeners = undefined;
    for (const listener of listeners) listener();
  }

  /** The connection has closed. */
  onClosed(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#collector?.gone();
    const listeners = this.#goneListeners ?? [];
    this.#goneListeners = undefined;
    if (!this.#ended) for (const listener of listeners) listener();
    this.onDrained();
  }

  onTick(): void {
    const { bodyRules, stalledMs } = this.#carrier;
    if (bodyRules.clock.elapsedMs(this.#blockedMs) >= stalledMs) this.#carrier.destroy();
  }

  #take(part: Buffer): void {
    this.#bodyLeft -= part.length;
    if (this.#collector !== undefined) {
      this.#collector.addCopy(part);
      if (this.#bodyLeft === 0) this.#collector.end();
    } else if (!this.#ended) {
      this.#held.push(copyToMemory(part, 0, part.length));
      this.#heldBytes += part.length;
      if (this.#heldBytes > MAX_HELD_BYTES && this.#bodyLeft > 0) this.#carrier.pauseReading();
    }
  }

  #collect(collector: BodyCollector): void {
    this.#collector = collector;
    collector.expect(this.#head.bodyBytes);
    collector.reserve(this.#head.bodyBytes);
    for (const part of this.#held) collector.addCopy(part);
    this.#held = [];
    if (this.#bodyLeft === 0) collector.end();
    else if (this.#gone) collector.gone();
    else this.#carrier.resumeReading();
  }

  /** Sends a piece of the body, framed, together with the head where that has not left. */
  #send(chunk: Uint8Array | string, end: string): boolean {
    const head = this.#headText;
    this.#headText = '';
    if (chunk.length > MAX_JOINED_BYTES) return this.#sendLong(head, chunk, end);
    const text = latin1Of(chunk);
    if (this.#chunked) return this.#carrier.write(`${head}${text.length.toString(16)}\r\n${text}\r\n${end}`);
    this.#unwritten -= text.length;
    return this.#carrier.write(head + text);
  }

  #sendLong(head: string, chunk: Uint8Array | string, end: string): boolean {
    const bytes = typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.length;
    if (this.#chunked)
      return this.#carrier.writeAround(`${head}${bytes.toString(16)}\r\n`, chunk, `\r\n${end}`);
    this.#unwritten -= bytes;
    return this.#carrier.writeAround(head, chunk, '');
  }

  #sendLast(): void {
    const text = this.#headText + (this.#chunked ? LAST_CHUNK : '');
    this.#headText = '';
    if (text !== '') this.#carrier.write(text);
  }

  #block(): void {
    const { clock } = this.#carrier.bodyRules;
    clock.watch(this);
    this.#blockedMs = clock.nowMs;
  }

  #unblock(): void {
    if (this.#blockedMs === -1) return;
    this.#blockedMs = -1;
    this.#carrier.bodyRules.clock.unwatch(this);
  }
}

function flushHead(exchange: ServerExchange): void {
  exchange.flushHead();
}
