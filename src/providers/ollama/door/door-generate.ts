import { z } from 'zod';

import type { ChatMessage, ChatRequest, Completion } from '../../chat.ts';
import { toInvalidRequest } from '../../openai/describe-issue.ts';
import { commonBody, fromCommon } from './door-chat.ts';
import { toImage } from './door-images.ts';

const text = () => z.string().nullish();

const schema = z.lazy(() =>
  z.intersection(
    commonBody(),
    z.object({
      prompt: text(),
      suffix: text(),
      system: text(),
      template: text(),
      raw: z.boolean().nullish(),
      context: z.array(z.number()).nullish(),
      images: z.array(z.string()).nullish(),
    }),
  ),
);

/** A request for a text to go on from. */
export type DoorGenerate = ChatRequest & { readonly completion: Completion };

/**
 * Reads the body of `POST /api/generate`: the text as Ollama's own models go on from it, and the turns
 * that it amounts to for models from elsewhere.
 * @throws ObeliskError `invalid_request` naming the field.
 */
export function parseDoorGenerate(json: unknown): DoorGenerate {
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw toInvalidRequest(parsed.error);
  const { prompt, suffix, system, template, raw, context, images } = parsed.data;
  const completion: Completion = {
    prompt: prompt ?? '',
    ...(suffix ? { suffix } : {}),
    ...(system ? { system } : {}),
    ...(template ? { template } : {}),
    ...(raw === true ? { raw } : {}),
    ...(context && context.length > 0 ? { context } : {}),
    ...(images && images.length > 0
      ? { images: images.map((image, index) => toImage(image, `images[${index}]`)) }
      : {}),
  };
  return { ...fromCommon(parsed.data), messages: toTurns(completion), completion };
}

function toTurns({ prompt, system, images }: Completion): readonly ChatMessage[] {
  const user: ChatMessage = { role: 'user', text: prompt, ...(images === undefined ? {} : { images }) };
  return system === undefined ? [user] : [{ role: 'system', text: system }, user];
}

/** Names what of a text to go on from means something to Ollama's own models only; empty where nothing does. */
export function onlyOllama({ suffix, template, raw, context }: Completion): readonly string[] {
  return Object.entries({ suffix, template, raw, context })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
}
