import { parseContentLength, parseFieldLines } from './fields.ts';

/** Longest request head that the codec reads, in bytes, its empty line included. */
export const MAX_REQUEST_HEAD_BYTES: number = 16 * 1024;

/** The head of a request in the codec's subset. */
export type RequestHead = {
  readonly method: 'GET' | 'POST';
  /** Path without the query, still percent-encoded. */
  readonly path: string;
  /** Query without `?`; empty when there is none. */
  readonly query: string;
  /** Values by lower-case name. */
  readonly fields: ReadonlyMap<string, string>;
  /** Length of the body, in bytes. */
  readonly bodyBytes: number;
};

/** Method, origin-form target and version (RFC 9112 section 3), each one space apart. */
const REQUEST_LINE =
  /^(GET|POST) (\/[\u0021-\u0022\u0024-\u003E\u0040-\u007E]*)(?:\?([\u0021-\u0022\u0024-\u007E]*))? HTTP\/1\.1$/;

/** Fields that change how a message is framed or what becomes of its connection: node:http knows them all. */
const UNUSUAL: ReadonlySet<string> = new Set(['transfer-encoding', 'expect', 'upgrade', 'te', 'trailer']);

/**
 * Reads the head of a request: `GET` or `POST` of an origin-form target over HTTP/1.1, one Host, no
 * name twice, a body only with a Content-Length, a connection that stays open.
 *
 * @param text The head as latin1, from its first byte to the CRLF of its last line; the empty line is not part of it.
 * @returns Undefined for everything else, which is left to node:http to serve or to refuse.
 */
export function parseRequestHead(text: string): RequestHead | undefined {
  const lineEnd = text.indexOf('\r\n');
  const line = lineEnd === -1 ? null : REQUEST_LINE.exec(text.slice(0, lineEnd));
  if (line === null) return undefined;
  const list = parseFieldLines(text.slice(lineEnd + 2));
  const fields = list && toFields(list);
  if (fields === undefined || !isUsual(fields)) return undefined;
  const method = line[1] === 'GET' ? 'GET' : 'POST';
  const length = fields.get('content-length');
  const bodyBytes = length === undefined ? 0 : parseContentLength(length);
  if (bodyBytes === undefined || (method === 'GET' && bodyBytes > 0)) return undefined;
  return { method, path: line[2] ?? '', query: line[3] ?? '', fields, bodyBytes };
}

function toFields(list: readonly string[]): Map<string, string> | undefined {
  const fields = new Map<string, string>();
  for (let at = 0; at < list.length; at += 2) {
    const name = list[at] ?? '';
    if (UNUSUAL.has(name)) return undefined;
    fields.set(name, list[at + 1] ?? '');
  }
  // A name that came twice: what that means depends on the name.
  return fields.size * 2 === list.length ? fields : undefined;
}

function isUsual(fields: ReadonlyMap<string, string>): boolean {
  if ((fields.get('host') ?? '') === '') return false;
  const connection = fields.get('connection');
  return connection === undefined || connection === 'keep-alive' || connection === 'Keep-Alive';
}
