import { ObeliskError } from '../shared/errors.ts';

const LF = 10;
const CR = 13;

function earlier(a: number, b: number): number {
  if (a === -1) return b;
  return b === -1 ? a : Math.min(a, b);
}

/** What a line splitter is made of. */
export type LineSplitterOptions = {
  /** Longest line accepted, in bytes. */
  readonly maxBytes: number;
  /** Gets each line without its end, decoded as UTF-8. */
  onLine(text: string): void;
};

/**
 * Splits bytes into lines at CR, LF or CRLF, wherever the pieces were cut: a line is decoded only when
 * it is whole, so that a cut inside a character does no harm. Linear in the bytes fed.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #onLine: (text: string) => void;
  #parts: Buffer[] = [];
  #partBytes = 0;
  #skipLineFeed = false;

  constructor(options: LineSplitterOptions) {
    this.#maxBytes = options.maxBytes;
    this.#onLine = (text) => options.onLine(text);
  }

  /**
   * Takes the next bytes.
   * @throws ObeliskError `upstream_invalid` when a line exceeds the limit; what was kept is dropped.
   */
  feed(chunk: Buffer): void {
    if (chunk.length === 0) return;
    let start = this.#skipLineFeed && chunk[0] === LF ? 1 : 0;
    this.#skipLineFeed = false;
    // Each search goes on from where the last one ended, so every byte is looked at once per kind of end.
    let lf = chunk.indexOf(LF, start);
    let cr = chunk.indexOf(CR, start);
    for (let end = earlier(lf, cr); end !== -1; end = earlier(lf, cr)) {
      this.#endLine(chunk, start, end);
      start = end === cr ? this.#afterReturn(chunk, end + 1) : end + 1;
      if (cr !== -1 && cr < start) cr = chunk.indexOf(CR, start);
      if (lf !== -1 && lf < start) lf = chunk.indexOf(LF, start);
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** The bytes have ended; a last line without an end is delivered. */
  end(): void {
    if (this.#partBytes > 0) this.#onLine(this.#take());
  }

  /** Where the next line starts after a CR, whose LF may still be on its way. */
  #afterReturn(chunk: Buffer, next: number): number {
    this.#skipLineFeed = next === chunk.length;
    return chunk[next] === LF ? next + 1 : next;
  }

  #endLine(chunk: Buffer, start: number, end: number): void {
    if (this.#partBytes > 0) {
      if (end > start) this.#keep(chunk.subarray(start, end));
      this.#onLine(this.#take());
    } else {
      if (end - start > this.#maxBytes) this.#overflow();
      this.#onLine(chunk.toString('utf8', start, end));
    }
  }

  #keep(part: Buffer): void {
    this.#partBytes += part.length;
    if (this.#partBytes > this.#maxBytes) this.#overflow();
    this.#parts.push(part);
  }

  #take(): string {
    const text = Buffer.concat(this.#parts, this.#partBytes).toString('utf8');
    this.#parts = [];
    this.#partBytes = 0;
    return text;
  }

  #overflow(): never {
    this.#parts = [];
    this.#partBytes = 0;
    const message = `the upstream sent a record of more than ${this.#maxBytes} bytes; check that the address is the right kind of server`;
    throw new ObeliskError('upstream_invalid', message);
  }
}

/** Removes a byte order mark from the first line of a stream. */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}
