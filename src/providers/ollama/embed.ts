import { z } from 'zod';

import { ObeliskError } from '../../shared/errors.ts';
import type { EmbeddingRequest, EmbeddingResult } from '../chat.ts';

import { toKeepAlive } from './keep-alive.ts';
import { embeddingTiming } from './timing.ts';
import type { OllamaDurations } from './timing.ts';

/** Body of `POST /api/embed`. */
export type OllamaEmbedBody = {
  readonly model: string;
  readonly input: readonly string[];
  readonly truncate: boolean;
  readonly options: Readonly<Record<string, unknown>>;
  readonly dimensions?: number;
  readonly keep_alive?: number | string;
};

/** Answer of `POST /api/embed`. */
export type OllamaEmbedded = OllamaDurations & {
  readonly embeddings: readonly (readonly number[])[];
  /** Tokens. */
  readonly prompt_eval_count?: number | undefined;
};

const response: z.ZodType<OllamaEmbedded> = z.lazy(() =>
  z.object({
    embeddings: z.array(z.array(z.number())),
    prompt_eval_count: z.number().optional(),
    total_duration: z.number().optional(),
    load_duration: z.number().optional(),
  }),
);

/**
 * Translates a batch of texts into `/api/embed`. `truncate` is off unless asked for: a text that does not
 * fit is refused.
 * @throws ObeliskError `invalid_request` for `dimensions` or `keep_alive`.
 */
export function toOllamaEmbed(
  request: EmbeddingRequest,
  target: {
    readonly model: string;
    readonly options: Readonly<Record<string, unknown>>;
    readonly keepAlive?: number | string | undefined;
  },
): OllamaEmbedBody {
  const { dimensions } = request;
  if (dimensions !== undefined && !(Number.isInteger(dimensions) && dimensions > 0)) {
    throw new ObeliskError('invalid_request', 'dimensions must be a positive integer', {
      param: 'dimensions',
    });
  }
  return {
    model: target.model,
    input: request.input,
    truncate: request.truncate === true,
    options: target.options,
    ...(dimensions === undefined ? {} : { dimensions }),
    ...(target.keepAlive === undefined ? {} : { keep_alive: toKeepAlive(target.keepAlive) }),
  };
}

/**
 * Reads the answer of `/api/embed`.
 * @throws ObeliskError `upstream_invalid`.
 */
export function toOllamaEmbedded(json: unknown, host: string): OllamaEmbedded {
  const parsed = response.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ObeliskError('upstream_invalid', `ollama ${host} did not send embeddings`);
}

/**
 * Makes of the answer to one batch what was asked for.
 * @throws ObeliskError `upstream_invalid` when there is not one vector of one length per text, or they
 *   were not cut to the `dimensions` asked for, which old versions of Ollama do not do;
 *   `invalid_request` when the model's vectors are shorter than the `dimensions` asked for, which
 *   Ollama answers without a word.
 */
export function fromOllamaEmbed(
  answer: OllamaEmbedded,
  expected: { readonly count: number; readonly dimensions?: number | undefined; readonly host: string },
): EmbeddingResult {
  if (answer.embeddings.length !== expected.count) {
    throw new ObeliskError(
      'upstream_invalid',
      `ollama ${expected.host} did not send one embedding for each of ${String(expected.count)} texts`,
    );
  }
  const vectors = answer.embeddings.map((values) => Float32Array.from(values));
  const length = vectors[0]?.length ?? 0;
  if (vectors.some((vector) => vector.length !== length || length === 0)) {
    throw new ObeliskError(
      'upstream_invalid',
      `ollama ${expected.host} sent embeddings of unequal or no length`,
    );
  }
  if (expected.dimensions !== undefined) requireLength(length, expected.dimensions, expected.host);
  const timing = embeddingTiming(answer);
  return {
    vectors,
    promptTokens: answer.prompt_eval_count ?? 0,
    ...(timing === undefined ? {} : { timing }),
  };
}

function requireLength(length: number, asked: number, host: string): void {
  if (length === asked) return;
  if (length > asked) {
    throw new ObeliskError(
      'upstream_invalid',
      `ollama ${host} sent ${String(length)} dimensions although ${String(asked)} were asked for; update it, or leave dimensions out`,
    );
  }
  throw new ObeliskError(
    'invalid_request',
    `the model has ${String(length)} dimensions, fewer than the ${String(asked)} asked for`,
    { param: 'dimensions' },
  );
}
