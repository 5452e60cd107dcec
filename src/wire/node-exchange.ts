import type { IncomingMessage, ServerResponse } from 'node:http';
import { systemCodeOf } from '../shared/errors.ts';
import { BodyCollector } from './body-collector.ts';
import type { BodyRules } from './body-collector.ts';
import type { CoarseClock, Watched } from './coarse-clock.ts';
import type { Headers, HttpRequest, HttpResponse, RequestStream } from './http.ts';
import { dropPiece, IncomingStream } from './incoming-stream.ts';

/** Longest body that is copied to leave with its head. */
const MAX_JOINED_BYTES = 16 * 1024;

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

/** Feeds a body to its collector, and drops the rest of one that was refused. */
function collect(incoming: IncomingMessage, collector: BodyCollector): void {
  let dropped = 0;
  incoming.on('data', (chunk: Buffer) => {
    if (collector.over) dropped = dropPiece(incoming, chunk, dropped);
    collector.add(chunk);
  });
  incoming.on('end', () => collector.end());
  incoming.on('error', () => collector.gone());
  if (incoming.destroyed && !incoming.complete) collector.gone();
  else collector.expect(Number(incoming.headers['content-length'] ?? 0));
}

/** A request on node:http. */
export class NodeRequest implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #rules: BodyRules;
  #stream: IncomingStream | undefined;
  #collector: BodyCollector | undefined;

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
    return new Promise((resolve, reject) => {
      this.#collector = new BodyCollector(this.#rules, limitBytes, { resolve, reject });
      collect(this.#incoming, this.#collector);
    });
  }

  /** Tells whoever waits for the body that the parser takes it for none; gives whether somebody does, whose answer is the last. */
  breakBody(error: Error): boolean {
    const { complete, socket } = this.#incoming;
    const isBroken = !complete && !socket.destroyed && systemCodeOf(error)?.startsWith('HPE_') === true;
    if (!isBroken || this.#collector?.broken() !== true) return false;
    this.#outgoing.shouldKeepAlive = false;
    return true;
  }

  /** Whether the body is being taken as it arrives, with a clock of its own. */
  get streaming(): boolean {
    return this.#stream?.reading === true;
  }

  stream(signal: AbortSignal): RequestStream {
    this.#stream = new IncomingStream(this.#incoming, this.#rules, signal);
    return this.#stream;
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
  listedBefore: Watched | undefined;
  listedAfter: Watched | undefined;
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
    // The rest of a request that took too long is not waited for (RFC 9110, 15.5.9).
    this.#outgoing.writeHead(status, status === 408 ? { ...headers, connection: 'close' } : headers);
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
