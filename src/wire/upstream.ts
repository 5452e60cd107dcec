import type { ObeliskError } from '../shared/errors.ts';
import type { Headers } from './http.ts';

/** Deadlines of one exchange with an upstream, in milliseconds, all monotonic. */
export type Clocks = {
  /** TCP and TLS set-up. */
  readonly connectMs: number;
  /** From the request being sent to the response head. */
  readonly firstByteMs: number;
  /** Between two reads of the body. */
  readonly idleMs: number;
  /** The whole exchange. */
  readonly totalMs: number;
};

/** Clocks for a server somewhere else: it answers soon or is broken. */
export const REMOTE_CLOCKS: Clocks = {
  connectMs: 3_000,
  firstByteMs: 60_000,
  idleMs: 60_000,
  totalMs: 1_800_000,
};

/** Clocks for a local model server: a cold model loads for minutes in silence. */
export const LOCAL_CLOCKS: Clocks = {
  connectMs: 3_000,
  firstByteMs: 600_000,
  idleMs: 300_000,
  totalMs: 1_800_000,
};

/** Bytes of a message, in one piece or in several that follow each other. */
export type Body = Buffer | readonly Buffer[];

/** Bytes of a message that are read while they are sent, for what is too large to be held. */
export type BodyStream = {
  /** Their number, which must be right; sent in chunks where it is not known beforehand. */
  readonly bytes: number | undefined;
  /** Opens them; called once. What reading throws ends the request with that error. */
  open(): AsyncIterable<Uint8Array>;
};

/** One request to an upstream. */
export type UpstreamRequest = {
  /** Scheme, host and port: `http://127.0.0.1:11434`. */
  readonly origin: string;
  /** Path with query, starting with `/`. */
  readonly path: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'HEAD';
  /** Lower-case names. `accept-encoding: identity` is added by the client. */
  readonly headers: Headers;
  /** A stream takes a connection of its own, and time in which it is taken does not count as waiting. */
  readonly body?: Body | string | BodyStream;
  readonly clocks: Clocks;
};

/**
 * Receives one response. Exactly one of `onEnd` and `onError` is called, last and once; after
 * `Exchange.abort()` neither is. Callbacks are never called before `send` has returned.
 */
export type UpstreamSink = {
  onHead(status: number, headers: Headers): void;
  /**
   * False pauses the upstream until `Exchange.resume()`; what was read with the chunk, at most 128 KiB,
   * may still follow, and the end with it.
   */
  onData(chunk: Buffer): boolean;
  /** The framing of the message is complete. Whether the answer is complete, its dialect decides. */
  onEnd(): void;
  onError(error: ObeliskError): void;
};

/** Control over a running exchange. */
export type Exchange = {
  /** Whether the system has all of the request: nobody reads its body's memory any more. */
  readonly sent: boolean;
  resume(): void;
  /** Closes the upstream connection at once; the sink hears nothing more. */
  abort(): void;
};

/** A response whose body is read on demand. */
export type UpstreamResponse = {
  readonly status: number;
  readonly headers: Headers;
  /** The body as it arrives. Leaving the loop early closes the connection. Throws ObeliskError. */
  readonly body: AsyncIterable<Buffer>;
  /**
   * The whole body.
   * @throws ObeliskError `upstream_invalid` past `limitBytes`.
   */
  bytes(limitBytes: number): Promise<Buffer>;
};

/** The one HTTP client for every upstream: pools per origin, clocks, no redirects, no decoding. */
export type UpstreamClient = {
  /** The hot path: callbacks, no promises. */
  send(request: UpstreamRequest, sink: UpstreamSink): Exchange;
  /**
   * Sends and waits for the response head.
   * @throws ObeliskError `upstream_unreachable`, `upstream_timeout`, `upstream_invalid`;
   *   `client_gone` when `signal` aborts.
   */
  request(request: UpstreamRequest, signal?: AbortSignal): Promise<UpstreamResponse>;
  /** How many connections are open, and how many of them carry nothing. */
  connections(): { readonly open: number; readonly idle: number };
  /** Closes every connection; requests that run, and any later one, fail with `overloaded`. */
  close(): Promise<void>;
};
