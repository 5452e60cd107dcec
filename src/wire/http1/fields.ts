/**
 * The header section of an HTTP/1.1 message, in the strict subset that both sides of the codec accept:
 * exactly CRLF, no folding, no space before the colon, no control characters. Text here is latin1, one
 * character a byte, as it came.
 */

/** Most header fields accepted in one message. */
export const MAX_FIELDS = 128;

/**
 * Every line is `name: value` ended by CRLF (RFC 9112 section 5, without obs-fold). No tab among the
 * blanks after a value: Node's parser does not take `chunked` before one for the coding.
 */
const FIELD_LINES = /^(?:[\w!#$%&'*+.^`|~-]+:[\t\u0020-\u007E\u0080-\u00FF]*\r\n(?<!\t *\r\n))*$/;

const TAB = 9;
const SPACE = 32;

/**
 * Reads the lines of a header section, each with its CRLF and without the empty line after them.
 *
 * @returns Names in lower case and values without the white space around them, in turn and in the order
 *   they came; undefined when the section is not in the subset.
 */
export function parseFieldLines(section: string): string[] | undefined {
  if (!FIELD_LINES.test(section)) return undefined;
  const list: string[] = [];
  for (let at = 0; at < section.length;) {
    const colon = section.indexOf(':', at);
    const end = section.indexOf('\r\n', colon);
    list.push(section.slice(at, colon).toLowerCase(), trimmed(section, colon + 1, end));
    at = end + 2;
  }
  return list.length > 2 * MAX_FIELDS ? undefined : list;
}

/** Without the optional white space around a value (RFC 9110 section 5.6.3). */
function trimmed(text: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

/**
 * Reads a Content-Length: digits only (RFC 9110 section 8.6); a list of equal ones, which the standard
 * lets a recipient accept, is refused.
 *
 * @returns The length in bytes; undefined for anything else.
 */
export function parseContentLength(value: string): number | undefined {
  return /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}
