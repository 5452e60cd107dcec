import { parseJson } from '../../shared/parse-json.ts';
import type { UpstreamFailure } from './error-body.ts';
import {
  dataOf,
  endsLikeJson,
  eventsOf,
  eventsWithBlanksOf,
  failureIn,
  soundLength,
} from './stream-events.ts';
import { ERROR_MARK, hasEnd, StreamTail, USAGE_MARK, usageOf } from './stream-tail.ts';
import type { StreamFacts } from './stream-tail.ts';

/** Longest event that is waited for, in bytes: a server that never ends one must not fill the memory. */
const EVENT_LIMIT_BYTES = 4 * 1024 * 1024;

const LF_LF = Buffer.from('\n\n');
/** Behind a line that ended with either LF or CRLF. */
const LF_CRLF = Buffer.from('\n\r\n');
const CR_CR = Buffer.from('\r\r');
const NOTHING: Buffer = Buffer.alloc(0);
/** One less than the longest blank line. */
const LEAD_BYTES = 3;
const LF = 0x0a;
const CR = 0x0d;
/** Media types are the same in any case (RFC 9110 section 8.3.1). */
const EVENT_STREAM = /^text\/event-stream/i;
const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

/**
 * Watches a stream of OpenAI's chunks go by. Bytes pass as they are, cut at events only, so that an
 * error frame or a heartbeat can stand between any two of them; nothing is parsed before the usage.
 * The event that holds only usage leaves with `choices: []`, as OpenAI has it; LiteLLM sends an empty
 * choice with it, in which some clients look for a text.
 */
export class StreamTap {
  readonly #stripUsage: boolean;
  readonly #redact: (text: string) => string;
  readonly #several: boolean;
  #begun = false;
  #malformed = false;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** The last bytes of what is pending: a blank line may be cut anywhere. */
  #lead = NOTHING;
  readonly #tail = new StreamTail();
  #events = 0;

  /**
   * @param stripUsage Whether the event that holds only usage is taken out, because the client did
   *   not ask for it.
   * @param redact Takes secrets out of what an upstream says of its failures.
   * @param several Whether more than one answer was asked for: a `finish_reason` is then the end of one
   *   of them, and only `[DONE]` that of all.
   */
  constructor(
    stripUsage: boolean,
    redact: (text: string) => string = (text) => text,
    several: boolean = false,
  ) {
    this.#stripUsage = stripUsage;
    this.#redact = redact;
    this.#several = several;
  }

  /** Events given out so far: about a token each, for want of the count that comes with the end. */
  get events(): number {
    return this.#events;
  }

  /** What is wrong with the stream, continuing its server's name; from there on nothing is given out. */
  get flaw(): string | undefined {
    if (this.#malformed) return 'sent an event that is not JSON';
    return this.#pendingBytes > EVENT_LIMIT_BYTES ? 'sent an event of more than 4 MiB' : undefined;
  }

  /** Takes what arrived and gives the whole events there are now. */
  feed(chunk: Buffer): Buffer | undefined {
    if (this.flaw !== undefined) return undefined;
    let whole = this.#pendingBytes === 0 ? this.#cut(chunk) : this.#join(chunk);
    if (whole === undefined) return undefined;
    if (!this.#begun) whole = this.#begin(whole);
    if (whole === undefined) return undefined;
    // The marks looked for are ASCII, and searching a string is cheaper than searching a buffer.
    const text = whole.toString('latin1');
    if (!endsLikeJson(text)) {
      whole = this.#sound(whole, text);
      if (whole === undefined) return undefined;
    }
    if (text.includes(ERROR_MARK)) whole = this.#withoutSecrets(whole);
    this.#events += eventsIn(text);
    this.#tail.note(whole, text);
    return text.includes(USAGE_MARK) ? withUsageSettled(whole, this.#stripUsage) : whole;
  }

  /** Gives what is left when the connection ended: a last event without its blank line. */
  flush(): Buffer | undefined {
    if (this.#pendingBytes === 0) return undefined;
    const rest = Buffer.concat([...this.#pending, LF_LF]);
    this.#pending = [];
    this.#pendingBytes = 0;
    const data = dataOf(rest.toString());
    if (data === undefined || (data !== '[DONE]' && parseJson(data) === undefined)) return undefined;
    const told = this.#withoutSecrets(rest);
    this.#tail.note(told);
    return withUsageSettled(told, this.#stripUsage);
  }

  /** Reads the facts from the last events; called once, at the end. */
  facts(): StreamFacts {
    const facts = this.#tail.facts();
    return this.#several ? { ...facts, complete: facts.done } : facts;
  }

  #cut(chunk: Buffer): Buffer | undefined {
    const end = lastBoundary(chunk);
    if (end === chunk.length) return chunk;
    this.#hold(chunk.subarray(end));
    return end === 0 ? undefined : chunk.subarray(0, end);
  }

  /** Looks for an end in the new bytes and the three before them only, so that a long event costs its length once. */
  #join(chunk: Buffer): Buffer | undefined {
    const lead = this.#lead.length;
    const end = lastBoundary(Buffer.concat([this.#lead, chunk])) - lead;
    if (end <= 0) {
      this.#hold(chunk);
      return undefined;
    }
    const whole = Buffer.concat([...this.#pending, chunk.subarray(0, end)]);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#lead = NOTHING;
    if (end < chunk.length) this.#hold(chunk.subarray(end));
    return whole;
  }

  /**
   * Comments before the first data are left out: they are signs of life, and an answer that has begun can
   * fail with no status of its own any more. So is a byte order mark, which behind a heartbeat would be text.
   */
  #begin(whole: Buffer): Buffer | undefined {
    const mark = BYTE_ORDER_MARK.length;
    const events = whole.subarray(0, mark).equals(BYTE_ORDER_MARK) ? whole.subarray(mark) : whole;
    this.#begun = eventsOf(events.toString('latin1')).some((event) => (dataOf(event) ?? '') !== '');
    return this.#begun ? events : undefined;
  }

  /** Some servers repeat in their errors the key that they were sent. */
  #withoutSecrets(whole: Buffer): Buffer {
    const text = whole.toString('latin1');
    const told = this.#redact(text);
    return told === text ? whole : Buffer.from(told, 'latin1');
  }

  /** The events before the first malformed one. */
  #sound(whole: Buffer, text: string): Buffer | undefined {
    const length = soundLength(text);
    if (length === whole.length) return whole;
    this.#malformed = true;
    return length === 0 ? undefined : whole.subarray(0, length);
  }

  #hold(rest: Buffer): void {
    this.#pending.push(rest);
    this.#pendingBytes += rest.length;
    const known = rest.length < LEAD_BYTES ? Buffer.concat([this.#lead, rest]) : rest;
    this.#lead = known.subarray(Math.max(0, known.length - LEAD_BYTES));
  }
}

/** Whether a body is a stream of events, by its media type. */
export function isEventStream(contentType: string | undefined): boolean {
  return contentType !== undefined && EVENT_STREAM.test(contentType);
}

/** The error that a block of whole events begins with, if it does. */
export function readLeadingFailure(events: Buffer): UpstreamFailure | undefined {
  if (!events.includes(ERROR_MARK)) return undefined;
  for (const event of eventsOf(events.toString())) {
    const data = dataOf(event);
    if (data !== undefined) return data === '[DONE]' ? undefined : failureIn(event, parseJson(data));
  }
  return undefined;
}

/** End of the last whole event: a blank line in any of SSE's three line ends. */
function lastBoundary(bytes: Buffer): number {
  const { length } = bytes;
  const last = bytes[length - 1];
  // Nearly every read ends where an event ends: two comparisons instead of three searches.
  if (last === LF && (bytes[length - 2] === LF || (bytes[length - 2] === CR && bytes[length - 3] === LF))) {
    return length;
  }
  const lf = bytes.lastIndexOf(LF_LF);
  const crlf = bytes.lastIndexOf(LF_CRLF);
  const cr = bytes.lastIndexOf(CR_CR);
  return Math.max(lf === -1 ? 0 : lf + 2, crlf === -1 ? 0 : crlf + 3, cr === -1 ? 0 : cr + 2);
}

function withUsageSettled(block: Buffer, strip: boolean): Buffer | undefined {
  const text = block.toString('latin1');
  let settled = '';
  for (const [event, blank] of eventsWithBlanksOf(text)) {
    const left = settledUsage(event, strip);
    if (left !== undefined) settled += left + blank;
  }
  if (settled === text) return block;
  return settled === '' ? undefined : Buffer.from(settled, 'latin1');
}

/** The event as it leaves: itself, with its choices taken out, or undefined for none. */
function settledUsage(event: string, strip: boolean): string | undefined {
  const data = dataOf(event);
  if (data === undefined || data === '[DONE]' || !data.includes('"usage"')) return event;
  const json = parseJson(Buffer.from(data, 'latin1').toString());
  if (typeof json !== 'object' || json === null || !('choices' in json)) return event;
  const { choices } = json;
  if (usageOf(json) === undefined || !Array.isArray(choices) || !choices.every(saysNothing)) return event;
  if (strip) return undefined;
  if (choices.length === 0) return event;
  return `data: ${Buffer.from(JSON.stringify({ ...json, choices: [] })).toString('latin1')}`;
}

/** Whether a choice has neither a delta nor an end. */
function saysNothing(choice: unknown): boolean {
  if (typeof choice !== 'object' || choice === null || hasEnd(choice)) return false;
  const delta: unknown = 'delta' in choice ? choice.delta : undefined;
  if (typeof delta !== 'object' || delta === null) return delta === undefined || delta === null;
  return Object.values(delta).every((value) => value === null || value === '');
}

/** How many events end in a text that holds whole ones only, all with the line end of the last. */
function eventsIn(text: string): number {
  const blank = blankLineAtEnd(text);
  let count = 0;
  for (let at = text.indexOf(blank); at !== -1; at = text.indexOf(blank, at + blank.length)) count += 1;
  return Math.max(count, 1);
}

function blankLineAtEnd(text: string): string {
  if (text.charCodeAt(text.length - 2) === LF) return '\n\n';
  return text.charCodeAt(text.length - 1) === LF ? '\n\r\n' : '\r\r';
}
