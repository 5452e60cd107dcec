import { lineSafeJson } from '../../shared/line-safe-json.ts';
import type { ChatEvent, ToolCall, Usage } from '../chat.ts';
import { createAnswerGatherer } from '../gathered-answer.ts';

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
  const head = `data: {"id":${lineSafeJson(id)},"object":"chat.completion.chunk","created":${created},"model":${lineSafeJson(model)},"choices":[`;
  const tail = includeUsage ? '],"usage":null}\n\n' : ']}\n\n';
  const chunk = (delta: string, finish = 'null', logprobs = 'null'): string =>
    `${head}{"index":0,"delta":${delta},"logprobs":${logprobs},"finish_reason":${finish}}${tail}`;
  return {
    start: () => chunk('{"role":"assistant","content":""}'),
    event(event) {
      switch (event.type) {
        case 'text-delta':
          return chunk(
            `{"content":${lineSafeJson(event.text)}}`,
            'null',
            event.logprobs ? lineSafeJson({ content: event.logprobs, refusal: null }) : 'null',
          );
        case 'reasoning-delta':
          return chunk(`{"reasoning_content":${lineSafeJson(event.text)}}`);
        case 'tool-call':
          return chunk(lineSafeJson({ tool_calls: [{ index: event.index, ...toToolCall(event.call) }] }));
        case 'message-fields':
          return chunk(lineSafeJson(event.fields));
        default: {
          const finish = chunk('{}', lineSafeJson(event.reason));
          if (!includeUsage) return finish + STREAM_DONE;
          return `${finish}${head}],"usage":${lineSafeJson(toUsage(event.usage))}}\n\n${STREAM_DONE}`;
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

/** Creates the builder of one answer. */
export function createChatCompletionBuilder(): ChatCompletionBuilder {
  const gatherer = createAnswerGatherer();
  return {
    add: gatherer.add,
    body({ id, created, model }) {
      const answer = gatherer.answer();
      if (!answer) return undefined;
      const { text, reasoning, logprobs, toolCalls, fields, finish } = answer;
      const message = {
        role: 'assistant',
        content: text === '' && toolCalls.length > 0 ? null : text,
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
