import { ObeliskError } from '../shared/errors.ts';
import { isAt, readKey } from './json-keys.ts';

/** The double quote. */
export const QUOTE = 0x22;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;
const LOWER_E = 0x65;
const LOWER_U = 0x75;

function classOf(test: (character: string, byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (test(String.fromCharCode(byte), byte) ? 1 : 0));
}

/** 1 for bytes that end a run of plain text in a string: the quote, the backslash and control characters. */
const ENDS_TEXT = classOf((character, byte) => byte < 0x20 || character === '"' || character === '\\');
/** 1 for the bytes that may follow a backslash, but `u`. */
const IS_ESCAPE = classOf((character) => '"\\/bfnrt'.includes(character));
const IS_HEX = classOf((character) => /[0-9a-f]/i.test(character));
const IS_SPACE = classOf((character) => ' \t\n\r'.includes(character));

/** Most digits in a row: JSON.parse of a million of them blocks the event loop, and no double holds 20. */
const MAX_DIGITS = 1_000;

/** Text is read byte by byte until it proves to be long. */
const BYTEWISE = 32;
const ONES = 0x01010101;
const TWOS = 0x02020202;
const ABOVE_SPACES = 0x21212121;
const BACKSLASHES = 0x5c5c5c5c;
const HIGH_BITS = 0x80808080 | 0;

const LITERALS: ReadonlyMap<number, Buffer> = new Map(
  ['true', 'false', 'null'].map((word) => [word.charCodeAt(0), Buffer.from(word)]),
);

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

/** Moves over the tokens of JSON (RFC 8259) in bytes that are known to be UTF-8. */
export class JsonLexer {
  readonly body: Buffer;
  /** The byte looked at. */
  at = 0;
  /** Whether the last string held an escape. */
  escaped = false;
  #words: Int32Array | undefined;

  constructor(body: Buffer) {
    this.body = body;
  }

  /** The byte looked at; 0, which fits no rule, past the end. */
  byte(): number {
    return this.at < this.body.length ? (this.body[this.at] ?? 0) : 0;
  }

  /** The next byte that is not white space. */
  token(): number {
    const { body } = this;
    let at = this.at;
    while (at < body.length && IS_SPACE[body[at] ?? 0] === 1) at += 1;
    this.at = at;
    return this.byte();
  }

  /** Moves over a string, a number or a literal that begins with `byte`. */
  scalar(byte: number): void {
    if (byte === QUOTE) this.text();
    else if (byte === MINUS || isDigit(byte)) this.#number();
    else this.#literal(byte);
  }

  /** Moves over a string, from its opening quote. */
  text(): void {
    this.escaped = false;
    let at = this.at + 1;
    for (;;) {
      at = this.#plainText(at);
      this.at = at;
      const byte = this.byte();
      if (byte === QUOTE) break;
      if (byte !== BACKSLASH) this.fail('a string is not closed, or holds a control character');
      at = this.#escapes(at);
    }
    this.at = at + 1;
  }

  /** The string that began at `start` and has just been moved over. */
  decode(start: number): string {
    if (!this.escaped) return readKey(this.body, start + 1, this.at - 1);
    return String(JSON.parse(this.body.toString('utf8', start, this.at)));
  }

  /** Refuses the body; `what` never quotes it. */
  fail(what: string): never {
    const message = `the request body is not usable JSON at byte ${this.at}: ${what}`;
    throw new ObeliskError('invalid_request', message);
  }

  /** The first byte from `at` that ends plain text; long text is read four bytes at a time. */
  #plainText(start: number): number {
    const { body } = this;
    const bytewise = Math.min(start + BYTEWISE, body.length);
    let at = start;
    while (at < bytewise && ENDS_TEXT[body[at] ?? 0] === 0) at += 1;
    if (at < bytewise || at === body.length) return at;
    at = this.#plainWords(at);
    while (at < body.length && ENDS_TEXT[body[at] ?? 0] === 0) at += 1;
    return at;
  }

  /**
   * The first place from `at` where plain text may end, `at` itself following plain text of more than a
   * word. `(w - 0x01…) & ~w & 0x80…` is not zero when a byte of `w` is zero (Mycroft's test), and with
   * 0x21… when a byte is below 0x21; `^ 0x02…` lets the quote and the space change places before.
   */
  #plainWords(at: number): number {
    const { body } = this;
    const words = (this.#words ??= new Int32Array(body.buffer, 0, body.buffer.byteLength >> 2));
    const last = (body.byteOffset + body.length) >> 2;
    let index = (body.byteOffset + at) >> 2;
    while (index < last) {
      const word = words[index] ?? 0;
      const quoteOrControl = (word ^ TWOS) - ABOVE_SPACES;
      const backslash = (word ^ BACKSLASHES) - ONES;
      if (((quoteOrControl | backslash) & ~word & HIGH_BITS) !== 0) break;
      index += 1;
    }
    return Math.max(index * 4 - body.byteOffset, at);
  }

  /** Moves over escapes, from the first backslash; code in a prompt is full of them. */
  #escapes(start: number): number {
    this.escaped = true;
    let at = this.#plainEscapes(start);
    while (at < this.body.length && this.body[at] === BACKSLASH) {
      this.at = at + 1;
      if (this.byte() !== LOWER_U) this.fail('a string holds an unknown escape');
      at = this.#plainEscapes(this.#hexadecimal(at + 2));
    }
    return at;
  }

  /**
   * The same for escapes of one letter. On its own, the loop keeps its place in a register; beside calls
   * it takes twice as long.
   */
  #plainEscapes(start: number): number {
    const { body } = this;
    let at = start;
    while (at < body.length && body[at] === BACKSLASH && IS_ESCAPE[body[at + 1] ?? 0] === 1) at += 2;
    return at;
  }

  #hexadecimal(at: number): number {
    const { body } = this;
    for (let digit = at; digit < at + 4; digit += 1) {
      if (digit >= body.length || IS_HEX[body[digit] ?? 0] !== 1)
        this.fail('a string holds an unknown escape');
    }
    return at + 4;
  }

  #number(): void {
    if (this.byte() === MINUS) this.at += 1;
    if (this.byte() === ZERO) this.at += 1;
    else this.#digits();
    if (this.byte() === POINT) {
      this.at += 1;
      this.#digits();
    }
    if ((this.byte() | 0x20) === LOWER_E) {
      this.at += 1;
      const sign = this.byte();
      if (sign === 0x2b || sign === MINUS) this.at += 1;
      this.#digits();
    }
  }

  #digits(): void {
    const { body } = this;
    const start = this.at;
    const end = Math.min(start + MAX_DIGITS, body.length);
    let at = start;
    while (at < end && isDigit(body[at] ?? 0)) at += 1;
    this.at = at;
    if (at === start) this.fail('a number is not complete');
    if (at < body.length && isDigit(body[at] ?? 0)) this.fail(`a number has more than ${MAX_DIGITS} digits`);
  }

  #literal(byte: number): void {
    const word = LITERALS.get(byte);
    if (word === undefined) this.fail('a value was expected');
    if (!isAt(this.body, this.at, word)) this.fail('a value was expected');
    this.at += word.length;
  }
}
