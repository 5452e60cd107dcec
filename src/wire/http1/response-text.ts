import { STATUS_CODES } from 'node:http';
import { TextByPlace } from '../../shared/text-by-place.ts';
import type { Headers } from '../http.ts';

/** What may stand in a header: visible latin1, space and tab. Anything else could forge a second header. */
const VALUE = /^[\t\u0020-\u007E\u0080-\u00FF]*$/;

const lines = new TextByPlace<string>((name, value) => {
  if (!VALUE.test(value)) throw new TypeError(`the header ${name} holds a character no header can carry`);
  return `${name}: ${value}\r\n`;
});

/** Writes a response's status line and headers as latin1, without the empty line that ends them. */
export function responseText(status: number, headers: Headers): string {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  let place = 0;
  for (const name in headers) {
    text += lines.at(place, name, headers[name] ?? '');
    place += 1;
  }
  return text;
}

/** The `date` header of now (RFC 9110 section 6.6.1), written anew once a second. */
export function createDateText(unixMs: () => number): () => string {
  let second = -1;
  let text = '';
  return () => {
    const now = Math.floor(unixMs() / 1_000);
    if (now !== second) {
      second = now;
      text = `date: ${new Date(now * 1_000).toUTCString()}\r\n`;
    }
    return text;
  };
}

/** Bytes as latin1 text, one character a byte; a string is UTF-8. */
export function latin1Of(chunk: Uint8Array | string): string {
  if (chunk instanceof Buffer) return chunk.toString('latin1');
  if (typeof chunk !== 'string')
    return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
  // Plain ASCII is the same in both.
  return Buffer.byteLength(chunk) === chunk.length ? chunk : Buffer.from(chunk).toString('latin1');
}
