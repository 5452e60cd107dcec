import { parseFieldLines } from './fields.ts';

/** Longest line of a chunk's size with its extensions, in bytes. */
const MAX_LINE_BYTES = 1024;
/** Longest trailer section, in bytes. */
const MAX_TRAILER_BYTES = 16 * 1024;
/** Digits of a chunk's size: up to 4 GiB, far below what a double holds exactly. */
const MAX_DIGITS = 8;

/** `;name`, `;name=token` or `;name="text"`, any number of them, without white space (RFC 9112 section 7.1.1). */
const EXTENSIONS =
  /^(?:;[\w!#$%&'*+.^`|~-]+(?:=(?:[\w!#$%&'*+.^`|~-]+|"(?:[\t !#-[\]-~\u0080-\u00FF]|\\[\t !-~\u0080-\u00FF])*"))?)*$/;

/** Fields that would change what the head said; a trailer must not hold them (RFC 9110 section 6.5.1). */
const NOT_IN_TRAILERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

const CR = 13;
const LF = 10;
const SEMICOLON = 59;

type State =
  | 'size'
  | 'extensions'
  | 'size-end'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'trailers'
  | 'done'
  | 'bad';

/** The value of a hexadecimal digit's character code; -1 for anything else. */
function digitOf(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/**
 * Takes the framing off a chunked body (RFC 9112 section 7.1), in place and wherever it was cut:
 * exactly CRLF, bounded extensions that are ignored, bounded trailers that are checked and dropped.
 */
export class ChunkedDecoder {
  /** After `decode`: where the data begins that it found; they are in one piece up to `to`. */
  from = 0;
  /** After `decode`: where the data ends that it found. */
  to = 0;
  #state: State = 'size';
  #size = 0;
  #digits = 0;
  /** Text of the extensions or trailers so far. */
  #text = '';

  /** Whether the body has ended. */
  get done(): boolean {
    return this.#state === 'done';
  }

  /** Whether the framing was broken; nothing after that is decoded. */
  get failed(): boolean {
    return this.#state === 'bad';
  }

  /** Makes the decoder ready for the next body. */
  reset(): void {
    this.#state = 'size';
    this.#size = 0;
    this.#digits = 0;
    this.#text = '';
  }

  /**
   * Decodes the next bytes of a body. Data from several chunks are moved together inside `bytes`, so
   * that a reader gets one piece for each read.
   *
   * @returns Index of the first byte not consumed: `end`, or the one after the body.
   */
  decode(bytes: Uint8Array, start: number, end: number): number {
    this.from = start;
    this.to = start;
    let at = start;
    while (at < end && this.#state !== 'done' && this.#state !== 'bad') {
      if (this.#state === 'data') at = this.#takeData(bytes, at, end);
      else this.#step(bytes[at++] ?? 0);
    }
    return at;
  }

  #takeData(bytes: Uint8Array, at: number, end: number): number {
    const length = Math.min(this.#size, end - at);
    if (this.from === this.to) this.from = this.to = at;
    if (this.to !== at) bytes.copyWithin(this.to, at, at + length);
    this.to += length;
    this.#size -= length;
    if (this.#size === 0) this.#state = 'data-cr';
    return at + length;
  }

  #step(code: number): void {
    switch (this.#state) {
      case 'size':
        this.#onSize(code);
        return;
      case 'extensions':
        this.#onExtension(code);
        return;
      case 'size-end':
        this.#expect(code, LF, this.#size === 0 ? 'trailers' : 'data');
        return;
      case 'data-cr':
        this.#expect(code, CR, 'data-lf');
        return;
      case 'data-lf':
        this.#expect(code, LF, 'size');
        this.#digits = 0;
        return;
      default:
        this.#onTrailer(code);
    }
  }

  #expect(code: number, wanted: number, next: State): void {
    this.#state = code === wanted ? next : 'bad';
  }

  #onSize(code: number): void {
    const digit = digitOf(code);
    if (digit !== -1 && this.#digits < MAX_DIGITS) {
      this.#size = this.#size * 16 + digit;
      this.#digits += 1;
    } else if (this.#digits === 0) this.#state = 'bad';
    else if (code === SEMICOLON) {
      this.#state = 'extensions';
      this.#text = ';';
    } else this.#expect(code, CR, 'size-end');
  }

  #onExtension(code: number): void {
    if (code === CR) {
      this.#state = EXTENSIONS.test(this.#text) ? 'size-end' : 'bad';
      this.#text = '';
    } else if (this.#text.length >= MAX_LINE_BYTES) this.#state = 'bad';
    else this.#text += String.fromCharCode(code);
  }

  #onTrailer(code: number): void {
    this.#text += String.fromCharCode(code);
    if (code === LF && (this.#text === '\r\n' || this.#text.endsWith('\r\n\r\n'))) {
      this.#state = areTrailers(this.#text.slice(0, -2)) ? 'done' : 'bad';
      this.#text = '';
    } else if (this.#text.length >= MAX_TRAILER_BYTES) this.#state = 'bad';
  }
}

function areTrailers(section: string): boolean {
  const list = parseFieldLines(section, Buffer.from(section, 'latin1'), 0);
  return list !== undefined && !list.some((text, index) => index % 2 === 0 && NOT_IN_TRAILERS.has(text));
}
