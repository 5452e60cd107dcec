import type { Completion } from '../chat.ts';
import type { OllamaChatBody } from './chat-request.ts';

/** Body of `POST /api/generate` for a text to go on from. */
export type OllamaCompletionBody = Omit<OllamaChatBody, 'messages' | 'tools'> & {
  readonly prompt: string;
  readonly suffix?: string;
  readonly system?: string;
  readonly template?: string;
  readonly raw?: true;
  readonly context?: readonly number[];
  readonly images?: readonly string[];
};

/** Writes a text to go on from as `/api/generate` takes it; everything else is as in the body of a chat. */
export function toOllamaCompletion(chat: OllamaChatBody, completion: Completion): OllamaCompletionBody {
  const { messages: _turns, tools: _tools, ...common } = chat;
  const { prompt, suffix, system, template, raw, context, images = [] } = completion;
  return {
    ...common,
    prompt,
    ...(suffix === undefined ? {} : { suffix }),
    ...(system === undefined ? {} : { system }),
    ...(template === undefined ? {} : { template }),
    ...(raw === true ? { raw } : {}),
    ...(context === undefined ? {} : { context }),
    ...(images.length === 0 ? {} : { images: images.map(({ base64 }) => base64) }),
  };
}

/** Makes a line of `/api/generate` one of `/api/chat`, which says the same of a message. */
export function toChatLine(line: {
  readonly response?: string | null | undefined;
  readonly thinking?: string | null | undefined;
}): object {
  const { response, thinking, ...figures } = line;
  return { ...figures, message: { content: response ?? '', thinking: thinking ?? '' } };
}
