/**
 * The seam between handlers and transports. A handler knows neither node:http nor sockets: the
 * same function serves a socket, a later codec of our own, and a call inside the process.
 */

/** Header names in lower case. Repeated headers are joined by node's rules (`, `). */
export type Headers = Readonly<Record<string, string>>;

/** One request, as a handler sees it. */
export type HttpRequest = {
  readonly method: string;
  /** Path without the query, still percent-encoded, as received. */
  readonly path: string;
  /** Query without `?`; empty when there is none. */
  readonly query: string;
  /** Looks a header up; `name` in lower case. */
  header(name: string): string | undefined;
  /** Peer address, or `process` for a call inside the process, which is trusted. */
  readonly remoteAddress: string;
  /**
   * Reads the whole body; gives it at once where all of it has arrived.
   * @throws ObeliskError `payload_too_large` past `limitBytes`, `request_timeout`, `client_gone`,
   *   `invalid_request` where what came is no body; as a rejection where it has to be waited for.
   */
  body(limitBytes: number): Buffer | Promise<Buffer>;
  /**
   * Takes the body as it arrives instead, whatever its length. Absent where the transport only has it
   * whole. Once `signal` aborts, reading ends with an error.
   */
  stream?(signal: AbortSignal): RequestStream;
  /**
   * Calls `listener` once, never before this returns, when the client has gone before the response
   * ended, or had already. Returns an undo.
   */
  onGone(listener: () => void): () => void;
};

/** The body of a request that is too long to be held. */
export type RequestStream = {
  /** Its length in bytes, where the client has said it. */
  readonly bytes: number | undefined;
  /**
   * Opens it; called once. The client sends no faster than this is read. What is left when the loop is
   * left is not waited for. Throws ObeliskError: `request_timeout` when nothing arrives for as long as a
   * whole body may take otherwise, `client_gone`.
   */
  open(): AsyncIterable<Buffer>;
};

/** The response to one request. `head` is called exactly once, before `write` or `end`. */
export type HttpResponse = {
  /** Whether `head` was called. */
  readonly started: boolean;
  /** Whether the response has ended or its client is gone. */
  readonly closed: boolean;
  /** Whether the system has all that was written: nobody reads its memory any more. Absent where that cannot be told. */
  readonly sent?: boolean;
  head(status: number, headers: Headers): void;
  /** Sends bytes (strings as UTF-8). False means: wait for `drain` before writing more. */
  write(chunk: Uint8Array | string): boolean;
  /** Calls `listener` once when the client can take more, or is gone. */
  onDrain(listener: () => void): void;
  end(chunk?: Uint8Array | string): void;
  /** Closes the connection at once, complete or not: for a client that has stopped reading. */
  destroy(): void;
};

/** Serves one request. A rejection is answered by the transport's `onError`. */
export type Handler = (request: HttpRequest, response: HttpResponse) => void | Promise<void>;
