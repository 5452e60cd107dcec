import { isUtf8 } from 'node:buffer';
import { ObeliskError } from '../shared/errors.ts';
import { JsonLexer, QUOTE } from './json-lexer.ts';

/** Deepest nesting accepted. */
export const MAX_DEPTH = 64;
/** Most commas, colons, braces and brackets accepted outside strings. */
export const MAX_STRUCTURAL = 200_000;
/** Most members accepted in the top-level object, and in `metadata`, whose keys are decoded too. */
const MAX_MEMBERS = 1_000;

/** A member of the top-level object, as byte ranges of the body. */
export type Member = {
  /** The key, decoded. */
  readonly key: string;
  /** First byte of the key: its opening quote. */
  readonly keyStart: number;
  /** First byte of the value. */
  readonly start: number;
  /** Byte after the value. */
  readonly end: number;
};

/** What a body must not hold. */
export type ScanRules = {
  /** Keys refused at the top and directly in `metadata`: what chooses hosts or credentials. */
  readonly refusedKeys?: ReadonlySet<string>;
};

/** A valid JSON object, known by its top-level members without having been parsed. */
export class Scan {
  readonly body: Buffer;
  /** By key, in the order of the body. */
  readonly members: ReadonlyMap<string, Member>;

  constructor(body: Buffer, members: ReadonlyMap<string, Member>) {
    this.body = body;
    this.members = members;
  }

  /** The value of a top-level member, parsed; undefined where there is none. */
  value(key: string): unknown {
    const member = this.members.get(key);
    if (member === undefined) return undefined;
    const text = this.body.toString('utf8', member.start, member.end);
    const isPlain = text.charCodeAt(0) === QUOTE && !text.includes('\\');
    return isPlain ? text.slice(1, -1) : JSON.parse(text);
  }
}

const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const KEY_OR_END = 0;
const KEY = 1;
const VALUE_OR_END = 2;
const VALUE = 3;
const COMMA_OR_END = 4;

const NO_KEYS: ReadonlySet<string> = new Set();

const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

/** What a caller cannot see in what was sent is named. */
function insteadOfObject(body: Buffer): string {
  if (body.length === 0) return 'it is empty; send a JSON object';
  return body.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
    ? 'it begins with a byte order mark; send it without'
    : 'an object was expected';
}

/** The grammar of JSON without recursion. One object a body; its fields are the state of the machine. */
class Scanner {
  readonly #lexer: JsonLexer;
  readonly #refused: ReadonlySet<string>;
  readonly #members = new Map<string, Member>();
  /** Whether the containers around the innermost one are objects. */
  readonly #objects: boolean[] = [];
  /** Whether the innermost one is. */
  #inObject = false;
  #depth = 0;
  #expect = VALUE;
  #structural = 0;
  #metadataMembers = 0;
  #key = '';
  #keyStart = 0;
  #valueStart = 0;

  constructor(body: Buffer, refused: ReadonlySet<string>) {
    this.#lexer = new JsonLexer(body);
    this.#refused = refused;
  }

  run(): Scan {
    const lexer = this.#lexer;
    if (lexer.token() !== OPEN_BRACE) lexer.fail(insteadOfObject(lexer.body));
    this.#open(OPEN_BRACE);
    while (this.#depth > 0) this.#step(lexer.token());
    lexer.token();
    if (lexer.at < lexer.body.length) lexer.fail('the object is followed by something else');
    return new Scan(lexer.body, this.#members);
  }

  #step(byte: number): void {
    if (this.#expect === COMMA_OR_END) this.#separator(byte);
    else if (this.#expect === VALUE) this.#value(byte);
    else if (this.#expect === KEY) this.#member(byte);
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#close(byte);
    else if (this.#expect === KEY_OR_END) this.#member(byte);
    else this.#value(byte);
  }

  #separator(byte: number): void {
    if (byte !== COMMA) {
      this.#close(byte);
      return;
    }
    this.#count();
    this.#expect = this.#inObject ? KEY : VALUE;
  }

  #member(byte: number): void {
    const lexer = this.#lexer;
    const start = lexer.at;
    if (byte !== QUOTE) lexer.fail('a key was expected');
    lexer.text();
    if (this.#depth === 1) this.#beginMember(start);
    else if (this.#depth === 2 && this.#key === 'metadata') this.#metadataMember(start);
    if (lexer.token() !== COLON) lexer.fail('a colon was expected');
    this.#count();
    this.#expect = VALUE;
  }

  #beginMember(start: number): void {
    const key = this.#lexer.decode(start);
    this.#refuse(key, '');
    if (this.#members.has(key)) {
      const name = key.slice(0, 64);
      const message = `the request body has the key ${JSON.stringify(name)} twice; send it once`;
      throw new ObeliskError('invalid_request', message, { param: name });
    }
    if (this.#members.size >= MAX_MEMBERS) this.#lexer.fail(`it has more than ${MAX_MEMBERS} keys`);
    this.#key = key;
    this.#keyStart = start;
  }

  #metadataMember(start: number): void {
    this.#metadataMembers += 1;
    if (this.#metadataMembers > MAX_MEMBERS) this.#lexer.fail(`metadata has more than ${MAX_MEMBERS} keys`);
    this.#refuse(this.#lexer.decode(start), 'metadata.');
  }

  #refuse(key: string, prefix: string): void {
    if (!this.#refused.has(key)) return;
    const param = prefix + key;
    const message = `${param} is not accepted in a request; hosts, keys and headers are chosen in the configuration`;
    throw new ObeliskError('invalid_request', message, { param });
  }

  #value(byte: number): void {
    if (this.#depth === 1) this.#valueStart = this.#lexer.at;
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      this.#open(byte);
      return;
    }
    this.#lexer.scalar(byte);
    this.#endValue();
  }

  #endValue(): void {
    this.#expect = COMMA_OR_END;
    if (this.#depth !== 1) return;
    const [key, keyStart, start, end] = [this.#key, this.#keyStart, this.#valueStart, this.#lexer.at];
    this.#members.set(key, { key, keyStart, start, end });
  }

  #open(byte: number): void {
    this.#count();
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.#lexer.fail(`it is nested deeper than ${MAX_DEPTH} levels`);
    this.#objects.push(this.#inObject);
    this.#inObject = byte === OPEN_BRACE;
    this.#expect = this.#inObject ? KEY_OR_END : VALUE_OR_END;
  }

  #close(byte: number): void {
    if (byte !== (this.#inObject ? CLOSE_BRACE : CLOSE_BRACKET))
      this.#lexer.fail('a comma or the end of a list or object was expected');
    this.#count();
    this.#depth -= 1;
    this.#inObject = this.#objects.pop() === true;
    this.#endValue();
  }

  /** Moves over one structural character. */
  #count(): void {
    this.#lexer.at += 1;
    this.#structural += 1;
    if (this.#structural > MAX_STRUCTURAL) this.#lexer.fail(`it has more than ${MAX_STRUCTURAL} parts`);
  }
}

/**
 * Reads the shape of a JSON request body in one pass over its bytes, linear in its size and without
 * building it: `JSON.parse` of 8 MiB of `0,0,0…` would block the event loop for a third of a second.
 * What is accepted, `JSON.parse` accepts, and agrees on every top-level member.
 * @throws ObeliskError `invalid_request` for anything but one object of valid UTF-8 without duplicate
 *   top-level keys, at most `MAX_DEPTH` deep, with at most `MAX_STRUCTURAL` parts, 1,000 members there
 *   and 1,000 in `metadata`, and no refused key.
 */
export function scanTopLevel(body: Buffer, rules: ScanRules = {}): Scan {
  if (!isUtf8(body)) throw new ObeliskError('invalid_request', 'the request body is not valid UTF-8');
  return new Scanner(body, rules.refusedKeys ?? NO_KEYS).run();
}
