/** Whole events of a stream as text: WHATWG HTML, 9.2.6, as far as OpenAI's streams need it. */
import { parseJson } from '../../shared/parse-json.ts';
import { readFailure, readRefusal } from './error-body.ts';
import type { UpstreamFailure } from './error-body.ts';

const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;
/** Between two events, in all three line ends; the blank line may end otherwise than the one before it. */
const BOUNDARY = /\r?\n\r?\n|\r\r/g;

/** The events of a block, without the blank lines between them. */
export function eventsOf(text: string): string[] {
  return text.split(BOUNDARY).filter((event) => event !== '');
}

/** The events of a block, each with the blank line behind it; both may be empty. */
export function* eventsWithBlanksOf(text: string): Generator<readonly [event: string, blank: string]> {
  let start = 0;
  for (const { 0: blank, index } of text.matchAll(BOUNDARY)) {
    yield [text.slice(start, index), blank];
    start = index + blank.length;
  }
  yield [text.slice(start), ''];
}

/** The data of one event, lines joined by LF; `undefined` where it has none. */
export function dataOf(event: string): string | undefined {
  const lines = event.split(/\r\n|\n|\r/).filter((line) => line.startsWith('data:'));
  if (lines.length === 0) return undefined;
  return lines
    .map((line) => line.slice(line.startsWith('data: ') ? 6 : 5))
    .join('\n')
    .trimEnd();
}

const ERROR_EVENT = /^event: ?error *$/m;

/** The failure that an event tells of, by what its data is or, where that has another form, by its name. */
export function failureIn(event: string, json: unknown): UpstreamFailure | undefined {
  return ERROR_EVENT.test(event) ? (readRefusal(json) ?? {}) : readFailure(json);
}

/**
 * Whether every event ends as JSON or `[DONE]` does: a byte an event instead of a parse. What is cut
 * off behind an inner bracket passes, and is as malformed to the client as it was to us.
 */
export function endsLikeJson(block: string): boolean {
  for (let start = 0; start < block.length;) {
    const end = block.indexOf('\n\n', start);
    const last = block.charCodeAt(end - 1);
    if (end === -1 || (last !== CLOSE_BRACE && last !== CLOSE_BRACKET)) return false;
    start = end + 2;
  }
  return true;
}

/** Length of the events before the first one whose data is no JSON. */
export function soundLength(block: string): number {
  let start = 0;
  for (const [event, blank] of eventsWithBlanksOf(block)) {
    if (!isSound(event)) return start;
    start += event.length + blank.length;
  }
  return block.length;
}

function isSound(event: string): boolean {
  const data = dataOf(event);
  if (data === undefined || data === '' || data === '[DONE]') return true;
  return (data.startsWith('{') && data.endsWith('}')) || parseJson(data) !== undefined;
}
