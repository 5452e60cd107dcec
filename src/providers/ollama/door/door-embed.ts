import { z } from 'zod';

import type { EmbeddingRequest, EmbeddingResult } from '../../chat.ts';
import { toInvalidRequest } from '../../openai/describe-issue.ts';
import { toKeepAlive } from '../keep-alive.ts';
import { toNanoseconds } from '../timing.ts';

type CommonBody = {
  readonly model: string;
  readonly keep_alive?: number | string | null | undefined;
  readonly options?: Readonly<Record<string, unknown>> | null | undefined;
};

const common = (): z.ZodType<CommonBody> =>
  z.object({
    model: z.string(),
    keep_alive: z.union([z.number(), z.string()]).nullish(),
    options: z.record(z.string(), z.unknown()).nullish(),
  });

const embed = z.lazy(() =>
  z.intersection(
    common(),
    z.object({
      input: z.union([z.string(), z.array(z.string())]).nullish(),
      truncate: z.boolean().nullish(),
      dimensions: z.number().int().positive().nullish(),
    }),
  ),
);

const embedOne = z.lazy(() => z.intersection(common(), z.object({ prompt: z.string().nullish() })));

/**
 * Reads the body of `POST /api/embed`. Texts that do not fit are cut only where the request says so.
 * @throws ObeliskError `invalid_request` naming the field.
 */
export function parseDoorEmbed(json: unknown): EmbeddingRequest {
  const parsed = embed.safeParse(json);
  if (!parsed.success) throw toInvalidRequest(parsed.error);
  const { input, truncate, dimensions } = parsed.data;
  return {
    ...fromCommon(parsed.data),
    input: textsOf(input),
    ...(truncate === true ? { truncate } : {}),
    ...(dimensions ? { dimensions } : {}),
  };
}

/**
 * Reads the body of `POST /api/embeddings`, the older of the two.
 * @throws ObeliskError `invalid_request` naming the field.
 */
export function parseDoorEmbedOne(json: unknown): EmbeddingRequest {
  const parsed = embedOne.safeParse(json);
  if (!parsed.success) throw toInvalidRequest(parsed.error);
  return { ...fromCommon(parsed.data), input: textsOf(parsed.data.prompt) };
}

function fromCommon({ model, keep_alive: keepAlive, options }: CommonBody): Omit<EmbeddingRequest, 'input'> {
  return {
    model,
    options: options ?? {},
    ...(keepAlive === undefined || keepAlive === null ? {} : { keepAlive: toKeepAlive(keepAlive) }),
  };
}

/** No text at all is a request to load the model. */
function textsOf(input: string | readonly string[] | null | undefined): readonly string[] {
  return typeof input === 'string' ? (input === '' ? [] : [input]) : (input ?? []);
}

/** Writes the answer of `/api/embed`. */
export function toDoorEmbed(model: string, result: EmbeddingResult, totalMs: number): string {
  return JSON.stringify({
    model,
    embeddings: result.vectors.map((vector) => Array.from(vector)),
    total_duration: toNanoseconds(totalMs),
    load_duration: toNanoseconds(result.timing?.loadMs ?? 0),
    prompt_eval_count: result.promptTokens,
  });
}

/** Writes the answer of `/api/embeddings`. */
export function toDoorEmbedOne({ vectors }: EmbeddingResult): string {
  return JSON.stringify({ embedding: Array.from(vectors[0] ?? []) });
}
