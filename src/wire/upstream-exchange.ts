import { ObeliskError } from '../shared/errors.ts';
import { isStreamed } from './body-stream.ts';
import type { CoarseClock, Watched } from './coarse-clock.ts';
import type { Headers } from './http.ts';
import type { Connection, ConnectionEvents, ConnectionPool } from './upstream-connection.ts';
import { ConnectTimedOut, invalidAnswer, isStaleSocket, toUpstreamError, urlOf } from './upstream-error.ts';
import type { Progress } from './upstream-error.ts';
import type { Exchange, UpstreamRequest, UpstreamSink } from './upstream.ts';

/** Interim responses (1xx) tolerated before the real one. */
const MAX_INTERIM = 8;

/** Time in which a connection that its peer had closed already shows it, in milliseconds: a round trip, and then some. */
const STALE_MS = 1_000;

/** What an exchange needs of its client. */
export type ExchangePlace = {
  readonly clock: CoarseClock;
  /**
   * The connections to an origin.
   * @throws Error where there can be none.
   */
  poolOf(origin: string): ConnectionPool;
};

type Phase = 'connecting' | 'waiting' | 'reading' | 'over';

/** One request on its way: what a connection tells, the caller's control and the four clocks in one object. */
export class ActiveExchange implements Exchange, Watched, ConnectionEvents {
  listedBefore: Watched | undefined;
  listedAfter: Watched | undefined;
  #request: UpstreamRequest;
  readonly #sink: UpstreamSink;
  readonly #place: ExchangePlace;
  #connection: Connection | undefined;
  #phase: Phase = 'connecting';
  #startMs = 0;
  #phaseMs = 0;
  #interim = 0;
  #progress: Progress = 'nothing';
  #paused = false;
  #retried = false;

  constructor(request: UpstreamRequest, sink: UpstreamSink, place: ExchangePlace) {
    this.#request = request;
    this.#sink = sink;
    this.#place = place;
  }

  /** Sends the request; the sink hears of everything later. */
  start(): void {
    const { clock } = this.#place;
    clock.watch(this);
    this.#startMs = clock.nowMs;
    try {
      const pool = this.#place.poolOf(this.#request.origin);
      // What is streamed cannot be sent again, as a connection that went stale would ask for.
      this.#dispatch(isStreamed(this.#request.body) ? pool.create() : pool.acquire());
    } catch (error) {
      queueMicrotask(() => this.onFailure(error));
    }
  }

  get sent(): boolean {
    return !this.#retried && this.#connection?.sent === true;
  }

  resume(): void {
    if (this.#phase === 'over') return;
    this.#paused = false;
    this.#phaseMs = this.#place.clock.nowMs;
    this.#connection?.resume();
  }

  abort(): void {
    if (this.#over()) this.#connection?.close();
  }

  onTick(): void {
    const { clock } = this.#place;
    const { clocks } = this.#request;
    if (clock.elapsedMs(this.#startMs) >= clocks.totalMs) {
      this.#expire(`did not finish within ${Math.round(clocks.totalMs)} ms`);
      return;
    }
    const spentMs = clock.elapsedMs(this.#phaseMs);
    if (this.#phase === 'connecting' && spentMs >= clocks.connectMs) {
      const message = `${urlOf(this.#request)} accepted no connection within ${Math.round(clocks.connectMs)} ms; is it running and reachable?`;
      this.#fail(new ObeliskError('upstream_unreachable', message, { cause: new ConnectTimedOut() }));
    } else if (this.#phase === 'waiting' && spentMs >= clocks.firstByteMs) {
      this.#expire(`sent no response head within ${Math.round(clocks.firstByteMs)} ms`);
    } else if (this.#phase === 'reading' && spentMs >= clocks.idleMs && !this.#paused) {
      this.#expire(`fell silent for ${Math.round(clocks.idleMs)} ms in the middle of its answer`);
    }
  }

  onConnected(): void {
    this.#enter('waiting');
  }

  onSent(): void {
    if (this.#phase === 'waiting') this.#phaseMs = this.#place.clock.nowMs;
  }

  onFirstByte(): void {
    this.#progress = 'something';
  }

  onInterim(): void {
    this.#interim += 1;
    if (this.#interim > MAX_INTERIM) this.#refuse(`with more than ${MAX_INTERIM} interim responses`);
  }

  onHead(status: number, headers: Headers): void {
    if (this.#phase === 'over') return;
    if (status >= 300 && status < 400) {
      this.#refuse(`${status}, a redirect, which is never followed`);
      return;
    }
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      this.#refuse('in a content-encoding although identity was asked for');
      return;
    }
    this.#enter('reading');
    this.#progress = 'head';
    // It is not sent again, and an answer may outlast its request's body by minutes.
    const { origin, path, method, headers: sent, clocks } = this.#request;
    this.#request = { origin, path, method, headers: sent, clocks };
    try {
      this.#sink.onHead(status, headers);
    } catch (error) {
      this.onFailure(error);
    }
  }

  onData(chunk: Buffer): boolean {
    if (this.#phase === 'over') return true;
    this.#phaseMs = this.#place.clock.nowMs;
    try {
      if (this.#sink.onData(chunk)) return true;
    } catch (error) {
      this.onFailure(error);
    }
    this.#paused = true;
    return false;
  }

  onComplete(): void {
    if (this.#over()) this.#sink.onEnd();
  }

  onFailure(error: unknown): void {
    if (this.#phase === 'over') return;
    if (this.#mayBeStale() && !this.#retried && isStaleSocket(error)) this.#retryOnce();
    else this.#fail(toUpstreamError(this.#request, error, this.#progress));
  }

  /** Later the request has been read: it may have been worked on, so that sending it again is an attempt. */
  #mayBeStale(): boolean {
    if (this.#connection?.reused !== true || this.#progress !== 'nothing') return false;
    return this.#place.clock.elapsedMs(this.#phaseMs) < STALE_MS;
  }

  /** A peer may close an idle socket while a request is on its way to it: the request was not read. */
  #retryOnce(): void {
    this.#retried = true;
    this.#connection?.close();
    try {
      this.#dispatch(this.#place.poolOf(this.#request.origin).create());
    } catch (error) {
      this.onFailure(error);
    }
  }

  #dispatch(connection: Connection): void {
    this.#connection = connection;
    this.#enter(connection.reused ? 'waiting' : 'connecting');
    connection.send(this.#request, this);
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#phaseMs = this.#place.clock.nowMs;
  }

  /** Ends the exchange for everybody; false when it was over already. */
  #over(): boolean {
    if (this.#phase === 'over') return false;
    this.#phase = 'over';
    this.#place.clock.unwatch(this);
    return true;
  }

  #fail(error: ObeliskError): void {
    if (!this.#over()) return;
    this.#connection?.close();
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
