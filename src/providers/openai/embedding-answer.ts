import { z } from 'zod';
import type { EmbeddingResult } from '../chat.ts';

const embeddingList = z.lazy(() =>
  z.object({
    data: z.array(
      z.object({ index: z.number().int(), embedding: z.union([z.string(), z.array(z.number())]) }),
    ),
    usage: z.object({ prompt_tokens: z.number() }).nullish(),
  }),
);

/** Reads OpenAI's list of embeddings, in the order of the input; undefined where it is none. */
export function readEmbeddingList(json: unknown): EmbeddingResult | undefined {
  const parsed = embeddingList.safeParse(json);
  if (!parsed.success) return undefined;
  const ordered = parsed.data.data.toSorted((a, b) => a.index - b.index);
  return {
    vectors: ordered.map(({ embedding }) => toVector(embedding)),
    promptTokens: parsed.data.usage?.prompt_tokens ?? 0,
  };
}

/** Some servers ignore `encoding_format` and send numbers. */
function toVector(embedding: string | readonly number[]): Float32Array {
  if (typeof embedding !== 'string') return Float32Array.from(embedding);
  const bytes = Buffer.from(embedding, 'base64');
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
}
