import { ObeliskError } from '../../shared/errors.ts';
import type { ChatEvent, FinishReason, TokenLogprob, ToolCall, Usage } from '../chat.ts';

/** What stays constant over one answer. */
export type AnswerIdentity = {
  /** `chatcmpl-…` */
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  /** The model as the client asked for it. */
  readonly model: string;
};

/** Writes the events of one answer as OpenAI's stream, one string of whole SSE events at a time. */
export type ChatStreamWriter = {
  /** The chunk that names the role; always the first. */
  start(): string;
  event(event: ChatEvent): string;
};

/** The end of every stream, after an error too: strict clients wait for it. */
export const STREAM_DONE = 'data: [DONE]\n\n';

/** OpenAI's `usage`. */
export function toUsage(usage: Usage): Readonly<Record<string, number>> {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
  };
}

/**
 * Creates the writer of one stream. With `includeUsage` every chunk has `usage: null` but the last,
 * which has no choices.
 */
export function createChatStreamWriter(identity: AnswerIdentity, includeUsage: boolean): ChatStreamWriter {
  const { id, created, model } = identity;
  // The head is equal in all chunks: it is serialised once, which halves the cost of a token.
  const head = `data: {"id":${JSON.stringify(id)},"object":"chat.completion.chunk","created":${created},"model":${JSON.stringify(model)},"choices":[`;
  const tail = includeUsage ? '],"usage":null}\n\n' : ']}\n\n';
  const chunk = (delta: string, finish = 'null', logprobs = 'null'): string =>
    `${head}{"index":0,"delta":${delta},"logprobs":${logprobs},"finish_reason":${finish}}${tail}`;
  return {
    start: () => chunk('{"role":"assistant","content":""}'),
    event(event) {
      switch (event.type) {
        case 'text-delta':
          return chunk(
            `{"content":${JSON.stringify(event.text)}}`,
            'null',
            event.logprobs ? JSON.stringify({ content: event.logprobs, refusal: null }) : 'null',
          );
        case 'reasoning-delta':
          return chunk(`{"reasoning_content":${JSON.stringify(event.text)}}`);
        case 'tool-call':
          return chunk(JSON.stringify({ tool_calls: [{ index: event.index, ...toToolCall(event.call) }] }));
        case 'message-fields':
          return chunk(JSON.stringify(event.fields));
        default: {
          const finish = chunk('{}', JSON.stringify(event.reason));
          if (!includeUsage) return finish + STREAM_DONE;
          return `${finish}${head}],"usage":${JSON.stringify(toUsage(event.usage))}}\n\n${STREAM_DONE}`;
        }
      }
    },
  };
}

/** Gathers the events of one answer into OpenAI's `chat.completion`. */
export type ChatCompletionBuilder = {
  /** @throws ObeliskError `upstream_invalid` past 32 Mi characters. */
  add(event: ChatEvent): void;
  /** The body; `undefined` until the `finish` event was added. */
  body(identity: AnswerIdentity): string | undefined;
};

/** Longest answer that is kept whole, in characters: a model that never ends must not fill the memory. */
const ANSWER_LIMIT = 32 * 1024 * 1024;

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

/** Creates the builder of one answer. */
export function createChatCompletionBuilder(): ChatCompletionBuilder {
  let length = 0;
  let content = '';
  let reasoning = '';
  const logprobs: TokenLogprob[] = [];
  const toolCalls: ToolCall[] = [];
  const fields: Record<string, unknown> = {};
  let finish: { readonly reason: FinishReason; readonly usage: Usage } | undefined;
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
          content += event.text;
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
    body({ id, created, model }) {
      if (!finish) return undefined;
      const message = {
        role: 'assistant',
        content: content === '' && toolCalls.length > 0 ? null : content,
        refusal: null,
        ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
        ...(toolCalls.length > 0 ? { tool_calls: toolCalls.map(toToolCall) } : {}),
        ...fields,
      };
      const choice = {
        index: 0,
        message,
        logprobs: logprobs.length > 0 ? { content: logprobs, refusal: null } : null,
        finish_reason: finish.reason,
      };
      const usage = toUsage(finish.usage);
      return JSON.stringify({ id, object: 'chat.completion', created, model, choices: [choice], usage });
    },
  };
}

function toToolCall(call: ToolCall): Readonly<Record<string, unknown>> {
  return { id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } };
}
