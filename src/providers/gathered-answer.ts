import { ObeliskError } from '../shared/errors.ts';
import type { ChatEvent, TokenLogprob, ToolCall } from './chat.ts';

/** What the events of an answer add up to. */
export type GatheredAnswer = {
  readonly text: string;
  readonly reasoning: string;
  readonly logprobs: readonly TokenLogprob[];
  readonly toolCalls: readonly ToolCall[];
  readonly fields: Readonly<Record<string, unknown>>;
  readonly finish: Extract<ChatEvent, { readonly type: 'finish' }>;
};

/** Adds up the events of one answer. */
export type AnswerGatherer = {
  /** @throws ObeliskError `upstream_invalid` past 32 Mi characters. */
  add(event: ChatEvent): void;
  /** Undefined until the `finish` event was added. */
  answer(): GatheredAnswer | undefined;
};

/** Longest answer that is kept whole, in characters: a model that never ends must not fill the memory. */
const ANSWER_LIMIT = 32 * 1024 * 1024;

/** Starts with nothing. */
export function createAnswerGatherer(): AnswerGatherer {
  let length = 0;
  let text = '';
  let reasoning = '';
  const logprobs: TokenLogprob[] = [];
  const toolCalls: ToolCall[] = [];
  const fields: Record<string, unknown> = {};
  let finish: GatheredAnswer['finish'] | undefined;
  return {
    add(event) {
      length += lengthOf(event);
      if (length > ANSWER_LIMIT) {
        throw new ObeliskError(
          'upstream_invalid',
          'the answer has more than 32 MiB and shows no end; ask for fewer tokens, or for a stream',
        );
      }
      switch (event.type) {
        case 'text-delta':
          text += event.text;
          if (event.logprobs) logprobs.push(...event.logprobs);
          break;
        case 'reasoning-delta':
          reasoning += event.text;
          break;
        case 'tool-call':
          toolCalls.push(event.call);
          break;
        case 'message-fields':
          Object.assign(fields, event.fields);
          break;
        case 'finish':
          finish = event;
      }
    },
    answer: () => finish && { text, reasoning, logprobs, toolCalls, fields, finish },
  };
}

/** Characters that an event adds to an answer. */
function lengthOf(event: ChatEvent): number {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
      return event.text.length;
    case 'tool-call':
      return event.call.arguments.length;
    default:
      return 0;
  }
}
