/**
 * A scripted server on raw sockets, for every test that needs an upstream: it answers with exactly the
 * bytes it is told, when it is told, breaks off where it is told, and remembers what it saw.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** One request as it arrived. */
export type ReceivedRequest = {
  /** Which connection it came on, from 0 in order of acceptance. */
  readonly connection: number;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Lower-case names; a repeated one keeps its last value. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Resolves when the connection it came on has closed, to the monotonic time then, in milliseconds. */
  readonly closed: Promise<number>;
  /** The body as JSON. */
  json(): unknown;
};

/** The connection a step acts on. */
export type Peer = { readonly socket: Socket; readonly request: ReceivedRequest };

/** One thing to do with a connection. Steps run in order; a step that never resolves stalls. */
export type Step = (peer: Peer) => void | Promise<void>;

/** What to do with a request, chosen by looking at it. `index` counts from 0. */
export type LiveScript = (request: ReceivedRequest, index: number) => readonly Step[];

/** What to do with each request: the same always, or chosen. */
export type Script = readonly Step[] | LiveScript;

/** Settings beside the script. */
export type UpstreamOptions = {
  /** Acts on each connection as it is accepted; false leaves its bytes unread for ever. */
  readonly onConnection?: (socket: Socket, index: number) => boolean;
  /** 0, the default, takes any free port. */
  readonly port?: number;
};

/** A running fault server. */
export type TestUpstream = AsyncDisposable & {
  /** `http://127.0.0.1:port`. */
  readonly origin: string;
  /** Every request so far, in order of arrival. */
  readonly requests: readonly ReceivedRequest[];
  /** Connections accepted so far. */
  readonly connections: number;
  /** Connections open now. */
  readonly open: number;
  /** Resolves to the request with that index once it has arrived. */
  request(index: number): Promise<ReceivedRequest>;
  close(): Promise<void>;
};

/** Sends bytes, waiting while the peer takes none; does nothing once the connection has ended. */
export function send(bytes: string | Uint8Array): Step {
  return ({ socket }) => {
    if (!socket.writable || socket.write(bytes)) return undefined;
    return new Promise((resolve) => {
      const goOn = (): void => {
        socket.off('drain', goOn);
        socket.off('close', goOn);
        resolve();
      };
      socket.on('drain', goOn);
      socket.on('close', goOn);
    });
  };
}

/** Waits, in milliseconds. */
export function wait(ms: number): Step {
  return () => sleep(ms);
}

/** Sends bytes one at a time, `everyMs` milliseconds apart, until the peer closes. */
export function drip(bytes: string, everyMs: number): Step {
  return async ({ socket }) => {
    for (const byte of Buffer.from(bytes)) {
      if (!socket.writable) return;
      socket.write(Uint8Array.of(byte));
      await sleep(everyMs);
    }
  };
}

/** Sends the same bytes over and over, at the peer's pace, until it closes; counts them in `sent`. */
export function flood(bytes: string | Uint8Array, sent: { bytes: number } = { bytes: 0 }): Step {
  return async (peer) => {
    while (peer.socket.writable) {
      await send(bytes)(peer);
      sent.bytes += Buffer.byteLength(bytes);
      await sleep(0);
    }
  };
}

/** Ends the connection with a reset (RST). */
export const reset: Step = ({ socket }) => {
  socket.resetAndDestroy();
};

/** Ends the connection cleanly (FIN). */
export const close: Step = ({ socket }) => {
  socket.end();
};

/** Does nothing more until the peer closes. */
export const stall: Step = ({ request }) => request.closed.then(() => undefined);

type Head = {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly bodyStart: number;
};

function parseHead(bytes: Buffer): Head | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const [method = '', path = ''] = first.split(' ');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { method, path, headers, bodyStart: end + 4 };
}

/** The length of a chunked body and its content, once it is whole. */
function parseChunked(
  bytes: Buffer,
  from: number,
): { readonly body: Buffer; readonly end: number } | undefined {
  const chunks: Buffer[] = [];
  for (let at = from; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    at = lineEnd + 2 + size + 2;
    if (at > bytes.length) return undefined;
    if (size === 0) return { body: Buffer.concat(chunks), end: at };
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
  }
}

/** The first whole request in `bytes`, and where it ends. */
function parseRequest(bytes: Buffer): (Head & { readonly body: Buffer; readonly end: number }) | undefined {
  const head = parseHead(bytes);
  if (head === undefined) return undefined;
  if (head.headers['transfer-encoding'] !== undefined) {
    const chunked = parseChunked(bytes, head.bodyStart);
    return chunked === undefined ? undefined : { ...head, ...chunked };
  }
  const end = head.bodyStart + Number(head.headers['content-length'] ?? 0);
  return bytes.length < end ? undefined : { ...head, body: bytes.subarray(head.bodyStart, end), end };
}

class ScriptedServer implements TestUpstream {
  readonly requests: ReceivedRequest[] = [];
  connections = 0;
  origin = '';
  readonly #script: Script;
  readonly #options: UpstreamOptions;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket));
  readonly #arrivals: { readonly index: number; readonly resolve: (request: ReceivedRequest) => void }[] = [];

  constructor(script: Script, options: UpstreamOptions) {
    this.#script = script;
    this.#options = options;
  }

  get open(): number {
    return this.#sockets.size;
  }

  async listen(): Promise<void> {
    this.#server.listen(this.#options.port ?? 0, '127.0.0.1');
    await once(this.#server, 'listening');
    // A TCP server's address is never a pipe's name.
    this.origin = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  request(index: number): Promise<ReceivedRequest> {
    const request = this.requests[index];
    if (request !== undefined) return Promise.resolve(request);
    return new Promise((resolve) => this.#arrivals.push({ index, resolve }));
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #accept(socket: Socket): void {
    const connection = this.connections;
    this.connections += 1;
    this.#sockets.add(socket);
    const closed = new Promise<number>((resolve) => {
      socket.once('close', () => {
        this.#sockets.delete(socket);
        resolve(performance.now());
      });
    });
    // What the peer does to the connection is what tests look at; its errors are part of that.
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    if (this.#options.onConnection?.(socket, connection) === false) return;
    let pending = Buffer.alloc(0);
    let running = Promise.resolve();
    socket.on('data', (bytes: Buffer) => {
      pending = Buffer.concat([pending, bytes]);
      for (let parsed = parseRequest(pending); parsed !== undefined; parsed = parseRequest(pending)) {
        pending = pending.subarray(parsed.end);
        const request = this.#record({ ...parsed, connection, closed });
        running = running.then(() => this.#perform({ socket, request }));
      }
    });
  }

  #record(parsed: Omit<ReceivedRequest, 'json'>): ReceivedRequest {
    const { connection, method, path, headers, body, closed } = parsed;
    const json = (): unknown => JSON.parse(body.toString());
    const request: ReceivedRequest = { connection, method, path, headers, body, closed, json };
    const index = this.requests.push(request) - 1;
    for (const arrival of this.#arrivals) if (arrival.index === index) arrival.resolve(request);
    return request;
  }

  async #perform(peer: Peer): Promise<void> {
    const script = this.#script;
    const steps =
      typeof script === 'function' ? script(peer.request, this.requests.indexOf(peer.request)) : script;
    for (const step of steps) {
      if (peer.socket.destroyed) return;
      await step(peer);
    }
  }
}

/** Starts a fault server on a loopback port. */
export async function startUpstream(script: Script, options: UpstreamOptions = {}): Promise<TestUpstream> {
  const server = new ScriptedServer(script, options);
  await server.listen();
  return server;
}
