import { Readable } from 'node:stream';
import { ObeliskError } from '../shared/errors.ts';
import type { Handler, Headers, HttpRequest, HttpResponse, RequestStream } from './http.ts';
import { callSoon } from './node-exchange.ts';
import type { OnError } from './node-server.ts';

/** Unread bytes after which a writer is told to wait. */
const HIGH_WATER_BYTES = 64 * 1024;

/** A request to a handler in this process. */
export type InProcessCall = {
  readonly method: string;
  /** Path, with the query after `?` if there is one. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers?: Headers;
  readonly body?: Buffer | string;
  /** Aborting it is what closing the connection is on a socket. */
  readonly signal?: AbortSignal;
  /** Answers a failed handler, as a server's does; without it the call rejects with the handler's error. */
  readonly onError?: OnError;
};

/** The answer of a handler in this process. */
export type InProcessResponse = {
  readonly status: number;
  readonly headers: Headers;
  /** The body as it is written. Leaving the loop early is what closing the connection is on a socket. */
  readonly body: AsyncIterable<Buffer>;
};

type Settle = {
  resolve(response: InProcessResponse): void;
  reject(error: unknown): void;
};

/** Both ends of one call: what the handler writes is what the caller reads. */
class LocalExchange implements HttpRequest, HttpResponse, AsyncIterable<Buffer> {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly remoteAddress = 'process';
  readonly #headers: Headers;
  readonly #body: Buffer;
  readonly #settle: Settle;
  readonly #goneListeners = new Set<() => void>();
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  #drainListeners: (() => void)[] = [];
  #started = false;
  #ended = false;
  #gone = false;
  #error: unknown;
  #wake: (() => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.leave(new ObeliskError('client_gone', 'the caller gave up'));

  constructor(call: InProcessCall, settle: Settle) {
    const mark = call.path.indexOf('?');
    this.method = call.method;
    this.path = mark === -1 ? call.path : call.path.slice(0, mark);
    this.query = mark === -1 ? '' : call.path.slice(mark + 1);
    this.#headers = call.headers ?? {};
    this.#body = Buffer.from(call.body ?? '');
    this.#settle = settle;
    this.#signal = call.signal;
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get started(): boolean {
    return this.#started;
  }

  get closed(): boolean {
    return this.#ended || this.#gone;
  }

  header(name: string): string | undefined {
    return this.#headers[name];
  }

  async body(limitBytes: number): Promise<Buffer> {
    if (this.#gone) throw new ObeliskError('client_gone', 'the caller gave up before its request was read');
    if (this.#body.length <= limitBytes) return this.#body;
    const message = `the request body is larger than ${limitBytes} bytes; send less in one request`;
    throw new ObeliskError('payload_too_large', message);
  }

  stream(): RequestStream {
    return { bytes: this.#body.length, open: () => Readable.from([this.#body]) };
  }

  onGone(listener: () => void): () => void {
    if (this.#gone) return callSoon(listener);
    this.#goneListeners.add(listener);
    return () => this.#goneListeners.delete(listener);
  }

  head(status: number, headers: Headers): void {
    if (this.#started) throw new Error('the head was sent already');
    this.#started = true;
    this.#settle.resolve({ status, headers, body: this });
  }

  write(chunk: Uint8Array | string): boolean {
    if (!this.#started) throw new Error('no head was sent');
    if (this.closed) return true;
    const bytes = Buffer.from(chunk);
    this.#chunks.push(bytes);
    this.#heldBytes += bytes.length;
    this.#wake?.();
    return this.#heldBytes < HIGH_WATER_BYTES;
  }

  onDrain(listener: () => void): void {
    if (this.#gone) queueMicrotask(listener);
    else this.#drainListeners.push(listener);
  }

  end(chunk?: Uint8Array | string): void {
    if (this.closed) return;
    if (chunk !== undefined) this.write(chunk);
    this.#ended = true;
    this.#forgetSignal();
    this.#wake?.();
  }

  destroy(): void {
    this.leave(new ObeliskError('client_gone', 'the answer was cut off'));
  }

  /** The caller has gone, or the handler's answer will never be complete. */
  leave(error: unknown): void {
    if (this.closed) return;
    this.#gone = true;
    this.#forgetSignal();
    this.#error = error;
    this.#chunks = [];
    this.#settle.reject(error);
    for (const listener of this.#goneListeners) listener();
    this.#drain();
    this.#wake?.();
  }

  /** A caller's signal may outlive thousands of its calls. */
  #forgetSignal(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    try {
      for (;;) {
        const chunks = this.#take();
        if (chunks.length > 0) {
          yield* chunks;
          continue;
        }
        if (this.#gone) throw this.#error;
        if (this.#ended) return;
        await this.#arrival();
      }
    } finally {
      this.leave(new ObeliskError('client_gone', 'the caller stopped reading'));
    }
  }

  #take(): Buffer[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#heldBytes = 0;
    this.#drain();
    return chunks;
  }

  #drain(): void {
    const listeners = this.#drainListeners;
    this.#drainListeners = [];
    for (const listener of listeners) listener();
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

async function run(handler: Handler, exchange: LocalExchange, onError: OnError | undefined): Promise<void> {
  try {
    await handler(exchange, exchange);
  } catch (error) {
    onError?.(error, exchange, exchange);
    exchange.leave(error);
  }
}

/**
 * Calls a handler without a socket: the same semantics as over node:http, with the same backpressure.
 * @throws ObeliskError `client_gone` when `signal` aborts before the head was sent, and whatever the
 *   handler throws where there is no `onError`.
 */
export async function callInProcess(handler: Handler, call: InProcessCall): Promise<InProcessResponse> {
  if (call.signal?.aborted === true) throw new ObeliskError('client_gone', 'the caller gave up');
  const { promise, resolve, reject } = Promise.withResolvers<InProcessResponse>();
  const exchange = new LocalExchange(call, { resolve, reject });
  void run(handler, exchange, call.onError);
  return promise;
}
