import type { ObeliskError } from '../shared/errors.ts';
import type { QueuedRequest, QueuePlace } from '../providers/chat.ts';
import { toErrorBody } from '../providers/openai/error-body.ts';
import { STREAM_DONE } from '../providers/openai/chat-output.ts';
import type { Call } from './call.ts';
import { toQueueComment } from './queue-comment.ts';

/** When a stream without data gives a sign of life, in milliseconds. */
export type Heartbeat = {
  /** Silence before the first sign: until then an error still gets its own status. */
  readonly firstMs: number;
  /** Silence before each further one. */
  readonly everyMs: number;
};

/** Shorter than the idle timeouts of the usual proxies and clients (15 s and more). */
export const DEFAULT_HEARTBEAT: Heartbeat = { firstMs: 5_000, everyMs: 7_500 };

/** How one kind of stream is written, but for its data. */
export type StreamFraming = {
  readonly contentType: string;
  /**
   * A sign of life that commits to nothing; `begun` says whether data has gone out, `waiting` where in
   * its queue a request is that has not had its turn.
   */
  alive(begun: boolean, waiting?: QueuePlace): string;
  /** The end of a stream that failed after its head. */
  failure(error: ObeliskError): string;
};

/** OpenAI's: heartbeats are comments, a failure is an error frame and `[DONE]`. */
export const SERVER_SENT_EVENTS: StreamFraming = {
  contentType: 'text/event-stream; charset=utf-8',
  alive(begun, waiting) {
    if (waiting !== undefined) return toQueueComment(waiting);
    return begun ? ': keep-alive\n\n' : ': loading\n\n';
  },
  failure: (error) => `data: ${toErrorBody(error)}\n\n${STREAM_DONE}`,
};

/** `x-accel-buffering` keeps an nginx in front from holding tokens back. */
const STREAM_HEADERS = { 'cache-control': 'no-cache', 'x-accel-buffering': 'no' };

/**
 * One streamed response. The head goes out with the first data or the first heartbeat; after the head
 * a failure is told in the stream.
 */
export class EventStream {
  /** More response headers; they count until the head has gone out. */
  readonly headers: Record<string, string> = {};
  /** The request in the queue of its model, where it waits in one. */
  queued: QueuedRequest | undefined;
  readonly #call: Call;
  readonly #heartbeat: Heartbeat;
  readonly #framing: StreamFraming;
  #timer: NodeJS.Timeout | undefined;
  #quiet = true;
  #blocked = false;
  #committed = false;

  constructor(call: Call, heartbeat: Heartbeat, framing: StreamFraming = SERVER_SENT_EVENTS) {
    this.#call = call;
    this.#heartbeat = heartbeat;
    this.#framing = framing;
    this.#timer = setTimeout(() => this.#beat(), heartbeat.firstMs);
  }

  /** Whether data, not only comments, has been sent. */
  get committed(): boolean {
    return this.#committed;
  }

  /** Sends whole events. False means: wait for `drained` or `onDrain` before sending more. */
  send(events: Uint8Array | string): boolean {
    this.#begin();
    this.#quiet = false;
    if (!this.#committed) {
      this.#committed = true;
      this.#call.markFirstToken();
    }
    if (this.#call.response.write(events)) return true;
    this.#blocked = true;
    return false;
  }

  /** Calls `listener` once the client can take more. */
  onDrain(listener: () => void): void {
    this.#call.response.onDrain(() => {
      this.#blocked = false;
      listener();
    });
  }

  /** Resolves once the client can take more, or is gone. */
  drained(): Promise<void> {
    return new Promise((resolve) => this.onDrain(resolve));
  }

  /** Ends the stream well. `events` must hold `[DONE]` where it has not been sent. */
  end(events: Uint8Array | string): void {
    this.stop();
    if (this.#call.response.closed) {
      this.#call.settle('client_gone');
      return;
    }
    this.#begin();
    this.#call.response.end(events);
    this.#call.settle('ok');
  }

  /** Ends a stream whose client has been told of the failure by the upstream's own frame. */
  endAfterFailure(events: string, error: ObeliskError): void {
    this.stop();
    if (!this.#call.response.closed) this.#call.response.end(events);
    this.#call.settle(`error:${error.code}`, error);
  }

  /** Ends the stream with an error: its own status before the head, a frame after it. */
  fail(thrown: unknown): void {
    this.stop();
    const { response } = this.#call;
    if (!response.started || response.closed) {
      this.#call.fail(thrown, this.headers);
      return;
    }
    const error = this.#call.toError(thrown);
    if (error.code === 'client_gone') {
      this.#call.settle('client_gone');
      return;
    }
    response.end(this.#framing.failure(error));
    this.#call.settle(`error:${error.code}`, error);
  }

  /** Stops the heartbeats. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #begin(): void {
    if (this.#call.response.started) return;
    this.#call.head(200, { 'content-type': this.#framing.contentType, ...STREAM_HEADERS, ...this.headers });
  }

  #beat(): void {
    const { response } = this.#call;
    if (response.closed) return;
    // A client that does not read needs no more bytes waiting for it.
    if (this.#quiet && !this.#blocked) {
      this.#begin();
      response.write(this.#framing.alive(this.#committed, this.queued?.place()));
    }
    this.#quiet = true;
    this.#timer = setTimeout(() => this.#beat(), this.#heartbeat.everyMs);
  }
}
