import type { Headers } from '../http.ts';
import { parseContentLength, parseFieldLines } from './fields.ts';
import { KnownHead } from './known-head.ts';

/** Longest head of a response accepted, in bytes. */
export const MAX_RESPONSE_HEAD_BYTES: number = 64 * 1024;

/** How the end of a response's body is known (RFC 9112 section 6.3). */
export type Framing = 'none' | 'length' | 'chunked' | 'until-close';

/** The head of a response, and what it says of the bytes after it. */
export type ResponseHead = {
  readonly status: number;
  readonly headers: Headers;
  readonly framing: Framing;
  /** Bytes of the body where `framing` is `length`; else 0. */
  readonly length: number;
  /** Whether the connection may carry another request after this response. */
  readonly persistent: boolean;
  /** Seconds that the server keeps an unused connection, where it says so (`keep-alive: timeout=`). */
  readonly keepAliveSeconds: number | undefined;
};

/** How every response begins that this reader accepts; HTTP/0.9 and 2 have no place here. */
export const VERSION_PREFIX = 'HTTP/1.';

/** The version, the status and its reason, which may be left out (RFC 9112 section 4). */
const STATUS_LINE = /^HTTP\/1\.[01] ([1-9]\d\d)(?: [\t\u0020-\u007E\u0080-\u00FF]*)?$/;
const ZERO = 48;

/** What the fields of a head say about framing, gathered while they are read. */
type Fields = {
  readonly headers: Record<string, string>;
  length: number | undefined;
  chunked: boolean;
  close: boolean;
  keepAliveSeconds: number | undefined;
};

/**
 * Reads the head of a response: its status line and fields, each with its CRLF. Repeated fields are
 * joined by `, `.
 *
 * @param bytes Begin with the head.
 * @param end Where its last line has ended: the empty line is not part of it.
 * @param toHead Whether the request was a HEAD, whose response has no body whatever its head says.
 * @returns Undefined for anything outside the strict subset: another version, lengths that disagree or
 *   occur twice, a length beside a transfer coding, a coding other than `chunked`, a body where there
 *   can be none.
 */
export function parseResponseHead(bytes: Buffer, end: number, toHead: boolean): ResponseHead | undefined {
  return parse(bytes.toString('latin1', 0, end), bytes, toHead);
}

/** Reads the heads of one connection: a busy server sends the same but for the length within a second. */
export class ResponseHeads {
  readonly #known = new KnownHead<ResponseHead>();

  /** Reads a head as `parseResponseHead` does. */
  read(bytes: Buffer, end: number, toHead: boolean): ResponseHead | undefined {
    const text = bytes.toString('latin1', 0, end);
    const known = toHead ? undefined : this.#known.sameAs(text);
    if (known?.framing === 'length') {
      const lengthText = this.#known.lengthIn(text);
      const length = parseContentLength(lengthText) ?? 0;
      if (length > 0 && lengthText === known.headers['content-length']) return known;
      if (length > 0)
        return { ...known, length, headers: { ...known.headers, 'content-length': lengthText } };
    }
    const head = parse(text, bytes, toHead);
    this.#known.keep(text, head);
    return head;
  }
}

/** `text` is the whole of the head, which `bytes` begin with. */
function parse(text: string, bytes: Buffer, toHead: boolean): ResponseHead | undefined {
  const lineEnd = text.indexOf('\r\n');
  const status = readStatus(text.slice(0, Math.max(lineEnd, 0)));
  if (status === undefined) return undefined;
  const list = parseFieldLines(text, bytes, lineEnd + 2);
  const fields = list === undefined ? undefined : gather(list);
  if (fields === undefined) return undefined;
  const old = text.charCodeAt(VERSION_PREFIX.length) === ZERO;
  // HTTP/1.0 knows no transfer coding (RFC 9112 section 6.1), and a length beside one is a smuggler's.
  if (fields.chunked && (old || fields.length !== undefined)) return undefined;
  const framing = framingOf(status, fields, toHead);
  if (framing === undefined) return undefined;
  return {
    status,
    headers: fields.headers,
    framing,
    length: framing === 'length' ? (fields.length ?? 0) : 0,
    persistent: !old && !fields.close && framing !== 'until-close',
    keepAliveSeconds: fields.keepAliveSeconds,
  };
}

/** Nearly every response has the same line as the one before. */
let lastText = '';
let lastStatus: number | undefined;

function readStatus(line: string): number | undefined {
  if (line === lastText) return lastStatus;
  const digits = STATUS_LINE.exec(line)?.[1];
  lastText = line;
  lastStatus = digits === undefined ? undefined : Number(digits);
  return lastStatus;
}

function gather(list: readonly string[]): Fields | undefined {
  const fields: Fields = {
    headers: {},
    length: undefined,
    chunked: false,
    close: false,
    keepAliveSeconds: undefined,
  };
  const { headers } = fields;
  for (let at = 0; at < list.length; at += 2) {
    const name = list[at] ?? '';
    const value = list[at + 1] ?? '';
    if (!note(fields, name, value)) return undefined;
    const before = headers[name];
    headers[name] = typeof before === 'string' ? `${before}, ${value}` : value;
  }
  return fields;
}

/** Takes in what one field says about framing; false where that cannot be accepted. */
function note(fields: Fields, name: string, value: string): boolean {
  switch (name) {
    case 'content-length':
      if (fields.length !== undefined) return false;
      fields.length = parseContentLength(value);
      return fields.length !== undefined;
    case 'transfer-encoding':
      // A second coding would have to be undone too; `identity` is obsolete and a smuggler's friend.
      if (fields.chunked || value.toLowerCase() !== 'chunked') return false;
      fields.chunked = true;
      return true;
    case 'connection':
    case 'proxy-connection':
      fields.close ||= /(?:^|[,\s])close(?:$|[,\s])/i.test(value);
      return true;
    case 'keep-alive':
      fields.keepAliveSeconds = secondsOf(value);
      return true;
    default:
      return true;
  }
}

function secondsOf(keepAlive: string): number | undefined {
  const digits = /(?:^|[,;\s])timeout=(\d{1,9})(?:$|[,;\s])/i.exec(keepAlive)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function framingOf(status: number, fields: Fields, toHead: boolean): Framing | undefined {
  const { length, chunked } = fields;
  if (status < 200 || status === 204) {
    // These have no body (RFC 9110 section 6.4.1); one that is announced all the same might follow.
    return chunked || (length ?? 0) > 0 ? undefined : 'none';
  }
  if (toHead || status === 304 || length === 0) return 'none';
  if (chunked) return 'chunked';
  return length === undefined ? 'until-close' : 'length';
}
