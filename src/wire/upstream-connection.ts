import type { CoarseClock, Watched } from './coarse-clock.ts';
import type { Headers } from './http.ts';
import type { UpstreamRequest } from './upstream.ts';

/** Longest time that an unused connection is kept, in milliseconds. */
const KEEP_ALIVE_MS = 30_000;
/** How much sooner than its server says an unused connection is given up, in milliseconds. */
const EARLIER_MS = 2_000;

/** What becomes of one request on a connection. Nothing is called before `Connection.send` has returned. */
export type ConnectionEvents = {
  /** A new connection is there, and the request is on its way. */
  onConnected(): void;
  /** A piece of a streamed body was taken. */
  onSent(): void;
  /** The first byte of an answer has arrived. */
  onFirstByte(): void;
  onInterim(): void;
  onHead(status: number, headers: Headers): void;
  /** False stops reading until `Connection.resume()`; the rest of what was read already still follows. */
  onData(chunk: Buffer): boolean;
  /** The response is whole; the connection has been given back or closed. The last call. */
  onComplete(): void;
  /** The request failed, and the connection is of no more use. The last call. */
  onFailure(error: Error): void;
};

/** One connection to an origin, carrying at most one request at a time. Made by its pool, opened by its first request. */
export type Connection = {
  /** Whether it has carried a whole response already, so that it may have gone stale. */
  readonly reused: boolean;
  /** Whether it is open and the system has all of its last request; absent where that cannot be told. */
  readonly sent?: boolean;
  /** While it carries nothing: when it is to be closed, on its pool's clock, in milliseconds. */
  idleUntilMs: number;
  /**
   * Sends a request.
   * @throws TypeError where the request would not be one message.
   */
  send(request: UpstreamRequest, events: ConnectionEvents): void;
  /** Goes on reading. */
  resume(): void;
  /** Closes the socket at once, also while it is still connecting; says nothing. */
  close(): void;
  /** The same, telling a running request. */
  abandon(error: Error): void;
};

/** Makes the connections of a pool. */
export type ConnectionFactory = (pool: ConnectionPool) => Connection;

/** The connections to one origin. The warmest idle one is used first, so that the rest can expire. */
export class ConnectionPool implements Watched {
  listedBefore: Watched | undefined;
  listedAfter: Watched | undefined;
  readonly #create: ConnectionFactory;
  /** Gives the time, and looks at idle connections on every tick. */
  readonly #clock: CoarseClock;
  readonly #all = new Set<Connection>();
  readonly #idle: Connection[] = [];

  constructor(create: ConnectionFactory, clock: CoarseClock) {
    this.#create = create;
    this.#clock = clock;
  }

  /** Number of open connections. */
  get size(): number {
    return this.#all.size;
  }

  /** Number of open connections that carry nothing. */
  get idle(): number {
    return this.#idle.length;
  }

  /** An idle connection, or a new one. */
  acquire(): Connection {
    return this.#idle.pop() ?? this.create();
  }

  /** A new connection, connected by its first request. */
  create(): Connection {
    const connection = this.#create(this);
    this.#all.add(connection);
    return connection;
  }

  /**
   * Takes a connection back after a whole response.
   *
   * @param keepAliveSeconds How long the server says that it keeps it.
   */
  release(connection: Connection, keepAliveSeconds: number | undefined): void {
    const keepMs = keepAliveSeconds === undefined ? KEEP_ALIVE_MS : keepAliveSeconds * 1000 - EARLIER_MS;
    if (keepMs <= 0) {
      connection.close();
      return;
    }
    if (this.#idle.length === 0) this.#clock.watch(this);
    connection.idleUntilMs = this.#clock.nowMs + Math.min(keepMs, KEEP_ALIVE_MS);
    this.#idle.push(connection);
  }

  /** Hears that a connection was closed. */
  forget(connection: Connection): void {
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
  }

  onTick(nowMs: number): void {
    const expired = this.#idle.filter(({ idleUntilMs }) => idleUntilMs <= nowMs);
    for (const connection of expired) connection.close();
    if (this.#idle.length === 0) this.#clock.unwatch(this);
  }

  /** Closes every connection; running requests fail with `error`. */
  close(error: Error): void {
    for (const connection of this.#all) connection.abandon(error);
    this.#clock.unwatch(this);
  }
}
