import type { Socket } from 'node:net';
import { copyToMemory } from '../body-memory.ts';
import { byteLengthOf, isInPieces } from '../body-pieces.ts';
import { inChunks, isStreamed, writeStream } from '../body-stream.ts';
import type { Headers } from '../http.ts';
import type { Connection, ConnectionEvents, ConnectionPool } from '../upstream-connection.ts';
import type { Endpoint } from '../upstream-endpoint.ts';
import { ConnectionEnded, InvalidResponse } from '../upstream-error.ts';
import type { BodyStream, UpstreamRequest } from '../upstream.ts';
import type { RequestFormatter } from './client-request.ts';
import { ResponseReader } from './response-reader.ts';
import type { ResponseEvents } from './response-reader.ts';
import { latin1Of } from './response-text.ts';
import { createReadBuffer } from './shared-read.ts';
import { flushAtTurnEnd } from './turn-end.ts';
import type { Gathered } from './turn-end.ts';

/** Longest body that is joined to its head, in bytes: copying more costs more than a second piece to write. */
const JOIN_BYTES = 2 * 1024;

/** What the connections of one client share. */
export type CodecParts = {
  readonly formatter: RequestFormatter;
  readonly buffer: Buffer;
};

/** Creates what the connections of one client share. */
export function createCodecParts(formatter: RequestFormatter): CodecParts {
  return { formatter, buffer: createReadBuffer() };
}

/** Where a connection belongs. */
export type CodecPlace = { readonly pool: ConnectionPool; readonly endpoint: Endpoint };

/** A connection that speaks HTTP/1.1 by itself, on a plain or TLS socket. */
export class CodecConnection implements Connection, ResponseEvents, Gathered {
  reused = false;
  idleUntilMs = 0;
  readonly #parts: CodecParts;
  readonly #pool: ConnectionPool;
  readonly #endpoint: Endpoint;
  readonly #reader = new ResponseReader(this);
  #socket: Socket | undefined;
  /** The running request's side; none while the connection is idle. */
  #events: ConnectionEvents | undefined;
  /** The request that is written at the end of the turn. */
  #unsent: Unsent | undefined;
  #paused = false;
  #closed = false;
  #heard = false;
  /** A body is still on its way. */
  #streaming = false;

  constructor(parts: CodecParts, { pool, endpoint }: CodecPlace) {
    this.#parts = parts;
    this.#pool = pool;
    this.#endpoint = endpoint;
  }

  get sent(): boolean {
    return (
      !this.#closed && !this.#streaming && this.#unsent === undefined && this.#socket?.writableLength === 0
    );
  }

  send(request: UpstreamRequest, events: ConnectionEvents): void {
    const head = this.#parts.formatter.format(request, this.#endpoint.authority);
    this.#events = events;
    this.#heard = false;
    this.#reader.begin(request.method === 'HEAD');
    this.#unsent = { head, request };
    if (this.#socket === undefined) this.#socket = this.#open();
    else flushAtTurnEnd(this);
  }

  flush(): void {
    if (this.#unsent === undefined || this.#socket === undefined) return;
    const { head, request } = this.#unsent;
    this.#unsent = undefined;
    if (isStreamed(request.body)) void this.#stream(this.#socket, head, request.body);
    else write(this.#socket, head, request);
  }

  async #stream(socket: Socket, head: string, body: BodyStream): Promise<void> {
    this.#streaming = true;
    const isKnown = body.bytes !== undefined;
    const framing = isKnown ? `content-length: ${body.bytes}` : 'transfer-encoding: chunked';
    socket.write(`${head}${framing}\r\n\r\n`, 'latin1');
    try {
      await writeStream(isKnown ? body : inChunks(body), socket, () => this.#events?.onSent());
      this.#streaming = false;
    } catch (error) {
      this.abandon(error instanceof Error ? error : new Error(String(error)));
    }
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket?.resume();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#events = undefined;
    this.#unsent = undefined;
    this.#pool.forget(this);
    this.#socket?.destroy();
  }

  abandon(error: Error): void {
    const events = this.#events;
    this.close();
    events?.onFailure(error);
  }

  onInterim(): void {
    this.#events?.onInterim();
  }

  onHead(status: number, headers: Headers): void {
    this.#events?.onHead(status, headers);
  }

  onBody(bytes: Buffer, from: number, to: number): void {
    if (this.#events === undefined) return;
    if (!this.#events.onData(copyToMemory(bytes, from, to))) this.#paused = true;
  }

  #open(): Socket {
    const onConnected = (): void => {
      if (this.#closed) return;
      this.#events?.onConnected();
      this.flush();
    };
    const onread = {
      buffer: this.#parts.buffer,
      callback: (length: number) => this.#onRead(length),
    };
    const socket = this.#endpoint.open(onConnected, onread);
    // An idle connection that breaks or ends is only closed: nobody waits for it.
    socket.on('error', (error: Error) => this.abandon(error));
    socket.on('end', () => this.#onEnd());
    socket.on('close', () => this.abandon(new ConnectionEnded()));
    return socket;
  }

  /** False stops reading. */
  #onRead(length: number): boolean {
    const events = this.#events;
    if (events === undefined || this.#unsent !== undefined) {
      // Bytes that nobody asked for would be taken for the next answer.
      this.abandon(new ConnectionEnded());
      return false;
    }
    if (!this.#heard) {
      this.#heard = true;
      events.onFirstByte();
    }
    const reader = this.#reader;
    const read = reader.read(this.#parts.buffer, length);
    if (this.#closed) return false;
    if (reader.refusal !== '') this.abandon(new InvalidResponse(reader.refusal));
    else if (reader.complete) this.#finish(events, read === length);
    else return !this.#paused;
    return true;
  }

  #onEnd(): void {
    if (this.#events !== undefined && this.#reader.end()) this.#finish(this.#events, false);
    else this.abandon(new ConnectionEnded());
  }

  #finish(events: ConnectionEvents, clean: boolean): void {
    const { persistent, keepAliveSeconds } = this.#reader;
    // An answer may come before the whole request went out, which the server then never reads.
    if (clean && persistent && this.sent) {
      this.reused = true;
      this.#events = undefined;
      this.resume();
      this.#pool.release(this, keepAliveSeconds);
    } else this.close();
    events.onComplete();
  }
}

type Unsent = { readonly head: string; readonly request: UpstreamRequest };

/** Writes a whole request at once. */
function write(socket: Socket, head: string, { method, body }: UpstreamRequest): void {
  if (body === undefined || isStreamed(body)) {
    socket.write(method === 'POST' ? `${head}content-length: 0\r\n\r\n` : `${head}\r\n`, 'latin1');
    return;
  }
  let first = `${head}content-length: ${byteLengthOf(body)}\r\n\r\n`;
  const rest = isInPieces(body) ? [...body] : [body];
  while (rest[0] !== undefined && rest[0].length <= JOIN_BYTES) first += latin1Of(rest.shift() ?? '');
  if (rest.length === 0) {
    socket.write(first, 'latin1');
    return;
  }
  socket.cork();
  socket.write(first, 'latin1');
  for (const piece of rest) socket.write(piece);
  socket.uncork();
}
