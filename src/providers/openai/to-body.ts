import type { ChatMessage, ChatRequest, ResponseFormat, Think, ToolCall } from '../chat.ts';

/** Writes a request as OpenAI's chat body, Ollama's fields as clients of ours write them. */
export function toChatBody(request: ChatRequest): string {
  return JSON.stringify(toChatFields(request));
}

/** The fields of `toChatBody`; what a request does not have is undefined. */
export function toChatFields(request: ChatRequest): Readonly<Record<string, unknown>> {
  return {
    ...request.options,
    model: request.model,
    messages: request.messages.map(toMessage),
    stream: request.stream,
    stream_options: request.stream && request.includeUsage ? { include_usage: true } : undefined,
    max_completion_tokens: request.maxTokens,
    temperature: request.temperature,
    top_p: request.topP,
    seed: request.seed,
    stop: request.stop,
    presence_penalty: request.presencePenalty,
    frequency_penalty: request.frequencyPenalty,
    response_format: toResponseFormat(request.format),
    tools: request.tools?.map((tool) => ({ type: 'function', function: tool })),
    tool_choice: toToolChoice(request.toolChoice),
    logprobs: request.logprobs,
    top_logprobs: request.topLogprobs,
    keep_alive: request.keepAlive,
    ...toThinkFields(request.think),
  };
}

function toMessage(message: ChatMessage): Readonly<Record<string, unknown>> {
  switch (message.role) {
    case 'system':
      return { role: 'system', content: message.text };
    case 'tool':
      return { role: 'tool', content: message.text, tool_call_id: message.toolCallId };
    case 'assistant':
      return {
        role: 'assistant',
        content: message.text === '' && message.toolCalls ? null : message.text,
        reasoning_content: message.reasoning,
        tool_calls: message.toolCalls?.map(toToolCall),
      };
    default:
      return { role: 'user', content: message.images ? toParts(message) : message.text };
  }
}

function toParts(message: Extract<ChatMessage, { role: 'user' }>): readonly unknown[] {
  const images = (message.images ?? []).map(({ mediaType, base64 }) => ({
    type: 'image_url',
    image_url: { url: `data:${mediaType};base64,${base64}` },
  }));
  return [{ type: 'text', text: message.text }, ...images];
}

function toToolCall(call: ToolCall): Readonly<Record<string, unknown>> {
  return { id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } };
}

function toToolChoice(choice: ChatRequest['toolChoice']): unknown {
  return typeof choice === 'object' ? { type: 'function', function: { name: choice.name } } : choice;
}

function toResponseFormat(format: ResponseFormat | undefined): unknown {
  switch (format?.type) {
    case 'json':
      return { type: 'json_object' };
    case 'schema':
      return { type: 'json_schema', json_schema: { name: 'answer', schema: format.schema } };
    default:
      return format;
  }
}

/** An effort has a word that every server knows; plain on and off are Ollama's. */
function toThinkFields(think: Think | undefined): Readonly<Record<string, unknown>> {
  if (think === undefined) return {};
  return typeof think === 'boolean' ? { think } : { reasoning_effort: think };
}
