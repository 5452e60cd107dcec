/**
 * The header section of an HTTP/1.1 message, in the strict subset that both sides of the codec accept:
 * exactly CRLF, no folding, no space before the colon, no control characters. Text here is latin1, one
 * character a byte, as it came.
 */

/** Most header fields accepted in one message. */
export const MAX_FIELDS = 128;

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const ZERO = 48;
const COLON = 58;

/** Of a length in bytes: far beyond what anybody sends, and exact in a double. */
const MAX_LENGTH_DIGITS = 15;

/** What a byte may be part of. */
const NAME = 1;
const VALUE = 2;

const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  const isName = /[\w!#$%&'*+.^`|~-]/.test(character);
  const isValue = /[\t\u0020-\u007E\u0080-\u00FF]/.test(character);
  return (isName ? NAME : 0) | (isValue ? VALUE : 0);
});

/** Names of nearly every message, and of the SDKs that most clients use. */
const COMMON_NAMES: readonly string[] = [
  'Accept',
  'Accept-Encoding',
  'Accept-Language',
  'Authorization',
  'Cache-Control',
  'Connection',
  'Content-Length',
  'Content-Type',
  'Date',
  'Host',
  'Keep-Alive',
  'Sec-Fetch-Mode',
  'Server',
  'Transfer-Encoding',
  'User-Agent',
  'Vary',
  'X-Request-Id',
  'X-Stainless-Arch',
  'X-Stainless-Async',
  'X-Stainless-Lang',
  'X-Stainless-OS',
  'X-Stainless-Package-Version',
  'X-Stainless-Retry-Count',
  'X-Stainless-Runtime',
  'X-Stainless-Runtime-Version',
  'X-Stainless-Timeout',
];

/** By both their usual spellings: a name is quicker found than made. */
const COMMON: ReadonlyMap<string, string> = new Map(
  COMMON_NAMES.flatMap((name) => {
    const lower = name.toLowerCase();
    return [
      [name, lower],
      [lower, lower],
    ];
  }),
);

/**
 * Reads the lines of a header section, each `name: value` ended by CRLF (RFC 9112 section 5, without
 * obs-fold), without the empty line after them.
 *
 * @param bytes The head, of which `text` is the whole, one character a byte: bytes are quicker to look at.
 * @param from Where the first line begins.
 * @returns Names in lower case and values without the white space around them, in turn and in the order
 *   they came; undefined when the section is not in the subset.
 */
export function parseFieldLines(text: string, bytes: Uint8Array, from: number): string[] | undefined {
  const list: string[] = [];
  for (let at = from; at < text.length;) {
    const colon = endOf(bytes, at, NAME);
    const end = endOf(bytes, colon + 1, VALUE);
    if (colon === at || bytes[colon] !== COLON || !isLineEnd(bytes, end, text.length)) return undefined;
    const value = trimmed(text, bytes, { start: colon + 1, end });
    if (value === undefined) return undefined;
    const name = text.slice(at, colon);
    list.push(COMMON.get(name) ?? name.toLowerCase(), value);
    at = end + 2;
  }
  return list.length > 2 * MAX_FIELDS ? undefined : list;
}

/** The first byte from `at` that is of another kind. */
function endOf(bytes: Uint8Array, from: number, kind: number): number {
  let at = from;
  while ((kindOf(bytes, at) & kind) !== 0) at += 1;
  return at;
}

function isLineEnd(bytes: Uint8Array, at: number, length: number): boolean {
  return at + 2 <= length && bytes[at] === CR && bytes[at + 1] === LF;
}

function kindOf(bytes: Uint8Array, at: number): number {
  return KINDS[bytes[at] ?? 0] ?? 0;
}

/**
 * Without the optional white space around a value (RFC 9110 section 5.6.3). Undefined where a tab is
 * among the blanks after it: Node's parser does not take `chunked` before one for the coding.
 */
function trimmed(
  text: string,
  bytes: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
): string | undefined {
  let from = start;
  let to = end;
  while (to > from && bytes[to - 1] === SPACE) to -= 1;
  if (to > from && bytes[to - 1] === TAB) return undefined;
  while (from < to && (bytes[from] === SPACE || bytes[from] === TAB)) from += 1;
  return text.slice(from, to);
}

/**
 * Reads a Content-Length: digits only (RFC 9110 section 8.6); a list of equal ones, which the standard
 * lets a recipient accept, is refused.
 *
 * @returns The length in bytes; undefined for anything else.
 */
export function parseContentLength(value: string): number | undefined {
  if (value === '' || value.length > MAX_LENGTH_DIGITS) return undefined;
  let length = 0;
  for (let at = 0; at < value.length; at += 1) {
    const digit = value.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    length = length * 10 + digit;
  }
  return length;
}
