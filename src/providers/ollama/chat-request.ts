import { ObeliskError } from '../../shared/errors.ts';
import type { ChatMessage, ChatRequest, ResponseFormat, Think, Tool, ToolCall } from '../chat.ts';

import { toKeepAlive } from './keep-alive.ts';

/** A turn as `/api/chat` takes it. */
export type OllamaMessage = {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
  readonly thinking?: string;
  readonly images?: readonly string[];
  readonly tool_calls?: readonly OllamaToolCall[];
  readonly tool_name?: string;
  readonly tool_call_id?: string;
};

/** A tool call as `/api/chat` takes it: arguments are an object. */
export type OllamaToolCall = {
  readonly id: string;
  readonly function: { readonly index: number; readonly name: string; readonly arguments: object };
};

/** Body of `POST /api/chat`. */
export type OllamaChatBody = {
  readonly model: string;
  readonly messages: readonly OllamaMessage[];
  readonly stream: true;
  readonly truncate: false;
  readonly shift: false;
  readonly options: Readonly<Record<string, unknown>>;
  readonly format?: unknown;
  readonly tools?: readonly unknown[];
  readonly think?: Think;
  readonly keep_alive?: number | string;
  readonly logprobs?: true;
  readonly top_logprobs?: number;
};

/** What the request's own words do not say: the upstream's name of the model and the effective options. */
export type OllamaChatTarget = {
  readonly model: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Seconds or a Go duration. */
  readonly keepAlive?: number | string | undefined;
};

/**
 * Translates a chat into Ollama's `/api/chat`. `truncate` and `shift` are always off: Ollama then
 * refuses what does not fit instead of cutting it in silence.
 * @throws ObeliskError `invalid_request` (tool arguments that are no JSON object, `keep_alive`,
 *   `top_logprobs`), `unsupported` (a `tool_choice` that forces a call).
 */
export function toOllamaChat(request: ChatRequest, target: OllamaChatTarget): OllamaChatBody {
  const tools = toTools(request);
  const format = toFormat(request.format);
  return {
    model: target.model,
    messages: toMessages(request.messages),
    stream: true,
    truncate: false,
    shift: false,
    options: target.options,
    ...(format === undefined ? {} : { format }),
    ...(tools.length === 0 ? {} : { tools }),
    ...(request.think === undefined ? {} : { think: request.think }),
    ...(target.keepAlive === undefined ? {} : { keep_alive: toKeepAlive(target.keepAlive) }),
    ...toLogprobs(request),
  };
}

/** The sampling options that OpenAI's fields of a request stand for; `options` of the request win. */
export function toSamplingOptions(request: ChatRequest): Readonly<Record<string, unknown>> {
  const named: readonly (readonly [string, unknown])[] = [
    ['num_predict', request.maxTokens],
    ['temperature', request.temperature],
    ['top_p', request.topP],
    ['seed', request.seed],
    ['stop', request.stop],
    ['presence_penalty', request.presencePenalty],
    ['frequency_penalty', request.frequencyPenalty],
  ];
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

function toMessages(messages: readonly ChatMessage[]): readonly OllamaMessage[] {
  const toolNames = new Map<string, string>();
  return messages.map((message, position) => {
    if (message.role === 'assistant') {
      for (const call of message.toolCalls ?? []) toolNames.set(call.id, call.name);
    }
    return toMessage(message, { position, toolNames });
  });
}

function toMessage(
  message: ChatMessage,
  context: { readonly position: number; readonly toolNames: ReadonlyMap<string, string> },
): OllamaMessage {
  const common = { role: message.role, content: message.text };
  if (message.role === 'user') {
    const images = (message.images ?? []).map((image) => image.base64);
    return { ...common, ...(images.length === 0 ? {} : { images }) };
  }
  if (message.role === 'assistant') {
    const calls = (message.toolCalls ?? []).map((call, index) => toToolCall(call, index, context.position));
    return {
      ...common,
      ...(message.reasoning === undefined ? {} : { thinking: message.reasoning }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    };
  }
  if (message.role === 'system') return common;
  const name = context.toolNames.get(message.toolCallId) ?? message.toolName;
  return { ...common, tool_call_id: message.toolCallId, ...(name === undefined ? {} : { tool_name: name }) };
}

function toToolCall(call: ToolCall, index: number, position: number): OllamaToolCall {
  const where = `messages[${String(position)}].tool_calls[${String(index)}].function.arguments`;
  return {
    id: call.id,
    function: { index, name: call.name, arguments: parseArguments(call.arguments, where) },
  };
}

function parseArguments(text: string, where: string): object {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ObeliskError('invalid_request', `${where} is not JSON`, { cause: error, param: where });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new ObeliskError('invalid_request', `${where} is not a JSON object`, { param: where });
}

function toTools(request: ChatRequest): readonly unknown[] {
  const choice = request.toolChoice;
  if (request.tools === undefined || request.tools.length === 0 || choice === 'none') return [];
  if (choice === 'required' || typeof choice === 'object') {
    throw new ObeliskError(
      'unsupported',
      'Ollama cannot force a tool call: it has no tool_choice. Use tool_choice "auto" or "none"',
      { param: 'tool_choice' },
    );
  }
  return request.tools.map(toTool);
}

function toTool(tool: Tool): unknown {
  return {
    type: 'function',
    function: {
      name: tool.name,
      description: tool.description ?? '',
      // Templates read `parameters.properties` without asking whether it is there.
      parameters: tool.parameters ?? { type: 'object', properties: {} },
    },
  };
}

function toFormat(format: ResponseFormat | undefined): unknown {
  if (format === undefined || format.type === 'text') return undefined;
  return format.type === 'json' ? 'json' : format.schema;
}

function toLogprobs(request: ChatRequest): { readonly logprobs?: true; readonly top_logprobs?: number } {
  if (request.logprobs !== true) return {};
  if (request.topLogprobs === undefined) return { logprobs: true };
  if (!Number.isInteger(request.topLogprobs) || request.topLogprobs < 0 || request.topLogprobs > 20) {
    throw new ObeliskError('invalid_request', 'top_logprobs must be an integer from 0 to 20', {
      param: 'top_logprobs',
    });
  }
  return { logprobs: true, top_logprobs: request.topLogprobs };
}
