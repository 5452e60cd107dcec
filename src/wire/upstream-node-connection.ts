import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { byteLengthOf, isInPieces } from './body-pieces.ts';
import { isStreamed, writeStream } from './body-stream.ts';
import type { Headers } from './http.ts';
import type { RequestFormatter } from './http1/client-request.ts';
import { MAX_RESPONSE_HEAD_BYTES } from './http1/response-head.ts';
import type { Connection, ConnectionEvents, ConnectionPool } from './upstream-connection.ts';
import type { Endpoint } from './upstream-endpoint.ts';
import { ConnectionEnded, InvalidResponse } from './upstream-error.ts';
import type { BodyStream, UpstreamRequest } from './upstream.ts';

/** Where a connection belongs. */
export type NodePlace = {
  readonly pool: ConnectionPool;
  readonly endpoint: Endpoint;
  readonly formatter: RequestFormatter;
};

/**
 * A connection on node:http's own client: slower by far, and another reading of HTTP to hold ours
 * against. An agent of one socket each leaves pooling to `ConnectionPool`.
 */
export class NodeConnection implements Connection {
  reused = false;
  idleUntilMs = 0;
  readonly #place: NodePlace;
  readonly #http = process.getBuiltinModule('node:http');
  readonly #agent: Agent;
  #socket: Socket | undefined;
  #request: ClientRequest | undefined;
  #response: IncomingMessage | undefined;
  #events: ConnectionEvents | undefined;
  #heard = false;
  #spoilt = false;
  #closed = false;

  constructor(place: NodePlace) {
    this.#place = place;
    this.#agent = new this.#http.Agent({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
    this.#agent.createConnection = () => this.#open();
  }

  send(request: UpstreamRequest, events: ConnectionEvents): void {
    const { authority } = this.#place.endpoint;
    // Both transports refuse the same requests.
    this.#place.formatter.format(request, authority);
    this.#events = events;
    this.#heard = false;
    this.#response = undefined;
    const outgoing = this.#http.request({
      agent: this.#agent,
      method: request.method,
      path: request.path,
      headers: headersOf(request, authority),
      setHost: false,
      maxHeaderSize: MAX_RESPONSE_HEAD_BYTES,
      insecureHTTPParser: false,
      joinDuplicateHeaders: true,
    });
    this.#request = outgoing;
    outgoing.on('information', () => this.#events?.onInterim());
    outgoing.on('upgrade', () => this.abandon(new InvalidResponse('with a response nobody asked for')));
    outgoing.on('response', (response) => this.#onResponse(response));
    outgoing.on('error', (error) => {
      if (this.#request === outgoing) this.#onError(error);
    });
    if (isInPieces(request.body)) {
      for (const piece of request.body) outgoing.write(piece);
      outgoing.end();
    } else if (isStreamed(request.body)) void this.#stream(outgoing, request.body);
    else outgoing.end(request.body);
  }

  async #stream(outgoing: ClientRequest, body: BodyStream): Promise<void> {
    try {
      await writeStream(body, outgoing, () => this.#events?.onSent());
      if (!outgoing.destroyed) outgoing.end();
    } catch (error) {
      this.abandon(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #onError(error: Error): void {
    // What breaks behind a whole response does not spoil it; its end is still to be told.
    if (this.#response?.complete === true) this.#spoilt = true;
    else this.abandon(toFailure(error));
  }

  resume(): void {
    this.#response?.resume();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#events = undefined;
    this.#place.pool.forget(this);
    this.#request?.destroy();
    this.#socket?.destroy();
    this.#agent.destroy();
  }

  abandon(error: Error): void {
    const events = this.#events;
    this.close();
    events?.onFailure(error);
  }

  #open(): Socket {
    const socket = this.#place.endpoint.open(() => this.#events?.onConnected());
    socket.on('data', () => this.#onBytes());
    socket.on('error', () => socket.destroy());
    // A running request hears of it in its own words.
    socket.on('close', () => {
      if (this.#events === undefined) this.close();
    });
    this.#socket = socket;
    return socket;
  }

  #onBytes(): void {
    if (this.#events === undefined) this.close();
    else if (!this.#heard) {
      this.#heard = true;
      this.#events.onFirstByte();
    }
  }

  #onResponse(response: IncomingMessage): void {
    const events = this.#events;
    if (events === undefined) return;
    this.#response = response;
    response.on('data', (chunk: Buffer) => {
      if (this.#events?.onData(chunk) === false) response.pause();
    });
    response.on('end', () => this.#onEnd(response));
    response.on('error', (error) => {
      if (this.#response === response) this.abandon(toFailure(error));
    });
    const coding = response.headers['transfer-encoding'];
    if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
      this.abandon(new InvalidResponse('in a transfer coding nobody asked for'));
    } else events.onHead(response.statusCode ?? 0, toHeaders(response));
  }

  #onEnd(response: IncomingMessage): void {
    const events = this.#events;
    if (events === undefined) return;
    if (this.#isReusable(response)) {
      this.reused = true;
      this.#events = undefined;
      const seconds = /(?:^|[,;\s])timeout=(\d{1,9})/i.exec(String(response.headers['keep-alive']))?.[1];
      this.#place.pool.release(this, seconds === undefined ? undefined : Number(seconds));
    } else this.close();
    events.onComplete();
  }

  #isReusable({ complete, httpVersion, headers }: IncomingMessage): boolean {
    return (
      complete &&
      !this.#spoilt &&
      httpVersion === '1.1' &&
      this.#request?.writableFinished === true &&
      !/(?:^|[,\s])close(?:$|[,\s])/i.test(headers.connection ?? '') &&
      (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined)
    );
  }
}

function headersOf({ method, headers, body }: UpstreamRequest, host: string): Record<string, string> {
  const own: Record<string, string> = { host, ...headers, 'accept-encoding': 'identity' };
  if (isStreamed(body) && body.bytes === undefined) own['transfer-encoding'] = 'chunked';
  else if (isStreamed(body)) own['content-length'] = String(body.bytes);
  else if (body !== undefined) own['content-length'] = String(byteLengthOf(body));
  else if (method === 'POST') own['content-length'] = '0';
  return own;
}

/** Header values as one string each; node:http keeps cookies apart. */
function toHeaders({ headers }: IncomingMessage): Headers {
  const flat: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) flat[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return flat;
}

/** What node:http reports, in the words that both transports share. */
function toFailure(error: NodeJS.ErrnoException): Error {
  const code = error.code ?? '';
  if (code === 'HPE_INVALID_EOF_STATE') return new ConnectionEnded();
  if (code === 'HPE_HEADER_OVERFLOW') return new InvalidResponse('with a head over 64 KiB', error);
  return code.startsWith('HPE_') ? new InvalidResponse('with malformed HTTP', error) : error;
}
