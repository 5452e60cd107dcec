import { parseJson } from '../../shared/parse-json.ts';
import type { Usage } from '../chat.ts';
import type { UpstreamFailure } from './error-body.ts';
import { dataOf, eventsOf, failureIn } from './stream-events.ts';

/** How much of the end the facts are read from. */
const TAIL_BYTES = 4 * 1024;
/** Stands in a chunk with usage only: inside a JSON string its quotes would be escaped. */
export const USAGE_MARK = '"prompt_tokens"';
/** Stands in an error: as a key, as a kind, or as the name of the event. */
export const ERROR_MARK = 'error';
const FINISH_MARK = '"finish_reason"';
const DONE_MARK = '[DONE]';
/** Under an escape any of the others may hide. */
const ESCAPE_MARK = '\\u';

/** What a stream said of itself by the time it ended. */
export type StreamFacts = {
  /** Complete is what has a `finish_reason` or `[DONE]`; the end of a connection proves nothing. */
  readonly complete: boolean;
  readonly done: boolean;
  readonly failure?: UpstreamFailure;
  readonly usage?: Usage;
};

/**
 * Remembers what of the end of a stream may hold facts. Most events are a piece of text: thousands of
 * streams need no memory for theirs.
 */
export class StreamTail {
  /** With where each ended. */
  #kept: Remembered[] = [];
  #passedBytes = 0;

  /**
   * Takes whole events that were given out.
   * @param text The same, a byte a character, as they came.
   */
  note(whole: Buffer, text: string = whole.toString('latin1')): void {
    this.#passedBytes += whole.length;
    if (!mayTell(text)) return;
    this.#forget();
    this.#kept.push({ text: whole.toString('latin1'), endedAt: this.#passedBytes });
  }

  /** Reads the facts from the last events; called once, at the end. */
  facts(): StreamFacts {
    this.#forget();
    const tail = this.#kept.map(({ text }) => text).join('');
    const events = eventsOf(Buffer.from(tail, 'latin1').toString());
    let complete = false;
    let done = false;
    let failure: UpstreamFailure | undefined;
    let usage: Usage | undefined;
    for (const event of events.reverse()) {
      const data = dataOf(event);
      if (data === undefined) continue;
      if (data === '[DONE]') {
        done = true;
        continue;
      }
      const json = parseJson(data);
      failure ??= failureIn(event, json);
      usage ??= usageOf(json);
      complete ||= hasFinishReason(json);
      if (complete && usage) break;
    }
    return {
      complete: complete || done,
      done,
      ...(failure ? { failure } : {}),
      ...(usage ? { usage } : {}),
    };
  }

  #forget(): void {
    for (
      let [first] = this.#kept;
      first && this.#passedBytes - first.endedAt >= TAIL_BYTES;
      [first] = this.#kept
    ) {
      this.#kept.shift();
    }
  }
}

/** Whole events, a byte a character. */
type Remembered = { readonly text: string; readonly endedAt: number };

/** Whether events may hold one of the facts. */
function mayTell(text: string): boolean {
  if (text.includes(DONE_MARK) || text.includes(USAGE_MARK)) return true;
  if (text.includes(ERROR_MARK) || text.includes(ESCAPE_MARK)) return true;
  for (let at = text.indexOf(FINISH_MARK); at !== -1; at = text.indexOf(FINISH_MARK, at + 1)) {
    const value = at + FINISH_MARK.length;
    if (!text.startsWith(':null', value) && !text.startsWith(': null', value)) return true;
  }
  return false;
}

/** Reads OpenAI's `usage` out of a chunk or a whole answer. */
export function usageOf(json: unknown): Usage | undefined {
  if (typeof json !== 'object' || json === null || !('usage' in json)) return undefined;
  const { usage } = json;
  if (typeof usage !== 'object' || usage === null || !('prompt_tokens' in usage)) return undefined;
  const completion = 'completion_tokens' in usage ? usage.completion_tokens : 0;
  const prompt = usage.prompt_tokens;
  if (!isCount(prompt) || !isCount(completion)) return undefined;
  return { promptTokens: prompt, completionTokens: completion };
}

/** A sum that one upstream's nonsense has entered is wrong for ever. */
function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function hasFinishReason(json: unknown): boolean {
  if (typeof json !== 'object' || json === null || !('choices' in json) || !Array.isArray(json.choices))
    return false;
  return json.choices.some(hasEnd);
}

/** Whether a choice says why it ended. */
export function hasEnd(choice: unknown): boolean {
  if (typeof choice !== 'object' || choice === null || !('finish_reason' in choice)) return false;
  return typeof choice.finish_reason === 'string' && choice.finish_reason !== '';
}
