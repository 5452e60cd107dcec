import { parseContentLength, parseFieldLines } from './fields.ts';
import { KnownHead } from './known-head.ts';

/** Longest request head that the codec reads, in bytes, its empty line included. */
export const MAX_REQUEST_HEAD_BYTES: number = 16 * 1024;

/** The head of a request in the codec's subset. */
export type RequestHead = {
  readonly method: 'GET' | 'POST';
  /** Path without the query, still percent-encoded. */
  readonly path: string;
  /** Query without `?`; empty when there is none. */
  readonly query: string;
  /** Values by lower-case name, but for the length. */
  readonly fields: ReadonlyMap<string, string>;
  /** The length of the body as it was sent; undefined where none was. */
  readonly lengthText: string | undefined;
  /** Length of the body, in bytes. */
  readonly bodyBytes: number;
};

/** Method, origin-form target and version (RFC 9112 section 3), each one space apart. */
const REQUEST_LINE =
  /^(GET|POST) (\/[\u0021-\u0022\u0024-\u003E\u0040-\u007E]*)(?:\?([\u0021-\u0022\u0024-\u007E]*))? HTTP\/1\.1$/;

/**
 * Fields that change how a message is framed or what becomes of its connection: node:http knows them all.
 * Its parser reads Proxy-Connection, which no standard has, as Connection.
 */
const UNUSUAL: readonly string[] = [
  'transfer-encoding',
  'expect',
  'upgrade',
  'te',
  'trailer',
  'proxy-connection',
];

/**
 * Reads the head of a request: `GET` or `POST` of an origin-form target over HTTP/1.1, one Host, no
 * name twice, a body only with a Content-Length, a connection that stays open.
 *
 * @param bytes Begin with the head.
 * @param end Where its last line has ended: the empty line is not part of it.
 * @returns Undefined for everything else, which is left to node:http to serve or to refuse.
 */
export function parseRequestHead(bytes: Buffer, end: number): RequestHead | undefined {
  return parse(bytes.toString('latin1', 0, end), bytes);
}

/** Reads the heads of one connection. */
export class RequestHeads {
  readonly #known = new KnownHead<RequestHead>();

  /** Reads a head as `parseRequestHead` does. */
  read(bytes: Buffer, end: number): RequestHead | undefined {
    const text = bytes.toString('latin1', 0, end);
    const known = this.#known.sameAs(text);
    if (known !== undefined) {
      const { method, path, query, fields } = known;
      const lengthText = this.#known.lengthIn(text);
      const bodyBytes = parseContentLength(lengthText);
      if (bodyBytes !== undefined && method === 'POST')
        return { method, path, query, fields, lengthText, bodyBytes };
    }
    const head = parse(text, bytes);
    this.#known.keep(text, head);
    return head;
  }
}

/** `text` is the whole of the head, which `bytes` begin with. */
function parse(text: string, bytes: Buffer): RequestHead | undefined {
  const lineEnd = text.indexOf('\r\n');
  const line = readLine(text.slice(0, Math.max(lineEnd, 0)));
  if (line === undefined) return undefined;
  const { method, path, query } = line;
  const fields = readFields(parseFieldLines(text, bytes, lineEnd + 2));
  const lengthText = fields?.get('content-length');
  const bodyBytes = parseContentLength(lengthText ?? '0');
  if (fields === undefined || bodyBytes === undefined) return undefined;
  fields.delete('content-length');
  const head = { method, path, query, fields, lengthText, bodyBytes };
  return method === 'POST' || bodyBytes === 0 ? head : undefined;
}

type RequestLine = Pick<RequestHead, 'method' | 'path' | 'query'>;

/** Nearly every request has the same line as the one before: comparing one text is all it costs. */
let lastText = '';
let lastLine: RequestLine | undefined;

function readLine(text: string): RequestLine | undefined {
  if (text === lastText) return lastLine;
  const [, method, path = '', query = ''] = REQUEST_LINE.exec(text) ?? [];
  lastText = text;
  lastLine = method === 'POST' || method === 'GET' ? { method, path, query } : undefined;
  return lastLine;
}

function readFields(list: readonly string[] = []): Map<string, string> | undefined {
  const fields = new Map<string, string>();
  for (let at = 0; at < list.length; at += 2) fields.set(list[at] ?? '', list[at + 1] ?? '');
  // A name that came twice: what that means depends on the name.
  return fields.size * 2 === list.length && isUsual(fields) ? fields : undefined;
}

function isUsual(fields: ReadonlyMap<string, string>): boolean {
  if (UNUSUAL.some((name) => fields.has(name))) return false;
  if ((fields.get('host') ?? '') === '') return false;
  const connection = fields.get('connection');
  return connection === undefined || connection === 'keep-alive' || connection === 'Keep-Alive';
}
