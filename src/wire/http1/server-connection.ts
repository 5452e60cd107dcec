import type { Socket } from 'node:net';
import type { BodyRules } from '../body-collector.ts';
import type { CoarseClock, Watched } from '../coarse-clock.ts';
import type { HttpRequest, HttpResponse } from '../http.ts';
import { DRAIN_BYTES, LINGER_MS } from '../incoming-stream.ts';
import { MAX_REQUEST_HEAD_BYTES, RequestHeads } from './request-head.ts';
import type { RequestHead } from './request-head.ts';
import { ServerExchange } from './server-exchange.ts';
import type { Carrier } from './server-exchange.ts';
import { flushAtTurnEnd } from './turn-end.ts';
import type { Gathered } from './turn-end.ts';

/** Bytes of later requests that may wait behind the running one. */
const MAX_WAITING_BYTES = 256 * 1024;

/** Text that is written before the end of the turn, in bytes. */
const MAX_GATHERED = 64 * 1024;

const HEAD_END = Buffer.from('\r\n\r\n');

/** 408. */
const TOO_LATE = 408;

/** What every connection of a server shares. */
export type ConnectionRules = {
  /** For connections that wait; coarse. */
  readonly clock: CoarseClock;
  readonly bodyRules: BodyRules;
  readonly headersMs: number;
  readonly keepAliveMs: number;
  readonly stalledMs: number;
  /** Whether a request is one that the codec answers. */
  serves(method: string, path: string): boolean;
  /** Serves a request; never throws. */
  serve(request: HttpRequest, response: HttpResponse): void;
  /** A request has arrived whose head is complete. */
  onRequest(socket: Socket): void;
  /** A response is about to begin. */
  onHead(status: number, socket: Socket): void;
  /** Lets node:http go on with a socket whose next bytes are unread. */
  handOver(socket: Socket): void;
  /** The connection is closed, or no longer the codec's. */
  onLeft(connection: ServerConnection): void;
  /** Whether the server takes no more requests. */
  readonly closing: boolean;
  /** The `date` header with its CRLF. */
  date(): string;
};

/**
 * A client's connection as the codec serves it: request after request, until one is not in its subset,
 * which goes to node:http with the connection and everything that comes after.
 */
export class ServerConnection implements Carrier, Watched, Gathered {
  listedBefore: Watched | undefined;
  listedAfter: Watched | undefined;
  readonly remoteAddress: string;
  readonly #socket: Socket;
  readonly #rules: ConnectionRules;
  readonly #heads = new RequestHeads();
  #exchange: ServerExchange | undefined;
  /** What is written at the end of the turn. */
  #gathered = '';
  /** Bytes of requests that wait for the running one to be answered. */
  #waiting: Buffer | undefined;
  /** Bytes still to come of an answered request’s body, which nobody wants. */
  #unwanted = 0;
  /** How many bytes have been dropped since the last answer. */
  #dropped = 0;
  /** Whether more came behind the running request than is kept: its answer is the last one. */
  #overrun = false;
  /** Whether the answer is to a request that took too long: its rest is not waited for (RFC 9110, 15.5.9). */
  #late = false;
  #served = false;
  #pumping = false;
  #sinceMs: number;

  constructor(socket: Socket, rules: ConnectionRules) {
    this.#socket = socket;
    this.#rules = rules;
    this.remoteAddress = socket.remoteAddress ?? '';
    rules.clock.watch(this);
    this.#sinceMs = rules.clock.nowMs;
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    socket.on('error', ignore);
  }

  get bodyRules(): BodyRules {
    return this.#rules.bodyRules;
  }

  get stalledMs(): number {
    return this.#rules.stalledMs;
  }

  get sent(): boolean {
    return this.#gathered === '' && !this.#socket.destroyed && this.#socket.writableLength === 0;
  }

  /** Closes the connection where nothing runs on it. */
  closeIdle(): void {
    if (this.#exchange === undefined) this.destroy();
  }

  destroy(): void {
    this.flush();
    this.#socket.destroy();
  }

  headEnd(status: number): string {
    const { rules, socket } = { rules: this.#rules, socket: this.#socket };
    rules.onHead(status, socket);
    this.#late = status === TOO_LATE;
    if (this.#isLast()) return `connection: close\r\n${rules.date()}`;
    return `connection: keep-alive\r\nkeep-alive: timeout=${Math.floor(rules.keepAliveMs / 1_000)}\r\n${rules.date()}`;
  }

  write(text: string): boolean {
    if (this.#gathered === '') flushAtTurnEnd(this);
    this.#gathered += text;
    if (this.#gathered.length > MAX_GATHERED) this.flush();
    return !this.#socket.writableNeedDrain;
  }

  flush(): void {
    const text = this.#gathered;
    if (text === '') return;
    this.#gathered = '';
    this.#socket.write(text, 'latin1');
  }

  writeAround(before: string, bytes: Uint8Array | string, after: string): boolean {
    const socket = this.#socket;
    this.flush();
    socket.cork();
    socket.write(before, 'latin1');
    let more = socket.write(bytes);
    if (after !== '') more = socket.write(after, 'latin1');
    socket.uncork();
    return more;
  }

  pauseReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  finished(): void {
    const left = this.#exchange?.bodyLeft ?? 0;
    this.#exchange = undefined;
    this.#sinceMs = this.#rules.clock.nowMs;
    // Whoever still sends is told at once: the connection may be cut before the turn ends.
    if (left > 0 || this.#isLast()) this.flush();
    if (this.#late) this.#socket.destroySoon();
    else if (this.#isLast()) this.#socket.end();
    this.#unwanted = left;
    this.#dropped = 0;
    if (this.#socket.isPaused()) this.#socket.resume();
    const waiting = this.#waiting;
    if (waiting === undefined || this.#pumping) return;
    this.#waiting = undefined;
    this.#pump(waiting);
  }

  onTick(): void {
    const rules = this.#rules;
    if (this.#exchange !== undefined) return;
    const limitMs =
      this.#unwanted > 0 ? rules.bodyRules.bodyMs : this.#served ? rules.keepAliveMs : rules.headersMs;
    if (rules.clock.elapsedMs(this.#sinceMs) >= limitMs) this.#socket.destroy();
  }

  /** Takes what has been read; `bytes` are valid during the call alone. */
  readonly onBytes = (bytes: Buffer): void => {
    const rest = this.#exchange === undefined ? bytes : this.#exchange.takeBody(bytes);
    if (rest === undefined) return;
    if (this.#exchange === undefined) this.#pump(rest);
    else this.#keep(rest);
  };

  /** Whether the answer that runs, or the last one, ends the connection. */
  #isLast(): boolean {
    return this.#late || this.#overrun || this.#rules.closing;
  }

  /**
   * Keeps bytes of requests that wait for the running one. Where they are too many none is answered,
   * as clients that send ahead must expect (RFC 9112, 9.3.2); reading goes on, because a client that
   * leaves is seen only behind all that it sent.
   */
  #keep(bytes: Buffer): void {
    const waiting = this.#waiting === undefined ? [bytes] : [this.#waiting, bytes];
    this.#overrun ||= bytes.length + (this.#waiting?.length ?? 0) > MAX_WAITING_BYTES;
    this.#waiting = this.#overrun ? undefined : Buffer.concat(waiting);
    if (this.#overrun) this.#drop(bytes.length);
  }

  /** Starts requests one after the other, without recursion where they are answered at once. */
  #pump(first: Buffer): void {
    this.#pumping = true;
    let bytes: Buffer | undefined = first;
    while (this.#exchange === undefined && bytes !== undefined) {
      const wanted = this.#skip(bytes);
      // What follows the last answer is not acted on: its client asks again elsewhere (RFC 9112, 9.6).
      bytes = wanted === undefined || this.#socket.writableEnded ? undefined : this.#begin(wanted);
    }
    if (bytes !== undefined) this.#keep(bytes);
    this.#pumping = false;
  }

  /** Gives back what follows the request. */
  #begin(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf(HEAD_END);
    const readable = end !== -1 && end <= MAX_REQUEST_HEAD_BYTES - HEAD_END.length;
    const head = readable ? this.#heads.read(bytes, end + 2) : undefined;
    if (head === undefined || !this.#rules.serves(head.method, head.path)) {
      this.#handOver(bytes);
      return undefined;
    }
    return this.#start(head, bytes, end + HEAD_END.length);
  }

  #start(head: RequestHead, bytes: Buffer, bodyStart: number): Buffer | undefined {
    const exchange = new ServerExchange(head, this);
    this.#exchange = exchange;
    this.#served = true;
    let rest = bodyStart < bytes.length ? bytes.subarray(bodyStart) : undefined;
    const isWhole = bytes.length - bodyStart >= head.bodyBytes;
    if (isWhole && rest !== undefined) rest = exchange.takeBody(rest);
    this.#rules.onRequest(this.#socket);
    this.#rules.serve(exchange, exchange);
    // Whoever has asked for the body by now has memory for all of it: the part is copied once.
    if (!isWhole && rest !== undefined && this.#exchange === exchange) rest = exchange.takeBody(rest);
    return rest;
  }

  /** Drops what an answered request still sends. */
  #skip(bytes: Buffer): Buffer | undefined {
    if (this.#unwanted === 0) return bytes;
    const dropped = Math.min(bytes.length, this.#unwanted);
    this.#unwanted -= dropped;
    this.#drop(dropped);
    return dropped === bytes.length ? undefined : bytes.subarray(dropped);
  }

  /** Counts bytes that nobody wants. Cutting at once would take the answer from a client that still sends. */
  #drop(bytes: number): void {
    this.#dropped += bytes;
    if (this.#dropped <= DRAIN_BYTES || this.#socket.isPaused()) return;
    this.#socket.pause();
    setTimeout(() => this.destroy(), LINGER_MS).unref();
  }

  #handOver(bytes: Buffer): void {
    const socket = this.#socket;
    this.flush();
    this.#leave();
    socket.unshift(Buffer.from(bytes));
    this.#rules.handOver(socket);
  }

  #leave(): void {
    const socket = this.#socket;
    socket.off('data', this.onBytes);
    socket.off('drain', this.#onDrain);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onClose);
    socket.off('error', ignore);
    this.#rules.clock.unwatch(this);
    this.#rules.onLeft(this);
  }

  readonly #onDrain = (): void => {
    this.#exchange?.onDrained();
  };

  /** A client that sends no more has left, as node:http sees it too. */
  readonly #onEnd = (): void => {
    this.flush();
    if (this.#exchange === undefined) this.#socket.end();
    else this.#socket.destroy();
  };

  readonly #onClose = (): void => {
    this.#leave();
    this.#exchange?.onClosed();
  };
}

/** A broken connection is told by its closing. */
function ignore(): void {
  // Without a listener the error would end the process.
}
