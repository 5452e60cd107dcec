import type { Dispatcher } from 'undici';
import { ObeliskError } from '../shared/errors.ts';
import { CoarseClock } from './coarse-clock.ts';
import type { Watched } from './coarse-clock.ts';
import type { Headers } from './http.ts';
import { ConnectionPool } from './upstream-connection.ts';
import type { Connection } from './upstream-connection.ts';
import { invalidAnswer, isStaleSocket, toUpstreamError, urlOf } from './upstream-error.ts';
import type { Progress } from './upstream-error.ts';
import { receive } from './upstream-response.ts';
import type {
  Exchange,
  UpstreamClient,
  UpstreamRequest,
  UpstreamResponse,
  UpstreamSink,
} from './upstream.ts';

/** Resolution of the four clocks, in milliseconds. */
const TICK_MS = 50;
/** Interim responses (1xx) tolerated before the real one. */
const MAX_INTERIM = 8;

/** Settings of an upstream client. */
export type UpstreamClientOptions = {
  /** Resolution of the four clocks, in milliseconds; 50 unless tests need a finer one. */
  readonly tickMs?: number;
  /** PEM certificates to trust instead of the system's. */
  readonly certificates?: string;
};

type Phase = 'connecting' | 'waiting' | 'reading' | 'over';

type Headline = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>;

function isFlat(headers: Headline[2]): headers is Record<string, string> {
  for (const name in headers) if (typeof headers[name] !== 'string') return false;
  return true;
}

function toHeaders(headers: Headline[2]): Headers {
  if (isFlat(headers)) return headers;
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}

/** Headers as undici's flat list; it frames the message and names the host itself. */
function toHeaderList(headers: Headers): string[] {
  const list = ['accept-encoding', 'identity'];
  for (const name in headers) {
    if (name !== 'accept-encoding') list.push(name, headers[name] ?? '');
  }
  return list;
}

/** One request on its way: undici's handler, the caller's control and the four clocks in one object. */
class ActiveExchange implements Exchange, Watched, Dispatcher.DispatchHandler {
  readonly #request: UpstreamRequest;
  readonly #sink: UpstreamSink;
  readonly #pool: ConnectionPool;
  readonly #clock: CoarseClock;
  #connection: Connection;
  #controller: Dispatcher.DispatchController | undefined;
  #phase: Phase = 'connecting';
  #startMs = 0;
  #phaseMs = 0;
  #interim = 0;
  #progress: Progress = 'nothing';
  #sending = true;
  #retried = false;

  constructor(
    request: UpstreamRequest,
    sink: UpstreamSink,
    at: { pool: ConnectionPool; clock: CoarseClock },
  ) {
    this.#request = request;
    this.#sink = sink;
    this.#pool = at.pool;
    this.#clock = at.clock;
    this.#connection = at.pool.acquire();
  }

  start(): void {
    this.#clock.watch(this);
    this.#startMs = this.#clock.nowMs;
    this.#phaseMs = this.#startMs;
    this.#dispatch();
    this.#sending = false;
  }

  resume(): void {
    this.#phaseMs = this.#clock.nowMs;
    this.#controller?.resume();
  }

  abort(): void {
    if (this.#over()) this.#connection.close();
  }

  onTick(): void {
    const { clocks } = this.#request;
    if (this.#clock.elapsedMs(this.#startMs) >= clocks.totalMs) {
      this.#expire(`did not finish within ${clocks.totalMs} ms`);
      return;
    }
    const spentMs = this.#clock.elapsedMs(this.#phaseMs);
    if (this.#phase === 'connecting' && spentMs >= clocks.connectMs) {
      const message = `${urlOf(this.#request)} accepted no connection within ${clocks.connectMs} ms; is it running and reachable?`;
      this.#fail(new ObeliskError('upstream_unreachable', message));
    } else if (this.#phase === 'waiting' && spentMs >= clocks.firstByteMs) {
      this.#expire(`sent no response head within ${clocks.firstByteMs} ms`);
    } else if (this.#phase === 'reading' && spentMs >= clocks.idleMs && this.#controller?.paused !== true) {
      this.#expire(`fell silent for ${clocks.idleMs} ms in the middle of its answer`);
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#phase = 'waiting';
    this.#phaseMs = this.#clock.nowMs;
  }

  onResponseStarted(): void {
    this.#progress = 'something';
  }

  onResponseStart(...[, status, headers]: Headline): void {
    if (this.#phase === 'over') return;
    if (status < 200) {
      this.#interim += 1;
      if (this.#interim > MAX_INTERIM) this.#refuse(`with more than ${MAX_INTERIM} interim responses`);
      return;
    }
    if (status >= 300 && status < 400) {
      this.#refuse(`${status}, a redirect, which is never followed`);
      return;
    }
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      this.#refuse('in a content-encoding although identity was asked for');
      return;
    }
    this.#phase = 'reading';
    this.#progress = 'head';
    this.#phaseMs = this.#clock.nowMs;
    this.#sink.onHead(status, toHeaders(headers));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#phase === 'over') return;
    this.#phaseMs = this.#clock.nowMs;
    if (!this.#sink.onData(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (!this.#over()) return;
    this.#connection.release();
    this.#sink.onEnd();
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#sending) {
      queueMicrotask(() => this.#onFailure(error));
      return;
    }
    this.#onFailure(error);
  }

  #onFailure(error: Error): void {
    if (this.#phase === 'over') return;
    if (this.#connection.reused && this.#progress === 'nothing' && !this.#retried && isStaleSocket(error)) {
      this.#retryOnce();
      return;
    }
    this.#fail(toUpstreamError(this.#request, error, this.#progress));
  }

  /** A peer may close an idle socket while a request is on its way to it: the request was not read. */
  #retryOnce(): void {
    this.#retried = true;
    this.#connection.close();
    this.#connection = this.#pool.create();
    this.#phase = 'connecting';
    this.#phaseMs = this.#clock.nowMs;
    this.#dispatch();
  }

  #dispatch(): void {
    const { method, path, headers, body } = this.#request;
    this.#connection.dispatch({ method, path, headers: toHeaderList(headers), body: body ?? null }, this);
  }

  /** Ends the exchange for everybody; false when it was over already. */
  #over(): boolean {
    if (this.#phase === 'over') return false;
    this.#phase = 'over';
    this.#clock.unwatch(this);
    return true;
  }

  #fail(error: ObeliskError): void {
    if (!this.#over()) return;
    this.#connection.close();
    this.#sink.onError(error);
  }

  #expire(what: string): void {
    this.#fail(
      new ObeliskError('upstream_timeout', `${urlOf(this.#request)} ${what}; look at its load and its log`),
    );
  }

  #refuse(what: string): void {
    this.#fail(invalidAnswer(this.#request, what));
  }
}

class PooledClient implements UpstreamClient {
  readonly #pools = new Map<string, ConnectionPool>();
  readonly #clock: CoarseClock;
  readonly #certificates: string | undefined;

  constructor(options: UpstreamClientOptions) {
    this.#clock = new CoarseClock(options.tickMs ?? TICK_MS);
    this.#certificates = options.certificates;
  }

  send(request: UpstreamRequest, sink: UpstreamSink): Exchange {
    let pool = this.#pools.get(request.origin);
    if (pool === undefined) {
      pool = new ConnectionPool(request.origin, this.#certificates);
      this.#pools.set(request.origin, pool);
    }
    const exchange = new ActiveExchange(request, sink, { pool, clock: this.#clock });
    exchange.start();
    return exchange;
  }

  request(request: UpstreamRequest, signal?: AbortSignal): Promise<UpstreamResponse> {
    return receive(this, request, signal);
  }

  async close(): Promise<void> {
    for (const pool of this.#pools.values()) pool.close();
    this.#pools.clear();
  }
}

/** Creates the HTTP client for upstreams. It holds no socket and no timer until its first request. */
export function createUpstreamClient(options: UpstreamClientOptions = {}): UpstreamClient {
  return new PooledClient(options);
}
