import { ObeliskError } from '../shared/errors.ts';
import { checkAnswer } from '../providers/openai/answer-check.ts';
import type { UpstreamFailure } from '../providers/openai/error-body.ts';
import { readLeadingFailure, StreamTap } from '../providers/openai/stream-tap.ts';
import { STREAM_DONE } from '../providers/openai/chat-output.ts';
import { toStreamedError, toUpstreamError } from '../providers/openai/upstream-error.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Headers } from '../wire/http.ts';
import type { Exchange, UpstreamClient, UpstreamSink } from '../wire/upstream.ts';
import type { Call } from './call.ts';
import { EventStream } from './event-stream.ts';
import type { Heartbeat } from './event-stream.ts';
import { HOP_HEADER } from './hops.ts';
import type { UpstreamTarget } from './upstream-target.ts';

/** What passing through needs beside the request. */
export type PassThroughDependencies = {
  readonly upstream: UpstreamClient;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly heartbeat: Heartbeat;
  /** Milliseconds since the epoch. */
  readonly unixMs: () => number;
};

/** One request on its way to an upstream of the same dialect. */
export type PassThroughRequest = {
  readonly target: UpstreamTarget;
  /** Below the base URL: `/chat/completions`. */
  readonly path: string;
  readonly body: Buffer;
  /** The key that only an answer has. */
  readonly proof: 'choices' | 'data';
  readonly stream: boolean;
  /** Whether usage was asked for by us and not by the client. */
  readonly stripUsage: boolean;
};

/** Largest answer that is kept whole: a cut one must become an error, so JSON waits for its end. */
const ANSWER_LIMIT_BYTES = 32 * 1024 * 1024;

/** How much of an error's body is read. */
const ERROR_LIMIT_BYTES = 64 * 1024;

/**
 * Sends the request on and its answer back, byte for byte; returns at once. `model` in the answer
 * stays what the upstream says: OpenAI too answers with a longer name than it was asked for, and
 * rewriting it in every event costs more than all the rest.
 */
export function passThrough(
  call: Call,
  request: PassThroughRequest,
  dependencies: PassThroughDependencies,
): void {
  new Passage(call, request, dependencies).start();
}

type Mode = 'waiting' | 'stream' | 'whole' | 'over';

/** The upstream's answer becoming the client's: one object instead of closures, no promises. */
class Passage implements UpstreamSink {
  readonly #call: Call;
  readonly #request: PassThroughRequest;
  readonly #dependencies: PassThroughDependencies;
  readonly #events: EventStream | undefined;
  readonly #tap: StreamTap | undefined;
  #exchange: Exchange | undefined;
  #stopWatching: (() => void) | undefined;
  #mode: Mode = 'waiting';
  #status = 0;
  #headers: Headers = {};
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(call: Call, request: PassThroughRequest, dependencies: PassThroughDependencies) {
    this.#call = call;
    this.#request = request;
    this.#dependencies = dependencies;
    if (request.stream) {
      this.#events = new EventStream(call, dependencies.heartbeat);
      this.#tap = new StreamTap(request.stripUsage);
    }
  }

  start(): void {
    const { target, path, body } = this.#request;
    const { hops } = this.#call;
    const { origin, basePath, headers, clocks } = target;
    this.#stopWatching = this.#call.onGone(() => this.#onGone());
    if (this.#mode === 'over') return;
    this.#call.interrupted = (error) => {
      if (this.#mode !== 'over') this.#fail(error);
    };
    this.#exchange = this.#dependencies.upstream.send(
      {
        origin,
        path: basePath + path,
        method: 'POST',
        headers: hops === '' ? headers : { ...headers, [HOP_HEADER]: `${hops},${headers[HOP_HEADER]}` },
        body,
        clocks,
      },
      this,
    );
  }

  onHead(status: number, headers: Headers): void {
    this.#status = status;
    this.#headers = headers;
    const streams = headers['content-type']?.startsWith('text/event-stream') === true;
    this.#mode = status === 200 && streams && this.#tap ? 'stream' : 'whole';
  }

  onData(chunk: Buffer): boolean {
    if (this.#mode === 'stream') return this.#onStream(chunk);
    if (this.#mode === 'over') return true;
    this.#bytes += chunk.length;
    if (this.#bytes <= (this.#status < 400 ? ANSWER_LIMIT_BYTES : ERROR_LIMIT_BYTES)) this.#parts.push(chunk);
    else if (this.#status < 400)
      this.#fail(this.#invalid(`answered with more than ${ANSWER_LIMIT_BYTES} bytes`));
    return true;
  }

  onEnd(): void {
    if (this.#mode === 'over') return;
    if (this.#mode === 'stream') this.#onStreamEnd(undefined);
    else
      this.#onWhole(this.#parts.length === 1 && this.#parts[0] ? this.#parts[0] : Buffer.concat(this.#parts));
  }

  onError(error: ObeliskError): void {
    if (this.#mode === 'over') return;
    if (this.#mode === 'stream') this.#onStreamEnd(error);
    else this.#fail(error);
  }

  #onStream(chunk: Buffer): boolean {
    const { events, tap } = this.#streaming();
    const whole = tap.feed(chunk);
    if (tap.overflown) {
      this.#fail(this.#invalid('sent an event of more than 4 MiB'));
      return true;
    }
    if (whole === undefined) return true;
    if (!events.committed) {
      // Until the first data an error still gets a status of its own.
      const failure = readLeadingFailure(whole);
      if (failure) {
        this.#fail(this.#streamedError(failure));
        return true;
      }
    }
    if (events.send(whole)) return true;
    events.onDrain(() => this.#exchange?.resume());
    return false;
  }

  #onStreamEnd(error: ObeliskError | undefined): void {
    const { events, tap } = this.#streaming();
    const rest = tap.flush();
    const facts = tap.facts();
    if (facts.usage) this.#call.usage = facts.usage;
    if (facts.failure) {
      const failure = this.#streamedError(facts.failure);
      if (!events.committed) {
        this.#fail(failure);
        return;
      }
      this.#over(failure.code);
      // The upstream's own error frame goes out as it is: it says more than ours could.
      if (rest) events.send(rest);
      events.endAfterFailure(facts.done ? '' : STREAM_DONE, failure);
      return;
    }
    if (!facts.complete) {
      this.#fail(error ?? this.#invalid('ended its stream without a finish_reason'));
      return;
    }
    this.#over('ok');
    if (rest) events.send(rest);
    events.end(facts.done ? '' : STREAM_DONE);
  }

  #onWhole(body: Buffer): void {
    const { target, proof, stream } = this.#request;
    if (this.#status < 200 || this.#status > 299) {
      const retryAfter = this.#headers['retry-after'];
      const said = target.redact(body.toString());
      const answer = { status: this.#status, retryAfter, body: said, upstream: target.name };
      this.#fail(toUpstreamError(answer, this.#dependencies.unixMs()));
      return;
    }
    const check = checkAnswer(body, proof);
    if (check.kind === 'failure') {
      this.#fail(this.#streamedError(check.failure));
      return;
    }
    if (check.kind === 'invalid' || stream) {
      this.#dependencies.logger.warn('upstream answered with something else', {
        requestId: this.#call.id,
        deployment: this.#call.deploymentId,
        contentType: this.#headers['content-type'],
        bytes: body.length,
      });
      this.#fail(
        this.#invalid(stream ? 'did not stream its answer' : 'answered with something that is no answer'),
      );
      return;
    }
    if (check.usage) this.#call.usage = check.usage;
    this.#over('ok');
    this.#call.json(200, body);
  }

  #streaming(): { events: EventStream; tap: StreamTap } {
    if (!this.#events || !this.#tap) throw new Error('this request does not stream');
    return { events: this.#events, tap: this.#tap };
  }

  #streamedError(failure: UpstreamFailure): ObeliskError {
    const { redact, name } = this.#request.target;
    const { message } = failure;
    return toStreamedError(message === undefined ? failure : { ...failure, message: redact(message) }, name);
  }

  #invalid(what: string): ObeliskError {
    const { name } = this.#request.target;
    return new ObeliskError(
      'upstream_invalid',
      `${name} ${what}; check that its api_base is an OpenAI-compatible server`,
    );
  }

  #fail(error: ObeliskError): void {
    // The rest of an answer that is not wanted would hold its connection.
    if (this.#mode !== 'over') this.#exchange?.abort();
    this.#over(error.code);
    if (this.#events) this.#events.fail(error);
    else this.#call.fail(error);
  }

  #over(outcome: string): void {
    this.#mode = 'over';
    this.#parts = [];
    this.#stopWatching?.();
    this.#dependencies.metrics.upstreamAttempt(this.#call.deploymentId, outcome);
  }

  #onGone(): void {
    if (this.#mode === 'over') return;
    // Many clients leave at `[DONE]` without waiting for the end of the connection.
    const facts = this.#mode === 'stream' ? this.#tap?.facts() : undefined;
    const outcome = facts?.done === true ? 'ok' : 'client_gone';
    if (facts?.usage) this.#call.usage = facts.usage;
    this.#exchange?.abort();
    this.#events?.stop();
    this.#over(outcome);
    this.#call.settle(outcome);
  }
}
