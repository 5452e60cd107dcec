import type { Headers } from '../http.ts';

/** What a request's head is made of. */
export type RequestLine = {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
};

const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const VALUE = /^[\t\u0020-\u007E\u0080-\u00FF]*$/;
/** Visible ASCII: Node's server refuses a target with anything else (RFC 3986 has nothing else either). */
const PATH = /^\/[\u0021-\u007E]*$/;

/** What the client itself says of the message and the connection; a second voice would be a smuggler's. */
const OWN: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Formats headers as lines, asking for no content-coding.
 *
 * @throws TypeError where a name or value would change the message, or the client itself decides it.
 */
function formatHeaders(headers: Headers): string {
  let lines = 'accept-encoding: identity\r\n';
  for (const name in headers) {
    if (name === 'accept-encoding') continue;
    const value = headers[name] ?? '';
    if (!NAME.test(name) || !VALUE.test(value) || OWN.has(name.toLowerCase())) {
      throw new TypeError(`invalid ${NAME.test(name) ? name : 'name of a'} header`);
    }
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

/** A head, and what it was made of. */
type Known = { readonly method: string; readonly path: string; readonly host: string; readonly head: string };

/** Formats the heads of requests and remembers those that it has seen. */
export class RequestFormatter {
  /** Headers of one deployment are the same object for every request, and mostly for one path. */
  readonly #known = new WeakMap<Headers, Known>();

  /**
   * Formats a request's head up to the length of its body, one character a byte.
   *
   * @param host Value of the host field.
   * @throws TypeError where the path or a header would change the message (CR, LF, NUL, characters
   *   beyond latin1), or names what the client itself decides.
   */
  format({ method, path, headers }: RequestLine, host: string): string {
    const known = this.#known.get(headers);
    if (known !== undefined && known.path === path && known.method === method && known.host === host)
      return known.head;
    if (!PATH.test(path)) throw new TypeError('invalid path');
    const head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${formatHeaders(headers)}`;
    this.#known.set(headers, { method, path, host, head });
    return head;
  }
}
