import { isObeliskError, messageOf, ObeliskError } from '../shared/errors.ts';
import type { ErrorCode } from '../shared/errors.ts';
import type { LogFields, Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { AnswerTiming, Usage } from '../providers/chat.ts';
import { toErrorBody } from '../providers/openai/error-body.ts';
import type { Headers, HttpRequest, HttpResponse } from '../wire/http.ts';
import { ONE_PIECE_BYTES, sendLong } from './long-answer.ts';
import type { OpenCall, OpenCalls } from './open-calls.ts';

/** How a request ended: exactly one per request. */
export type Outcome = 'ok' | 'client_gone' | `error:${ErrorCode}`;

/** What a call reports to when it has ended. */
export type CallObserver = {
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Milliseconds that never go back. */
  readonly monotonicMs: () => number;
  /** Holds the call until it has ended. */
  readonly calls: OpenCalls;
};

/** Errors that a retry, which SDKs do on their own for every 5xx, cannot mend. */
const HOPELESS: ReadonlySet<ErrorCode> = new Set(['upstream_auth', 'loop_detected', 'model_unavailable']);

/** Messages of these codes are always ours alone; others may quote an upstream, which may quote the prompt. */
const LOGGED_REASON: ReadonlySet<ErrorCode> = new Set(['upstream_unreachable', 'upstream_auth']);

/** What a page of another origin may read, as SDKs and plugins do. */
const EXPOSED_HEADERS =
  'x-request-id, retry-after, x-should-retry, x-obelisk-deployment, x-obelisk-attempts, x-obelisk-options-ignored, x-obelisk-queue-position, x-obelisk-queue-wait, x-obelisk-timing, x-obelisk-reload, x-obelisk-writer';

const JSON_TYPE = 'application/json; charset=utf-8';

/** One request with its response, from its head to its one outcome. */
export class Call implements OpenCall {
  listedBefore: OpenCall | undefined;
  listedAfter: OpenCall | undefined;
  /** In `x-request-id` and in the log. */
  readonly id: string;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  /** Pattern of the matched route. */
  route = '(none)';
  /** Whether the caller may see what only the owner may; looked at where the route does not say it. */
  authorized = false;
  /** Whether only a failure is worth a line of the log above `debug`: probes and parts of the page. */
  quiet = false;
  /** Instances of Obelisk that the request has come through; empty for a client's own. */
  hops = '';
  /** Origin of another site that may read the answer. */
  corsOrigin: string | undefined;
  /** Public name of the model, once it is known to exist. */
  model = '';
  deploymentId = '';
  /** Attempts at upstreams so far. */
  attempts = 0;
  usage: Usage | undefined;
  /** Where the time went, as far as the model's server says. */
  timing: AnswerTiming | undefined;
  /** Pieces of the answer so far, about a token each: counted as such where the upstream's own count never came. */
  pieces = 0;
  /** Writes an error as the client's dialect has it. */
  errorBody: (error: ObeliskError) => string = toErrorBody;
  /** Ends what is under way with an error; set by whoever answers in more than one step. */
  interrupted: ((error: ObeliskError) => void) | undefined;
  readonly #observer: CallObserver;
  readonly #startedMs: number;
  #firstTokenMs: number | undefined;
  #status = 0;
  #settled = false;

  constructor(
    id: string,
    exchange: { request: HttpRequest; response: HttpResponse },
    observer: CallObserver,
  ) {
    this.id = id;
    this.request = exchange.request;
    this.response = exchange.response;
    this.#observer = observer;
    this.#startedMs = observer.monotonicMs();
    observer.metrics.requestStarted();
    observer.calls.add(this);
  }

  /** Sends the response's head with the headers that every response has. */
  head(status: number, headers: Headers): void {
    this.#open(status, { ...headers });
  }

  /** Sends a whole response and settles the call once all of it was handed over. */
  send(status: number, headers: Headers, body: Uint8Array | string): void {
    this.#sendWhole(status, { ...headers }, body);
  }

  #sendWhole(status: number, headers: Record<string, string>, body: Uint8Array | string): void {
    if (this.response.closed) {
      this.settle('client_gone');
      return;
    }
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    headers['content-length'] = `${length}`;
    this.#open(status, headers);
    if (length > ONE_PIECE_BYTES) {
      sendLong(this.response, body, (complete) => this.settle(complete ? 'ok' : 'client_gone'));
      return;
    }
    this.response.end(body);
    this.settle('ok');
  }

  /** Sends JSON and settles the call. */
  json(status: number, body: Uint8Array | string, headers?: Headers): void {
    const all = { 'content-type': JSON_TYPE };
    this.#sendWhole(status, headers === undefined ? all : { ...all, ...headers }, body);
  }

  /** Calls `listener` once when the client has gone, at once where it has already. Returns an undo. */
  onGone(listener: () => void): () => void {
    if (!this.response.closed) return this.request.onGone(listener);
    listener();
    return () => undefined;
  }

  /** Notes that the first token has come. */
  markFirstToken(): void {
    this.#firstTokenMs ??= this.#observer.monotonicMs() - this.#startedMs;
  }

  /**
   * Ends the call before its answer is complete, because the server ends: a stream with an error
   * frame, what has not begun with the error as its answer.
   */
  interrupt(error: ObeliskError): void {
    if (this.#settled) return;
    if (this.interrupted) this.interrupted(error);
    else this.fail(error);
  }

  /**
   * Answers with an error in the client's shape and settles the call. Where the response has begun
   * there is nothing left to say to the client, so the connection is closed.
   */
  fail(thrown: unknown, headers: Headers = {}): void {
    const error = this.toError(thrown);
    if (error.code === 'client_gone' || this.response.closed) {
      this.settle('client_gone', error);
      return;
    }
    if (this.response.started) {
      this.response.destroy();
    } else {
      const body = this.errorBody(error);
      this.#open(error.status, {
        'content-type': JSON_TYPE,
        'content-length': String(Buffer.byteLength(body)),
        ...(error.retryAfter === undefined ? {} : { 'retry-after': String(Math.ceil(error.retryAfter)) }),
        ...(HOPELESS.has(error.code) ? { 'x-should-retry': 'false' } : {}),
        ...headers,
      });
      this.response.end(body);
    }
    this.settle(`error:${error.code}`, error);
  }

  #open(status: number, headers: Record<string, string>): void {
    this.#status = status;
    headers['x-request-id'] = this.id;
    if (this.deploymentId !== '') headers['x-obelisk-deployment'] = toHeaderValue(this.deploymentId);
    if (this.attempts > 0) headers['x-obelisk-attempts'] = String(this.attempts);
    if (this.corsOrigin !== undefined) {
      headers['access-control-allow-origin'] = this.corsOrigin;
      headers['access-control-expose-headers'] = EXPOSED_HEADERS;
      headers['vary'] = 'origin';
    }
    this.response.head(status, headers);
  }

  /** Our own error as it is; anything else is a defect: logged with its stack, told as `internal`. */
  toError(thrown: unknown): ObeliskError {
    if (isObeliskError(thrown)) return thrown;
    this.#observer.logger.error('unexpected error', {
      requestId: this.id,
      route: this.route,
      error: messageOf(thrown),
      stack: thrown instanceof Error ? thrown.stack : undefined,
    });
    return new ObeliskError('internal', `internal error; the log has the details under ${this.id}`, {
      cause: thrown,
    });
  }

  /** Ends the call: the first outcome counts, and is counted and logged once. */
  settle(outcome: Outcome, error?: ObeliskError): void {
    if (this.#settled) return;
    this.#settled = true;
    const { metrics, logger, monotonicMs, calls } = this.#observer;
    calls.delete(this);
    const durationMs = monotonicMs() - this.#startedMs;
    metrics.requestEnded({
      route: this.route,
      model: this.model,
      outcome,
      durationMs,
      firstTokenMs: this.#firstTokenMs,
      promptTokens: this.usage?.promptTokens,
      completionTokens: this.#completionTokens(),
    });
    const level = outcome.startsWith('error:') ? 'warn' : this.quiet ? 'debug' : 'info';
    logger[level]('request', this.#logFields(outcome, durationMs, error));
  }

  #completionTokens(): number | undefined {
    if (this.usage !== undefined || this.pieces === 0) return this.usage?.completionTokens;
    return this.pieces;
  }

  #logFields(outcome: Outcome, durationMs: number, error: ObeliskError | undefined): LogFields {
    const fields = {
      requestId: this.id,
      method: this.request.method,
      route: this.route,
      model: this.model || undefined,
      deployment: this.deploymentId || undefined,
      attempts: this.attempts || undefined,
      status: this.#status || undefined,
      outcome,
      reason: error && (error.ownWords || LOGGED_REASON.has(error.code)) ? error.message : undefined,
      durationMs: Math.round(durationMs),
      firstTokenMs: this.#firstTokenMs === undefined ? undefined : Math.round(this.#firstTokenMs),
      promptTokens: this.usage?.promptTokens,
      completionTokens: this.#completionTokens(),
    };
    return this.timing === undefined ? fields : { ...fields, ...timingFields(this.timing) };
  }
}

/** What a request did not wait for is not in its line. */
function timingFields(timing: AnswerTiming): LogFields {
  const { queueMs = 0, loadMs, promptMs, generationMs } = timing;
  const all = { queueMs, loadMs, promptMs, generationMs };
  return Object.fromEntries(Object.entries(all).map(([name, ms]) => [name, Math.round(ms) || undefined]));
}

/** Encodes what a header cannot carry (RFC 9110 section 5.5): a name in any script must never break a response. */
export function toHeaderValue(text: string): string {
  return /^[\u0020-\u007E]*$/.test(text) ? text : encodeURIComponent(text.toWellFormed());
}
