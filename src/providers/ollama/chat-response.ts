import { ObeliskError } from '../../shared/errors.ts';
import type { ChatEvent, FinishReason, TokenLogprob, ToolCall } from '../chat.ts';

import type { OllamaAlternative, OllamaChatLine } from './chat-line.ts';
import { answerTiming } from './timing.ts';

/** Who is being read, for messages, and what the reader cannot know from the lines. */
export type OllamaReaderOptions = {
  /** `http://host:port`, for messages. */
  readonly host: string;
  readonly model: string;
  /** Allocated context window in tokens, when known: a prompt that fills it was cut or leaves no room. */
  readonly contextTokens?: number;
  /** Makes an id for a tool call that came without one. */
  newToolCallId(): string;
};

/** What was read so far of one answer; one state for one stream. */
export type OllamaReader = OllamaReaderOptions & {
  done: boolean;
  /** Tool calls so far: their ids, in order. Ollama's own index is wrong or absent in some versions. */
  readonly toolCallIds: string[];
};

/** Starts reading one answer. */
export function createOllamaReader(options: OllamaReaderOptions): OllamaReader {
  return { ...options, done: false, toolCallIds: [] };
}

/**
 * Translates one line of `/api/chat` and remembers in `reader` what later lines need.
 * @throws ObeliskError `context_length_exceeded` when the prompt filled the whole window.
 */
export function fromOllamaLine(line: OllamaChatLine, reader: OllamaReader): readonly ChatEvent[] {
  if (reader.done) return [];
  const events = contentEvents(line, reader);
  if (line.done === true) {
    reader.done = true;
    events.push(finishEvent(line, reader));
  }
  return events;
}

/**
 * Checks at the end of the stream that it was complete: an end is a fact, told by `done`.
 * @throws ObeliskError `upstream_invalid`.
 */
export function requireOllamaDone(reader: OllamaReader): void {
  if (!reader.done) throw invalid(reader, 'ended the answer without "done"; its log says why');
}

function contentEvents(data: OllamaChatLine, reader: OllamaReader): ChatEvent[] {
  const events: ChatEvent[] = [];
  const thought = data.message?.thinking ?? '';
  if (thought !== '') events.push({ type: 'reasoning-delta', text: thought });
  const text = textEvent(data, thought !== '');
  if (text !== undefined) events.push(text);
  for (const call of data.message?.tool_calls ?? []) {
    const index = reader.toolCallIds.length;
    events.push({ type: 'tool-call', index, call: toToolCall(call, reader) });
  }
  return events;
}

function textEvent(data: OllamaChatLine, thinks: boolean): ChatEvent | undefined {
  const text = data.message?.content ?? '';
  // Probabilities of thinking have no place in OpenAI's answer, which has them for content only.
  const logprobs = thinks && text === '' ? [] : (data.logprobs ?? []).map(toLogprob);
  if (logprobs.length > 0) return { type: 'text-delta', text, logprobs };
  return text === '' ? undefined : { type: 'text-delta', text };
}

function toToolCall(
  call: { readonly id?: string | null | undefined; readonly function: { name: string; arguments?: unknown } },
  reader: OllamaReader,
): ToolCall {
  const given = call.id ?? '';
  const id = given === '' || reader.toolCallIds.includes(given) ? reader.newToolCallId() : given;
  reader.toolCallIds.push(id);
  const value = call.function.arguments ?? {};
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return { id, name: call.function.name, arguments: text };
}

function finishEvent(data: OllamaChatLine, reader: OllamaReader): ChatEvent {
  const usage = { promptTokens: data.prompt_eval_count ?? 0, completionTokens: data.eval_count ?? 0 };
  if (reader.contextTokens !== undefined && usage.promptTokens >= reader.contextTokens) {
    // Servers that do not know `truncate` cut the prompt to exactly the window and say nothing.
    throw new ObeliskError(
      'context_length_exceeded',
      `the prompt fills the whole context window of ${reader.model} (${String(reader.contextTokens)} tokens) ` +
        'and may have been cut; shorten it or raise num_ctx',
      { param: 'messages' },
    );
  }
  const timing = answerTiming(data);
  return {
    type: 'finish',
    reason: finishReason(data.done_reason, reader),
    usage,
    ...(timing === undefined ? {} : { timing }),
    ...(data.context ? { context: data.context } : {}),
  };
}

function finishReason(reason: string | null | undefined, reader: OllamaReader): FinishReason {
  if (reason === 'length') return 'length';
  return reader.toolCallIds.length > 0 ? 'tool_calls' : 'stop';
}

function toLogprob(
  entry: OllamaAlternative & { readonly top_logprobs?: readonly OllamaAlternative[] | null | undefined },
): TokenLogprob {
  return { ...toAlternative(entry), top_logprobs: (entry.top_logprobs ?? []).map(toAlternative) };
}

function toAlternative(entry: OllamaAlternative): Omit<TokenLogprob, 'top_logprobs'> {
  return { token: entry.token, logprob: entry.logprob, bytes: entry.bytes ?? null };
}

function invalid(reader: OllamaReader, what: string): ObeliskError {
  return new ObeliskError('upstream_invalid', `ollama ${reader.host} ${what}`);
}
