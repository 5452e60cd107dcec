import type { OnReadOpts, Socket } from 'node:net';
import { CoarseClock } from '../../src/wire/coarse-clock.ts';
import type { Headers } from '../../src/wire/http.ts';
import { CodecConnection, createCodecParts } from '../../src/wire/http1/client-connection.ts';
import { RequestFormatter } from '../../src/wire/http1/client-request.ts';
import { ConnectionPool } from '../../src/wire/upstream-connection.ts';
import type { Connection, ConnectionEvents } from '../../src/wire/upstream-connection.ts';
import { Endpoint } from '../../src/wire/upstream-endpoint.ts';
import type { UpstreamRequest } from '../../src/wire/upstream.ts';
import { REMOTE_CLOCKS } from '../../src/wire/upstream.ts';
import type { ResponseInput } from './reading.ts';
import { Wire } from './wire.ts';

/** What the codec's client made of the bytes that answered its request. */
export type AnsweredReading = {
  readonly interims: number;
  /** The response, from its head on. */
  readonly response?: {
    readonly status: number;
    readonly headers: Headers;
    /** What was passed on of the body, as latin1. */
    readonly body: string;
    readonly complete: boolean;
    /** Whether the connection can carry another request. */
    readonly keepAlive: boolean;
  };
  /** Why it refused to read on; undefined when it waits for more or is done. */
  readonly refusal: string | undefined;
};

/** An endpoint whose connections are in memory. */
class WireEndpoint extends Endpoint {
  readonly wire: Wire = new Wire();
  #onread: OnReadOpts | undefined;

  override open(onConnected: () => void, onread?: OnReadOpts): Socket {
    this.#onread = onread;
    queueMicrotask(onConnected);
    return this.wire;
  }

  /** Lets bytes arrive as a socket does: in the buffer that it was given. */
  arrive(bytes: Buffer): void {
    const onread = this.#onread;
    if (onread === undefined || !(onread.buffer instanceof Uint8Array)) throw new Error('nobody reads');
    for (let at = 0; at < bytes.length && !this.wire.destroyed; at += onread.buffer.length) {
      const part = bytes.subarray(at, at + onread.buffer.length);
      onread.buffer.set(part);
      onread.callback(part.length, onread.buffer);
    }
  }
}

/** One answer, as it is heard. */
class Heard implements ConnectionEvents {
  interims = 0;
  readonly body: string[] = [];
  head: { status: number; headers: Headers } | undefined;
  complete = false;
  refusal: string | undefined;

  onConnected(): void {
    // It is connected before anything is asked of it.
  }

  onSent(): void {
    // No body is streamed here.
  }

  onFirstByte(): void {
    // Said of every answer.
  }

  onInterim(): void {
    this.interims += 1;
  }

  onHead(status: number, headers: Headers): void {
    this.head = { status, headers };
  }

  onData(chunk: Buffer): boolean {
    this.body.push(chunk.toString('latin1'));
    return true;
  }

  onComplete(): void {
    this.complete = true;
  }

  onFailure(error: Error): void {
    this.refusal = `${error.name}: ${error.message}`;
  }
}

/** Answers that come first on a connection that is used again: the case must be read as if they had not. */
export const EARLIER: Readonly<Record<string, { method: ResponseInput['method']; bytes: string }>> = {
  none: { method: 'GET', bytes: '' },
  length: { method: 'POST', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello' },
  chunked: {
    method: 'POST',
    bytes:
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n',
  },
  head: { method: 'HEAD', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n' },
};

const HOUR_MS = 3_600_000;
const HEADERS = { accept: '*/*' };

const requestOf = (method: ResponseInput['method']): UpstreamRequest => ({
  origin: 'http://upstream',
  path: '/',
  method,
  headers: HEADERS,
  clocks: REMOTE_CLOCKS,
});

const parts = createCodecParts(new RequestFormatter());
/** Nothing is timed here; a clock for every pool would keep a timer for each. */
const clock = new CoarseClock(HOUR_MS);

function ask(connection: Connection, method: ResponseInput['method']): Heard {
  const heard = new Heard();
  connection.send(requestOf(method), heard);
  return heard;
}

/**
 * Reads bytes with a connection of the codec's client, in memory.
 *
 * @param earlier Name of the answer in `EARLIER` that the same connection has carried before.
 */
export async function readWithCodecClient(input: ResponseInput, earlier = 'none'): Promise<AnsweredReading> {
  const endpoint = new WireEndpoint('http://upstream', { lookup: () => {} });
  const pool = new ConnectionPool((of) => new CodecConnection(parts, { pool: of, endpoint }), clock);
  const first = EARLIER[earlier];
  if (first !== undefined && first.bytes !== '') {
    const heard = ask(pool.acquire(), first.method);
    await Promise.resolve();
    endpoint.arrive(Buffer.from(first.bytes, 'latin1'));
    if (!heard.complete || pool.idle !== 1) throw new Error(`the answer ${earlier} is not one that keeps`);
  }
  const heard = ask(pool.acquire(), input.method);
  await Promise.resolve();
  for (const piece of input.pieces) endpoint.arrive(piece);
  const keepAlive = pool.idle === 1 && input.ending === 'open';
  if (input.ending === 'eof' && !endpoint.wire.destroyed) endpoint.wire.emit('end');
  // What closing says later is no reading of the bytes.
  const { head, complete, interims, refusal } = heard;
  pool.close(new Error('done'));
  return {
    interims,
    ...(head === undefined ? {} : { response: { ...head, body: heard.body.join(''), complete, keepAlive } }),
    refusal: complete ? undefined : refusal,
  };
}
