import { z } from 'zod';

/** `data:image/png;base64,…`; the payload is checked by whoever decodes it. */
const DATA_URI = /^data:(image\/[a-z0-9.+-]+);base64,([A-Za-z0-9+/]+={0,2})$/i;

const textPart = () => z.object({ type: z.literal('text'), text: z.string() });

const imagePart = () =>
  z.object({
    type: z.literal('image_url'),
    image_url: z.union([z.string(), z.object({ url: z.string() }).transform((image) => image.url)]),
  });

const userPart = () =>
  z.discriminatedUnion('type', [textPart(), imagePart()], {
    error: 'expected a part of type "text" or "image_url" (audio and files are not supported by this model)',
  });

const text = () => z.union([z.string(), z.array(textPart())]);

const toolCall = () =>
  z.object({
    id: z.string().min(1),
    type: z.literal('function').optional(),
    function: z.object({ name: z.string().min(1), arguments: z.string() }),
  });

/** Builds the schema of OpenAI's messages, as far as they can be translated. Unknown fields are ignored. */
export function messageSchema(): z.ZodType<WireMessage> {
  return z.discriminatedUnion(
    'role',
    [
      z.object({ role: z.enum(['system', 'developer']), content: text() }),
      z.object({ role: z.literal('user'), content: z.union([z.string(), z.array(userPart())]) }),
      z.object({
        role: z.literal('assistant'),
        content: text().nullish(),
        reasoning_content: z.string().nullish(),
        refusal: z.string().nullish(),
        tool_calls: z.array(toolCall()).nullish(),
      }),
      z.object({ role: z.literal('tool'), content: text(), tool_call_id: z.string().min(1) }),
    ],
    { error: 'expected one of "system", "developer", "user", "assistant", "tool"' },
  );
}

type WireTextPart = { readonly type: 'text'; readonly text: string };

/** A part of a user's turn, on the wire. */
export type WireUserPart = WireTextPart | { readonly type: 'image_url'; readonly image_url: string };

/** One of OpenAI's messages. */
export type WireMessage =
  | { readonly role: 'system' | 'developer'; readonly content: string | readonly WireTextPart[] }
  | { readonly role: 'user'; readonly content: string | readonly WireUserPart[] }
  | {
      readonly role: 'assistant';
      readonly content?: string | readonly WireTextPart[] | null | undefined;
      readonly reasoning_content?: string | null | undefined;
      readonly refusal?: string | null | undefined;
      readonly tool_calls?:
        | readonly {
            readonly id: string;
            readonly function: { readonly name: string; readonly arguments: string };
          }[]
        | null
        | undefined;
    }
  | {
      readonly role: 'tool';
      readonly content: string | readonly WireTextPart[];
      readonly tool_call_id: string;
    };

/** Media type and base64 of a data URI with an image; `undefined` for anything else. */
export function parseImageDataUri(uri: string): { mediaType: string; base64: string } | undefined {
  const match = DATA_URI.exec(uri);
  return match?.[1] && match[2] ? { mediaType: match[1].toLowerCase(), base64: match[2] } : undefined;
}
