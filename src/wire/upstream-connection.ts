import { createRequire } from 'node:module';
import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import type { Client, Dispatcher, buildConnector } from 'undici';

/** Longest response head accepted, in bytes. */
const MAX_HEADER_BYTES = 64 * 1024;
/** How long an unused connection is kept, in milliseconds, unless the server's own hint is shorter. */
const KEEP_ALIVE_MS = 30_000;
/** Interval of TCP keep-alive probes, in milliseconds. */
const PROBE_MS = 60_000;

type ClientConstructor = new (origin: string, options: Client.Options) => Client;

/**
 * Loads undici's `Client` alone: the package's index pulls in fetch, WebSocket and caches, which costs
 * six times as much at start. The version is pinned exactly, so the path is as stable as its types.
 */
function loadClient(): ClientConstructor {
  const loaded: unknown = createRequire(import.meta.url)('undici/lib/dispatcher/client.js');
  if (typeof loaded !== 'function') throw new TypeError('undici/lib/dispatcher/client.js exports no class');
  return loaded as ClientConstructor;
}

/** One connection to an origin, carrying at most one exchange at a time. */
export class Connection {
  readonly #pool: ConnectionPool;
  readonly #client: Client;
  #socket: Socket | undefined;
  #served = false;
  #closed = false;

  constructor(pool: ConnectionPool, client: ClientConstructor, origin: string) {
    this.#pool = pool;
    this.#client = new client(origin, {
      allowH2: false,
      pipelining: 1,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      connect: (options, callback) => {
        this.#socket = this.#pool.open(options, callback);
      },
    });
    this.#client.on('disconnect', () => {
      this.#served = false;
      this.#socket = undefined;
      this.#pool.onDisconnect(this);
    });
  }

  /** Whether the present socket has already carried a whole response, so that it may have gone stale. */
  get reused(): boolean {
    return this.#served;
  }

  /** Sends a request; the handler's errors may arrive before this returns. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#client.dispatch(options, handler);
  }

  /** Hands the connection back after a whole response. */
  release(): void {
    this.#served = true;
    this.#pool.onIdle(this);
  }

  /** Closes the socket at once, also while it is still connecting. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pool.onClosed(this);
    this.#client.destroy(() => undefined);
    this.#socket?.destroy();
  }
}

/** The connections to one origin. The warmest idle one is used first, so that the rest can expire. */
export class ConnectionPool {
  readonly #origin: string;
  readonly #certificates: string | undefined;
  readonly #all = new Set<Connection>();
  readonly #idle: Connection[] = [];
  #client: ClientConstructor | undefined;
  #session: Buffer | undefined;

  /** @param certificates PEM certificates to trust instead of the system's. */
  constructor(origin: string, certificates?: string) {
    this.#origin = origin;
    this.#certificates = certificates;
  }

  /** Number of open connections. */
  get size(): number {
    return this.#all.size;
  }

  /** An idle connection, or a new one. */
  acquire(): Connection {
    return this.#idle.pop() ?? this.create();
  }

  /** A new connection, connected by its first request. */
  create(): Connection {
    this.#client ??= loadClient();
    const connection = new Connection(this, this.#client, this.#origin);
    this.#all.add(connection);
    return connection;
  }

  /** Closes every connection. */
  close(): void {
    for (const connection of this.#all) connection.close();
  }

  onIdle(connection: Connection): void {
    if (this.#all.has(connection)) this.#idle.push(connection);
  }

  /** A busy connection hears of it through its exchange; an idle one has no further use. */
  onDisconnect(connection: Connection): void {
    if (this.#idle.includes(connection)) connection.close();
  }

  onClosed(connection: Connection): void {
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
  }

  /** Opens a socket for undici, which learns of it when it is ready or has failed. */
  open(options: buildConnector.Options, callback: buildConnector.Callback): Socket {
    const host = options.hostname.replace(/^\[(.*)\]$/, '$1');
    const secure = options.protocol === 'https:';
    const port = Number(options.port) || (secure ? 443 : 80);
    const socket = secure ? this.#openTls(host, port) : connectTcp({ host, port });
    let settled = false;
    socket.setNoDelay(true).setKeepAlive(true, PROBE_MS);
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      settled = true;
      callback(null, socket);
    });
    socket.on('error', (error) => {
      if (settled) return;
      settled = true;
      callback(error, null);
    });
    return socket;
  }

  #openTls(host: string, port: number): Socket {
    const tls = process.getBuiltinModule('node:tls');
    const socket = tls.connect({
      host,
      port,
      ALPNProtocols: ['http/1.1'],
      ...(this.#session === undefined ? {} : { session: this.#session }),
      ...(this.#certificates === undefined ? {} : { ca: this.#certificates }),
    });
    return socket.on('session', (session: Buffer) => {
      this.#session = session;
    });
  }
}
