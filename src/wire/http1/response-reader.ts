import type { Headers } from '../http.ts';
import { ChunkedDecoder } from './chunked.ts';
import { MAX_RESPONSE_HEAD_BYTES, ResponseHeads, VERSION_PREFIX } from './response-head.ts';
import type { ResponseHead } from './response-head.ts';

/** What a reader finds, in order. */
export type ResponseEvents = {
  /** An interim response (1xx other than 101), which is no answer yet. */
  onInterim(): void;
  onHead(status: number, headers: Headers): void;
  /** A piece of the body: `bytes` from `from` to `to`, which are overwritten after the call. */
  onBody(bytes: Buffer, from: number, to: number): void;
};

type State = 'head' | 'length' | 'chunked' | 'until-close' | 'complete' | 'refused';

const HEAD_END = '\r\n\r\n';
const HEAD_END_BYTES = Buffer.from(HEAD_END);
const SWITCHING = 101;

/**
 * Reads the bytes of one response after another, wherever they were cut. Knows nothing of sockets; what
 * is not exactly right is refused (`refusal`), never repaired.
 */
export class ResponseReader {
  readonly #events: ResponseEvents;
  readonly #chunks = new ChunkedDecoder();
  readonly #heads = new ResponseHeads();
  #state: State = 'complete';
  #toHead = false;
  #head: ResponseHead | undefined;
  #left = 0;
  /** The beginning of a head that has not ended yet, in pieces, and its last bytes. */
  #pieces: string[] = [];
  #heldBytes = 0;
  #tail = '';
  #refusal = '';

  constructor(events: ResponseEvents) {
    this.#events = events;
  }

  /** Whether the response has ended. */
  get complete(): boolean {
    return this.#state === 'complete';
  }

  /** Why the response is refused, to follow “answered”; empty while it is not. */
  get refusal(): string {
    return this.#refusal;
  }

  /** Whether the connection may carry another request, once the response is complete. */
  get persistent(): boolean {
    return this.#head?.persistent === true;
  }

  /** Seconds that the server keeps an unused connection, where it said so. */
  get keepAliveSeconds(): number | undefined {
    return this.#head?.keepAliveSeconds;
  }

  /**
   * Makes the reader ready for the next response.
   *
   * @param toHead Whether the request was a HEAD.
   */
  begin(toHead: boolean): void {
    this.#state = 'head';
    this.#toHead = toHead;
    this.#head = undefined;
    this.#refusal = '';
  }

  /**
   * Takes the next bytes, of which it may move some.
   *
   * @returns Index of the first byte not consumed: `length`, or less when the response ended before or
   *   is refused.
   */
  read(bytes: Buffer, length: number): number {
    let at = 0;
    while (at < length && this.#state === 'head') at = this.#readHead(bytes, at, length);
    return at < length ? this.#readBody(bytes, at, length) : at;
  }

  /** The connection has ended. Tells whether that completes the response, or it is complete. */
  end(): boolean {
    if (this.#state === 'until-close') this.#state = 'complete';
    return this.#state === 'complete';
  }

  #readHead(bytes: Buffer, start: number, length: number): number {
    if (this.#heldBytes > 0) return this.#readRestOfHead(bytes, start, length);
    const found = bytes.indexOf(HEAD_END_BYTES, start);
    const next = found + HEAD_END.length;
    // What lies behind `length` is of an earlier read.
    if (found === -1 || next > length) return this.#readRestOfHead(bytes, start, length);
    this.#onHead(start === 0 ? bytes : bytes.subarray(start), next - 2 - start);
    return next;
  }

  #readRestOfHead(bytes: Buffer, start: number, length: number): number {
    const piece = bytes.toString('latin1', start, length);
    const searched = this.#tail + piece;
    const found = searched.indexOf(HEAD_END);
    if (found === -1) {
      this.#hold(piece, searched);
      return length;
    }
    const next = start + found + HEAD_END.length - this.#tail.length;
    // The cut may lie inside the end of the head.
    const head = this.#held() + piece.slice(0, next - start);
    this.#onHead(Buffer.from(head, 'latin1'), head.length - 2);
    return next;
  }

  #hold(piece: string, searched: string): void {
    const begins = this.#heldBytes < VERSION_PREFIX.length;
    this.#pieces.push(piece);
    this.#heldBytes += piece.length;
    this.#tail = searched.slice(1 - HEAD_END.length);
    if (this.#heldBytes > MAX_RESPONSE_HEAD_BYTES) this.#refuseHead();
    // What speaks another protocol may wait for us and never send a whole head.
    else if (begins && !beginsLikeHttp(this.#pieces.join(''))) this.#refuse('with malformed HTTP');
  }

  #held(): string {
    if (this.#heldBytes === 0) return '';
    const text = this.#pieces.join('');
    this.#pieces = [];
    this.#heldBytes = 0;
    this.#tail = '';
    return text;
  }

  #onHead(bytes: Buffer, end: number): void {
    if (end > MAX_RESPONSE_HEAD_BYTES) {
      this.#refuseHead();
      return;
    }
    const head = this.#heads.read(bytes, end, this.#toHead);
    if (head === undefined) this.#refuse('with malformed HTTP');
    // After an interim response that closes the connection no answer can come.
    else if (head.status === SWITCHING || (head.status < 200 && !head.persistent))
      this.#refuse('with a response nobody asked for');
    else if (head.status < 200) this.#events.onInterim();
    else this.#begin(head);
  }

  #begin(head: ResponseHead): void {
    this.#head = head;
    this.#left = head.length;
    if (head.framing === 'chunked') this.#chunks.reset();
    this.#state = head.framing === 'none' ? 'complete' : head.framing;
    this.#events.onHead(head.status, head.headers);
  }

  #readBody(bytes: Buffer, start: number, length: number): number {
    if (this.#state === 'chunked') return this.#readChunks(bytes, start, length);
    if (this.#state === 'until-close') {
      this.#events.onBody(bytes, start, length);
      return length;
    }
    if (this.#state !== 'length') return start;
    const end = Math.min(length, start + this.#left);
    this.#left -= end - start;
    if (this.#left === 0) this.#state = 'complete';
    this.#events.onBody(bytes, start, end);
    return end;
  }

  #readChunks(bytes: Buffer, start: number, length: number): number {
    const chunks = this.#chunks;
    const next = chunks.decode(bytes, start, length);
    if (chunks.done) this.#state = 'complete';
    if (chunks.to > chunks.from) this.#events.onBody(bytes, chunks.from, chunks.to);
    if (chunks.failed) this.#refuse('with malformed HTTP');
    return next;
  }

  #refuseHead(): void {
    this.#refuse('with a head over 64 KiB');
  }

  #refuse(what: string): void {
    this.#held();
    this.#state = 'refused';
    this.#refusal = what;
  }
}

function beginsLikeHttp(text: string): boolean {
  return VERSION_PREFIX.startsWith(text.slice(0, VERSION_PREFIX.length));
}
