import { ObeliskError } from '../../shared/errors.ts';
import type { ChatMessage, ImagePart, ToolCall } from '../chat.ts';
import { parseImageDataUri } from './message-schema.ts';
import type { WireMessage, WireUserPart } from './message-schema.ts';

/**
 * Turns OpenAI's messages into turns.
 * @throws ObeliskError `invalid_request` for an image that is not a data URI: a server that fetches
 *   addresses chosen by its clients can be turned against its own network.
 */
export function fromMessages(messages: readonly WireMessage[]): readonly ChatMessage[] {
  return messages.map(fromMessage);
}

function fromMessage(message: WireMessage, position: number): ChatMessage {
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', text: joinText(message.content) };
    case 'tool':
      return { role: 'tool', text: joinText(message.content), toolCallId: message.tool_call_id };
    case 'user':
      return fromUser(message.content, position);
    default:
      return {
        role: 'assistant',
        text: joinText(message.content ?? message.refusal ?? ''),
        ...(message.reasoning_content ? { reasoning: message.reasoning_content } : {}),
        ...(message.tool_calls?.length ? { toolCalls: message.tool_calls.map(fromToolCall) } : {}),
      };
  }
}

function fromToolCall(call: {
  readonly id: string;
  readonly function: { readonly name: string; readonly arguments: string };
}): ToolCall {
  return { id: call.id, name: call.function.name, arguments: call.function.arguments };
}

function fromUser(content: string | readonly WireUserPart[], position: number): ChatMessage {
  if (typeof content === 'string') return { role: 'user', text: content };
  const texts: string[] = [];
  const images: ImagePart[] = [];
  for (const [index, part] of content.entries()) {
    if (part.type === 'text') texts.push(part.text);
    else images.push(imageOf(part.image_url, `messages[${position}].content[${index}].image_url`));
  }
  return { role: 'user', text: texts.join('\n'), ...(images.length > 0 ? { images } : {}) };
}

function imageOf(url: string, param: string): ImagePart {
  const image = parseImageDataUri(url);
  if (image) return image;
  throw new ObeliskError(
    'invalid_request',
    `${param}: images are accepted as base64 data URIs only (data:image/png;base64,…); addresses are never fetched`,
    { param },
  );
}

function joinText(content: string | readonly { readonly text: string }[]): string {
  return typeof content === 'string' ? content : content.map((part) => part.text).join('\n');
}
