import { ObeliskError } from '../shared/errors.ts';
import { LineSplitter, withoutByteOrderMark } from './line-splitter.ts';

/** Longest record of a stream, in bytes. */
export const MAX_RECORD_BYTES: number = 4 * 1024 * 1024;

/** One event of an event stream. */
export type SseEvent = {
  /** The `event:` field; `message` where there was none. */
  readonly event: string;
  /** The `data:` lines, joined by line feeds. */
  readonly data: string;
};

/** What a reader is made of. */
export type SseReaderOptions = {
  onEvent(event: SseEvent): void;
  /** Longest record accepted, in bytes; 4 MiB by default. */
  readonly maxRecordBytes?: number;
};

/** A reader of a stream that arrives in pieces. */
export type RecordReader = {
  /**
   * Takes the next bytes.
   * @throws ObeliskError `upstream_invalid`.
   */
  feed(chunk: Buffer): void;
  /**
   * The bytes have ended.
   * @throws ObeliskError `upstream_invalid`.
   */
  end(): void;
};

class SseReader implements RecordReader {
  readonly #options: SseReaderOptions;
  readonly #maxBytes: number;
  readonly #lines: LineSplitter;
  #atStart = true;
  #event = '';
  #data: string[] = [];
  #dataLength = 0;

  constructor(options: SseReaderOptions) {
    this.#options = options;
    this.#maxBytes = options.maxRecordBytes ?? MAX_RECORD_BYTES;
    this.#lines = new LineSplitter({ maxBytes: this.#maxBytes, onLine: (text) => this.#onLine(text) });
  }

  feed(chunk: Buffer): void {
    this.#lines.feed(chunk);
  }

  /**
   * The standard drops an event that no blank line ended, for a browser that reconnects. Here it is
   * delivered: servers forget the last blank line, and whether an answer is complete is decided by
   * what it says.
   */
  end(): void {
    this.#lines.end();
    this.#dispatch();
  }

  #onLine(line: string): void {
    const text = this.#atStart ? withoutByteOrderMark(line) : line;
    this.#atStart = false;
    if (text === '') {
      this.#dispatch();
      return;
    }
    const colon = text.indexOf(':');
    if (colon === 0) return;
    const name = colon === -1 ? text : text.slice(0, colon);
    const value = colon === -1 ? '' : text.slice(text.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1);
    if (name === 'data') this.#append(value);
    else if (name === 'event') this.#event = value;
  }

  #append(value: string): void {
    this.#dataLength += value.length + 1;
    if (this.#dataLength > this.#maxBytes) {
      this.#data = [];
      const message = `the upstream sent an event of more than ${this.#maxBytes} bytes; check that the address is the right kind of server`;
      throw new ObeliskError('upstream_invalid', message);
    }
    this.#data.push(value);
  }

  #dispatch(): void {
    const [first, ...rest] = this.#data;
    const event = this.#event === '' ? 'message' : this.#event;
    this.#event = '';
    this.#data = [];
    this.#dataLength = 0;
    if (first === undefined) return;
    this.#options.onEvent({ event, data: rest.length === 0 ? first : [first, ...rest].join('\n') });
  }
}

/**
 * Creates a reader of `text/event-stream` (WHATWG HTML, 9.2.6): byte order mark, CR, LF and CRLF,
 * comments, data over several lines; cut anywhere. `id` and `retry` serve reconnection and are ignored.
 */
export function createSseReader(options: SseReaderOptions): RecordReader {
  return new SseReader(options);
}
