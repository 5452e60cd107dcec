import type { IncomingMessage, ServerResponse } from 'node:http';
import { ObeliskError } from '../shared/errors.ts';
import type { CoarseClock, Watched } from './coarse-clock.ts';
import type { Headers, HttpRequest, HttpResponse } from './http.ts';

/** How slowly a body may arrive, on average after a grace period, in bytes per millisecond. */
const MIN_BYTES_PER_MS = 1024 / 1000;
/** How long a body may be slower than that, in milliseconds. */
const SLOW_GRACE_MS = 5_000;
/** How much of a refused body is read and dropped, so that the client gets to read the refusal. */
const DRAIN_BYTES = 64 * 1024 * 1024;
/** Longest body that is copied to leave with its head. */
const MAX_JOINED_BYTES = 16 * 1024;

/** What the reading of a body needs from its server. */
export type BodyRules = {
  readonly clock: CoarseClock;
  /** Longest time from the first wish to read a body to its end, in milliseconds. */
  readonly bodyMs: number;
};

/** Reads one body; one object instead of a closure per event. */
class BodyReader implements Watched {
  readonly #incoming: IncomingMessage;
  readonly #rules: BodyRules;
  readonly #limitBytes: number;
  #resolve: ((body: Buffer) => void) | undefined;
  #reject: ((error: ObeliskError) => void) | undefined;
  readonly #startMs: number;
  #first: Buffer | undefined;
  #rest: Buffer[] | undefined;
  #bytes = 0;
  #over = false;

  constructor(incoming: IncomingMessage, rules: BodyRules, limitBytes: number) {
    this.#incoming = incoming;
    this.#rules = rules;
    this.#limitBytes = limitBytes;
    rules.clock.watch(this);
    this.#startMs = rules.clock.nowMs;
  }

  /** Reads on until one of the two is called. */
  start(resolve: (body: Buffer) => void, reject: (error: ObeliskError) => void): void {
    const incoming = this.#incoming;
    this.#resolve = resolve;
    this.#reject = reject;
    incoming.on('data', (chunk: Buffer) => this.#onData(chunk));
    incoming.on('end', () => this.#onEnd());
    incoming.on('error', () => this.#onGone());
    if (incoming.destroyed && !incoming.complete) this.#onGone();
    else if (Number(incoming.headers['content-length'] ?? 0) > this.#limitBytes) this.#refuse();
  }

  onTick(): void {
    const { clock, bodyMs } = this.#rules;
    const spentMs = clock.elapsedMs(this.#startMs);
    const slow = spentMs > SLOW_GRACE_MS && this.#bytes < spentMs * MIN_BYTES_PER_MS;
    if (spentMs < bodyMs && !slow) return;
    this.#fail(new ObeliskError('request_timeout', 'the request body arrived too slowly; send it at once'));
  }

  #onData(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#over) {
      if (this.#bytes > DRAIN_BYTES) this.#incoming.destroy();
      return;
    }
    if (this.#bytes > this.#limitBytes) this.#refuse();
    else if (this.#first === undefined) this.#first = chunk;
    else (this.#rest ??= []).push(chunk);
  }

  #onEnd(): void {
    if (this.#over) return;
    this.#finish();
    const first = this.#first ?? Buffer.alloc(0);
    this.#resolve?.(this.#rest === undefined ? first : Buffer.concat([first, ...this.#rest], this.#bytes));
  }

  #onGone(): void {
    this.#fail(
      new ObeliskError('client_gone', 'the client closed the connection before its request was complete'),
    );
  }

  #refuse(): void {
    const message = `the request body is larger than ${this.#limitBytes} bytes; send less in one request`;
    this.#fail(new ObeliskError('payload_too_large', message));
  }

  #fail(error: ObeliskError): void {
    if (this.#over) return;
    this.#finish();
    this.#first = undefined;
    this.#rest = undefined;
    this.#reject?.(error);
  }

  #finish(): void {
    this.#over = true;
    this.#rules.clock.unwatch(this);
  }
}

/** Calls a listener that came too late for its event, unless it is taken back before. */
export function callSoon(listener: () => void): () => void {
  let wanted = true;
  queueMicrotask(() => {
    if (wanted) listener();
  });
  return () => {
    wanted = false;
  };
}

function splitTarget(target: string): { path: string; query: string } {
  // Absolute form (RFC 9112, 3.2.2): the authority is not ours to interpret.
  const scheme = target.startsWith('/') ? -1 : target.indexOf('://');
  const slash = scheme === -1 ? 0 : target.indexOf('/', scheme + 3);
  const origin = slash === -1 ? '/' : slash === 0 ? target : target.slice(slash);
  const mark = origin.indexOf('?');
  return mark === -1
    ? { path: origin, query: '' }
    : { path: origin.slice(0, mark), query: origin.slice(mark + 1) };
}

/** A request on node:http. */
export class NodeRequest implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #rules: BodyRules;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, rules: BodyRules) {
    const { path, query } = splitTarget(incoming.url ?? '/');
    this.method = incoming.method ?? 'GET';
    this.path = path;
    this.query = query;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#rules = rules;
  }

  get remoteAddress(): string {
    return this.#incoming.socket.remoteAddress ?? '';
  }

  header(name: string): string | undefined {
    const value = this.#incoming.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  body(limitBytes: number): Promise<Buffer> {
    const reader = new BodyReader(this.#incoming, this.#rules, limitBytes);
    return new Promise((resolve, reject) => {
      reader.start(resolve, reject);
    });
  }

  onGone(listener: () => void): () => void {
    const outgoing = this.#outgoing;
    const onClose = (): void => {
      if (!outgoing.writableFinished) listener();
    };
    if (outgoing.destroyed) return callSoon(onClose);
    outgoing.once('close', onClose);
    return () => outgoing.off('close', onClose);
  }
}

/** What a response needs from its server. */
export type ResponseRules = {
  readonly clock: CoarseClock;
  /** How long a client may take nothing of what waits for it before it is dropped, in milliseconds. */
  readonly stalledMs: number;
  /** Told the status of every answer, as its head is sent. */
  onHead(status: number, outgoing: ServerResponse): void;
};

/** A response on node:http. */
export class NodeResponse implements HttpResponse, Watched {
  readonly #outgoing: ServerResponse;
  readonly #rules: ResponseRules;
  #started = false;
  #written = false;
  #blockedMs = -1;

  constructor(outgoing: ServerResponse, rules: ResponseRules) {
    this.#outgoing = outgoing;
    this.#rules = rules;
  }

  get started(): boolean {
    return this.#started;
  }

  get closed(): boolean {
    return this.#outgoing.writableEnded || this.#outgoing.destroyed;
  }

  head(status: number, headers: Headers): void {
    this.#started = true;
    this.#rules.onHead(status, this.#outgoing);
    this.#outgoing.writeHead(status, headers);
    // node:http keeps the head back for the first byte of the body, which a stream may not have yet.
    if (headers['content-length'] === undefined) process.nextTick(() => this.#flush());
  }

  write(chunk: Uint8Array | string): boolean {
    // What comes late for a client that has gone is dropped, not an error.
    if (this.closed) return true;
    this.#written = true;
    const more = this.#outgoing.write(chunk);
    if (!more && this.#blockedMs === -1) this.#block();
    return more;
  }

  onDrain(listener: () => void): void {
    const outgoing = this.#outgoing;
    if (outgoing.destroyed) {
      queueMicrotask(listener);
      return;
    }
    const once = (): void => {
      outgoing.off('drain', once);
      outgoing.off('close', once);
      listener();
    };
    outgoing.on('drain', once);
    outgoing.on('close', once);
  }

  end(chunk?: Uint8Array | string): void {
    if (this.closed) return;
    // A string of one byte a character leaves with the head in one write; a buffer needs two.
    const joins = !this.#written && chunk instanceof Uint8Array && chunk.length <= MAX_JOINED_BYTES;
    this.#written = true;
    if (joins)
      this.#outgoing.end(
        Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1'),
        'latin1',
      );
    else this.#outgoing.end(chunk);
  }

  /** Cuts the connection, so that the client sees that its answer is not whole. */
  destroy(): void {
    this.#outgoing.destroy();
  }

  onTick(): void {
    if (this.#rules.clock.elapsedMs(this.#blockedMs) >= this.#rules.stalledMs) this.#outgoing.destroy();
  }

  #flush(): void {
    if (!this.#written && !this.closed) this.#outgoing.flushHeaders();
  }

  #block(): void {
    this.#rules.clock.watch(this);
    this.#blockedMs = this.#rules.clock.nowMs;
    this.onDrain(() => {
      this.#blockedMs = -1;
      this.#rules.clock.unwatch(this);
    });
  }
}
