import { ObeliskError } from '../shared/errors.ts';
import type { Headers } from './http.ts';
import { invalidAnswer, urlOf } from './upstream-error.ts';
import type {
  Exchange,
  UpstreamClient,
  UpstreamRequest,
  UpstreamResponse,
  UpstreamSink,
} from './upstream.ts';

/** Bytes of a body held for a slow reader before the upstream is paused. */
const HIGH_WATER_BYTES = 64 * 1024;

type Settle = {
  resolve(response: UpstreamResponse): void;
  reject(error: ObeliskError): void;
  /** Called when the exchange is over, however it ended. */
  over(): void;
};

/** Keeps a body until it is read, and the upstream waiting while too much is kept. */
class PendingResponse implements UpstreamSink, UpstreamResponse, AsyncIterable<Buffer> {
  status = 0;
  headers: Headers = {};
  exchange: Exchange | undefined;
  readonly #request: UpstreamRequest;
  readonly #settle: Settle;
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  #paused = false;
  #ended = false;
  #error: ObeliskError | undefined;
  #wake: (() => void) | undefined;

  constructor(request: UpstreamRequest, settle: Settle) {
    this.#request = request;
    this.#settle = settle;
  }

  get body(): AsyncIterable<Buffer> {
    return this;
  }

  onHead(status: number, headers: Headers): void {
    this.status = status;
    this.headers = headers;
    this.#settle.resolve(this);
  }

  onData(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    this.#wake?.();
    this.#paused = this.#heldBytes >= HIGH_WATER_BYTES;
    return !this.#paused;
  }

  onEnd(): void {
    this.#ended = true;
    this.#settle.over();
    this.#wake?.();
  }

  onError(error: ObeliskError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#settle.over();
    this.#settle.reject(error);
    this.#wake?.();
  }

  /** Closes the connection on the caller's behalf; a reader that waits gets `error`. */
  abort(error: ObeliskError): void {
    this.exchange?.abort();
    this.#chunks = [];
    this.onError(error);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    try {
      for (;;) {
        const chunks = this.#take();
        if (chunks.length > 0) {
          yield* chunks;
          continue;
        }
        if (this.#error !== undefined) throw this.#error;
        if (this.#ended) return;
        await this.#arrival();
      }
    } finally {
      if (!this.#ended) {
        this.exchange?.abort();
        this.#settle.over();
      }
    }
  }

  async bytes(limitBytes: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let totalBytes = 0;
    for await (const chunk of this) {
      totalBytes += chunk.length;
      if (totalBytes > limitBytes) throw invalidAnswer(this.#request, `with more than ${limitBytes} bytes`);
      chunks.push(chunk);
    }
    return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, totalBytes);
  }

  #take(): Buffer[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#heldBytes = 0;
    if (this.#paused) {
      this.#paused = false;
      this.exchange?.resume();
    }
    return chunks;
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

/**
 * Sends a request and waits for the head of its response; the body is read on demand.
 * @throws ObeliskError as `UpstreamClient.request` says.
 */
export function receive(
  client: Pick<UpstreamClient, 'send'>,
  request: UpstreamRequest,
  signal?: AbortSignal,
): Promise<UpstreamResponse> {
  return new Promise((resolve, reject) => {
    const gone = (): ObeliskError =>
      new ObeliskError('client_gone', `the caller gave up on ${urlOf(request)}`);
    if (signal?.aborted === true) {
      reject(gone());
      return;
    }
    const onAbort = (): void => response.abort(gone());
    const over = (): void => signal?.removeEventListener('abort', onAbort);
    const response = new PendingResponse(request, { resolve, reject, over });
    response.exchange = client.send(request, response);
    signal?.addEventListener('abort', onAbort);
  });
}
