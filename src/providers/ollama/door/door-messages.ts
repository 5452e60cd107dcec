import { z } from 'zod';

import type { ChatMessage, ToolCall } from '../../chat.ts';
import { toImage } from './door-images.ts';

const text = () =>
  z.union([
    z.string(),
    z
      .array(z.object({ type: z.literal('text').optional(), text: z.string() }))
      .transform((parts) => parts.map((part) => part.text).join('')),
  ]);

const toolCall = () =>
  z.object({
    id: z.string().nullish(),
    function: z.object({
      name: z.string().min(1),
      arguments: z.union([z.record(z.string(), z.unknown()), z.string()]).nullish(),
    }),
  });

/** Builds the schema of a turn of `/api/chat`. Lists of text parts are what some of its clients send. */
export function doorMessage(): z.ZodType<DoorMessage> {
  return z.object({
    role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
    content: text().nullish(),
    thinking: z.string().nullish(),
    images: z.array(z.string()).nullish(),
    tool_calls: z.array(toolCall()).nullish(),
    tool_name: z.string().nullish(),
    tool_call_id: z.string().nullish(),
  });
}

/** A turn of `/api/chat`. */
export type DoorMessage = {
  readonly role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  readonly content?: string | null | undefined;
  readonly thinking?: string | null | undefined;
  readonly images?: readonly string[] | null | undefined;
  readonly tool_calls?: readonly DoorToolCall[] | null | undefined;
  readonly tool_name?: string | null | undefined;
  readonly tool_call_id?: string | null | undefined;
};

type DoorToolCall = {
  readonly id?: string | null | undefined;
  readonly function: {
    readonly name: string;
    readonly arguments?: Readonly<Record<string, unknown>> | string | null | undefined;
  };
};

/** A call that no result has been given for yet. */
type OpenCall = { readonly id: string; readonly name: string };

/**
 * Reads the turns. Ollama's clients may leave out the ids by which a result belongs to its call, which
 * other dialects need: a result then belongs to the first open call of its tool's name, else to the
 * first open call.
 * @throws ObeliskError `invalid_request` for an image that is none.
 */
export function fromDoorMessages(messages: readonly DoorMessage[]): readonly ChatMessage[] {
  const open: OpenCall[] = [];
  let calls = 0;
  return messages.map((message, position): ChatMessage => {
    const content = message.content ?? '';
    switch (message.role) {
      case 'system':
      case 'developer':
        return { role: 'system', text: content };
      case 'user':
        return { role: 'user', text: content, ...imagesOf(message, position) };
      case 'assistant': {
        const toolCalls = (message.tool_calls ?? []).map((call): ToolCall => {
          const id = call.id ? call.id : `call_${(calls += 1)}`;
          const { name, arguments: given } = call.function;
          open.push({ id, name });
          return { id, name, arguments: typeof given === 'string' ? given : JSON.stringify(given ?? {}) };
        });
        return {
          role: 'assistant',
          text: content,
          ...(message.thinking ? { reasoning: message.thinking } : {}),
          ...(toolCalls.length === 0 ? {} : { toolCalls }),
        };
      }
      default:
        return { role: 'tool', text: content, ...ownerOf(message, open) };
    }
  });
}

function ownerOf(message: DoorMessage, open: OpenCall[]): { toolCallId: string; toolName?: string } {
  const { tool_call_id: id, tool_name: name } = message;
  const named = open.findIndex((call) => (id ? call.id === id : call.name === name));
  const [call] = open.splice(id || named >= 0 ? named : 0, id && named < 0 ? 0 : 1);
  const toolName = name ? name : call?.name;
  return { toolCallId: id ? id : (call?.id ?? 'call_0'), ...(toolName === undefined ? {} : { toolName }) };
}

function imagesOf(
  { images }: DoorMessage,
  position: number,
): Partial<Extract<ChatMessage, { role: 'user' }>> {
  if (!images || images.length === 0) return {};
  return { images: images.map((image, index) => toImage(image, `messages[${position}].images[${index}]`)) };
}
