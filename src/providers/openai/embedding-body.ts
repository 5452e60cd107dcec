import { z } from 'zod';
import { ObeliskError } from '../../shared/errors.ts';
import type { EmbeddingRequest, EmbeddingResult } from '../chat.ts';
import { toInvalidRequest } from './describe-issue.ts';
import { ollamaOptions } from './ollama-fields.ts';

const schema = z.lazy(() =>
  z.object({
    model: z.string().min(1),
    input: z.union([z.string(), z.array(z.string()), z.array(z.number()), z.array(z.array(z.number()))]),
    encoding_format: z.enum(['float', 'base64']).nullish(),
    dimensions: z.number().int().positive().nullish(),
    keep_alive: z.union([z.number(), z.string()]).nullish(),
    options: z.record(z.string(), z.unknown()).nullish(),
  }),
);

/** A request for embeddings and the form its answer takes. */
export type ParsedEmbedding = {
  readonly request: EmbeddingRequest;
  readonly encoding: 'float' | 'base64';
};

/**
 * Reads an OpenAI embeddings body that is going to be translated.
 * @throws ObeliskError `invalid_request` naming the field; `unsupported` for token arrays, which
 *   mean something to one tokenizer only.
 */
export function parseEmbeddingRequest(json: unknown): ParsedEmbedding {
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw toInvalidRequest(parsed.error);
  const body = parsed.data;
  const { keep_alive: keepAlive, dimensions } = body;
  return {
    encoding: body.encoding_format ?? 'float',
    request: {
      model: body.model,
      input: textsOf(body.input),
      ...(dimensions ? { dimensions } : {}),
      ...(keepAlive === null || keepAlive === undefined ? {} : { keepAlive }),
      // The schema has checked that it is an object; unknown names were stripped from `body` only.
      options: ollamaOptions(json as Readonly<Record<string, unknown>>),
    },
  };
}

function textsOf(input: z.infer<typeof schema>['input']): readonly string[] {
  const refuse = (code: 'invalid_request' | 'unsupported', message: string): never => {
    throw new ObeliskError(code, `input: ${message}`, { param: 'input' });
  };
  const texts = typeof input === 'string' ? [input] : input;
  if (texts.length === 0) refuse('invalid_request', 'expected at least one text');
  return texts.map((text) => {
    if (typeof text !== 'string') return refuse('unsupported', 'this model takes text, not token ids');
    return text === '' ? refuse('invalid_request', 'a text is empty') : text;
  });
}

/** Writes embeddings as OpenAI's list; `base64` is little-endian float32, as every SDK expects it. */
export function toEmbeddingBody(
  result: EmbeddingResult,
  model: string,
  encoding: 'float' | 'base64',
): string {
  const data = result.vectors.map((vector, index) => ({
    object: 'embedding',
    index,
    embedding: encoding === 'base64' ? toBase64(vector) : Array.from(vector),
  }));
  const usage = { prompt_tokens: result.promptTokens, total_tokens: result.promptTokens };
  return JSON.stringify({ object: 'list', data, model, usage });
}

function toBase64(vector: Float32Array): string {
  const bytes = Buffer.allocUnsafe(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString('base64');
}
