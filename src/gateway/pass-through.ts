import type { ObeliskError } from '../shared/errors.ts';
import { isEventStream, readLeadingFailure, StreamTap } from '../providers/openai/stream-tap.ts';
import { STREAM_DONE } from '../providers/openai/chat-output.ts';
import type { Attempts } from '../router/attempts.ts';
import { freeBodyMemory, joinBody } from '../wire/body-memory.ts';
import type { Headers } from '../wire/http.ts';
import type { Body, Exchange, UpstreamSink } from '../wire/upstream.ts';
import type { Call } from './call.ts';
import { EventStream } from './event-stream.ts';
import { isPassedThrough } from './answering.ts';
import { bodyFor, freeSent, toUpstreamRequest } from './pass-through-request.ts';
import type { PassThroughDependencies, PassThroughRequest } from './pass-through-request.ts';
import { haveSameBody } from './upstream-target.ts';
import type { UpstreamTarget } from './upstream-target.ts';
import { aboutAnswer, invalidAnswer, judgeWhole, reportedError } from './whole-answer.ts';

/** Largest answer that is kept whole: a cut one must become an error, so JSON waits for its end. */
const ANSWER_LIMIT_BYTES = 32 * 1024 * 1024;

/** How much of an error's body is read. */
const ERROR_LIMIT_BYTES = 64 * 1024;

/**
 * Sends the request on and its answer back, byte for byte; returns at once. `model` in the answer
 * stays what the upstream says: OpenAI too answers with a longer name than it was asked for, and
 * rewriting it in every event costs more than all the rest. Until the client has got data, what
 * fails is tried at another deployment.
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
  readonly #dependencies: PassThroughDependencies;
  readonly #attempts: Attempts;
  readonly #proof: PassThroughRequest['proof'];
  readonly #events: EventStream | undefined;
  readonly #tap: StreamTap | undefined;
  /** Let go once the answer has begun: a stream may outlast its request's body by minutes. */
  #request: PassThroughRequest | undefined;
  #body: Body | undefined;
  #target: UpstreamTarget;
  #exchange: Exchange | undefined;
  #pause: NodeJS.Timeout | undefined;
  #stopWatching: (() => void) | undefined;
  #mode: Mode = 'waiting';
  #status = 0;
  #headers: Headers = {};
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(call: Call, request: PassThroughRequest, dependencies: PassThroughDependencies) {
    const { answering } = request;
    this.#call = call;
    this.#request = request;
    this.#dependencies = dependencies;
    this.#attempts = answering.attempts;
    this.#proof = request.proof;
    this.#target = dependencies.targetOf(this.#attempts.deployment);
    if (request.stream) {
      answering.events ??= new EventStream(call, dependencies.heartbeat);
      this.#events = answering.events;
      this.#tap = new StreamTap(request.stripUsage, (text) => this.#target.redact(text), request.several);
    }
  }

  start(): void {
    this.#stopWatching = this.#call.onGone(() => this.#onGone());
    if (this.#mode === 'over') return;
    this.#call.interrupted = (error) => {
      if (this.#mode === 'over') return;
      if (this.#attempts.abandoned()) this.#count(error.code);
      this.#tell(error);
    };
    this.#ask();
  }

  onHead(status: number, headers: Headers): void {
    this.#status = status;
    this.#headers = headers;
    const streams = this.#tap !== undefined && isEventStream(headers['content-type']);
    this.#mode = status === 200 && streams ? 'stream' : 'whole';
  }

  onData(chunk: Buffer): boolean {
    if (this.#mode === 'stream') return this.#onStream(chunk);
    if (this.#mode === 'over') return true;
    this.#bytes += chunk.length;
    this.#parts.push(chunk);
    // An error that goes on for ever is the error that its status says.
    if (this.#status >= 400 && this.#bytes > ERROR_LIMIT_BYTES) this.onEnd();
    else if (this.#bytes > ANSWER_LIMIT_BYTES)
      this.#fail(invalidAnswer('answered with more than 32 MiB', this.#target));
    return true;
  }

  onEnd(): void {
    if (this.#mode === 'over') return;
    if (this.#mode === 'stream') this.#onStreamEnd(undefined);
    else this.#onWhole(joinBody(this.#parts));
  }

  onError(error: ObeliskError): void {
    if (this.#mode === 'over') return;
    if (this.#mode === 'stream') this.#onStreamEnd(error);
    else this.#fail(error);
  }

  /** Sends the request to the deployment whose turn it is. */
  #ask(): void {
    const { deployment, made } = this.#attempts;
    const { hops } = this.#call;
    if (this.#request === undefined) throw new Error('an answer that has begun is not asked for again');
    const { path } = this.#request;
    this.#call.deploymentId = deployment.id;
    this.#call.attempts = made;
    this.#mode = 'waiting';
    this.#status = 0;
    this.#body ??= bodyFor(this.#request, this.#target);
    const clocks = this.#attempts.clocks(this.#tap !== undefined);
    this.#exchange = this.#dependencies.upstream.send(
      toUpstreamRequest(this.#target, { path, hops, body: this.#body, clocks }),
      this,
    );
  }

  #onStream(chunk: Buffer): boolean {
    const { tap } = this.#streaming();
    const whole = tap.feed(chunk);
    const flows = whole === undefined || this.#send(whole);
    if (tap.flaw !== undefined && this.#mode === 'stream') this.#fail(invalidAnswer(tap.flaw, this.#target));
    return flows;
  }

  #send(whole: Buffer): boolean {
    const { events } = this.#streaming();
    if (!events.committed) {
      // Until the first data an error still gets a status of its own.
      const failure = readLeadingFailure(whole);
      if (failure) {
        this.#fail(reportedError(failure, this.#target));
        return true;
      }
      this.#begin();
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
      const failure = reportedError(facts.failure, this.#target);
      if (!events.committed) {
        this.#fail(failure);
        return;
      }
      this.#attempts.failed(failure, this.#status);
      this.#over(failure.code);
      // The upstream's own error frame goes out as it is: it says more than ours could.
      if (rest) events.send(rest);
      events.endAfterFailure(facts.done ? '' : STREAM_DONE, failure);
      return;
    }
    if (!facts.complete) {
      this.#fail(error ?? invalidAnswer('ended its stream without a finish_reason', this.#target));
      return;
    }
    this.#succeed();
    if (rest) events.send(rest);
    events.end(facts.done ? '' : STREAM_DONE);
  }

  #onWhole(body: Buffer): void {
    const { unixMs, logger } = this.#dependencies;
    const answer = { status: this.#status, headers: this.#headers, body };
    const expected = { target: this.#target, proof: this.#proof, stream: this.#tap !== undefined, unixMs };
    const judgement = judgeWhole(answer, expected);
    if (judgement.kind === 'answer') {
      this.#call.usage = judgement.usage;
      this.#succeed();
      this.#call.json(200, body);
      if (this.#call.response.sent === true) freeBodyMemory(body);
      return;
    }
    if (judgement.error.code === 'upstream_invalid')
      logger.warn('upstream answered with something else', aboutAnswer(this.#call, answer, judgement.page));
    this.#fail(judgement.error);
  }

  #streaming(): { events: EventStream; tap: StreamTap } {
    if (!this.#events || !this.#tap) throw new Error('this request does not stream');
    return { events: this.#events, tap: this.#tap };
  }

  /** The first data is about to go out: from here on nothing is tried again. */
  #begin(): void {
    this.#attempts.answered();
    this.#dropRequest();
  }

  /** Lets go of a request that is not sent again. */
  #dropRequest(): void {
    if (this.#request) freeSent(this.#request, this.#exchange);
    this.#request = undefined;
    this.#body = undefined;
  }

  #succeed(): void {
    const { usage } = this.#call;
    this.#dropRequest();
    this.#attempts.succeeded(usage ? usage.promptTokens + usage.completionTokens : 0);
    this.#over('ok');
  }

  /** Ends an attempt that failed, maybe inside a 200 with a status of its own: there may be another. */
  #fail(error: ObeliskError): void {
    // The rest of an answer that is not wanted would hold its connection.
    this.#exchange?.abort();
    this.#parts = [];
    this.#bytes = 0;
    this.#count(error.code);
    const waitMs = this.#attempts.failed(error, error.upstreamStatus ?? this.#status);
    if (waitMs === undefined) this.#tell(error);
    else if (waitMs === 0) this.#goOn(error);
    else this.#pause = setTimeout(() => this.#goOn(error), waitMs);
  }

  #goOn(error: ObeliskError): void {
    if (!this.#attempts.again()) {
      this.#tell(error);
      return;
    }
    const { deployment } = this.#attempts;
    if (!isPassedThrough(deployment)) {
      const elsewhere = this.#request?.answering.elsewhere;
      this.#close();
      elsewhere?.();
      return;
    }
    const target = this.#dependencies.targetOf(deployment);
    if (!haveSameBody(target, this.#target)) this.#body = undefined;
    this.#target = target;
    this.#ask();
  }

  /** Ends the call with an error. */
  #tell(error: ObeliskError): void {
    this.#exchange?.abort();
    this.#close();
    const told = this.#attempts.told(error);
    if (this.#events) this.#events.fail(told);
    else this.#call.fail(told);
  }

  #over(outcome: string): void {
    this.#close();
    this.#count(outcome);
  }

  #count(outcome: string): void {
    this.#dependencies.metrics.upstreamAttempt(this.#call.deploymentId, outcome);
  }

  #close(): void {
    this.#mode = 'over';
    this.#parts = [];
    this.#request = undefined;
    this.#body = undefined;
    clearTimeout(this.#pause);
    this.#call.pieces = this.#tap?.events ?? 0;
    this.#stopWatching?.();
  }

  #onGone(): void {
    if (this.#mode === 'over') return;
    // Many clients leave at `[DONE]` without waiting for the end of the connection.
    const facts = this.#mode === 'stream' ? this.#tap?.facts() : undefined;
    const outcome = facts?.done === true ? 'ok' : 'client_gone';
    if (facts?.usage) this.#call.usage = facts.usage;
    this.#exchange?.abort();
    this.#events?.stop();
    if (outcome === 'ok') this.#succeed();
    else if (this.#attempts.abandoned()) this.#over(outcome);
    else this.#close();
    this.#call.settle(outcome);
  }
}
