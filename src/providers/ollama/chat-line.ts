import { z } from 'zod';

import { ObeliskError } from '../../shared/errors.ts';

import { ollamaError } from './errors.ts';
import type { OllamaDurations } from './timing.ts';

/** A token that might have been chosen. */
export type OllamaAlternative = {
  readonly token: string;
  readonly logprob: number;
  readonly bytes?: readonly number[] | null | undefined;
};

/** One line of `/api/chat`. What is zero or empty is left out by Ollama. */
export type OllamaChatLine = OllamaDurations & {
  readonly message?:
    | {
        readonly content?: string | null | undefined;
        readonly thinking?: string | null | undefined;
        readonly tool_calls?:
          | readonly {
              readonly id?: string | null | undefined;
              readonly function: { readonly name: string; readonly arguments?: unknown };
            }[]
          | null
          | undefined;
      }
    | undefined;
  readonly done?: boolean | undefined;
  readonly done_reason?: string | null | undefined;
  /** Tokens. */
  readonly prompt_eval_count?: number | undefined;
  /** Tokens. */
  readonly eval_count?: number | undefined;
  /** Tokens so far, of `/api/generate` alone. */
  readonly context?: readonly number[] | null | undefined;
  readonly logprobs?:
    | readonly (OllamaAlternative & {
        readonly top_logprobs?: readonly OllamaAlternative[] | null | undefined;
      })[]
    | null
    | undefined;
};

const alternative = () =>
  z.object({
    token: z.string(),
    logprob: z.number(),
    bytes: z.array(z.number()).nullish(),
  });

/** Ollama's `omitempty` drops every zero, so that nothing but the shape of what is there counts. */
const chatLine = z.lazy(() =>
  z.object({
    error: z.string().optional(),
    message: z
      .object({
        content: z.string().nullish(),
        thinking: z.string().nullish(),
        tool_calls: z
          .array(
            z.object({
              id: z.string().nullish(),
              function: z.object({ name: z.string(), arguments: z.unknown().optional() }),
            }),
          )
          .nullish(),
      })
      .optional(),
    done: z.boolean().optional(),
    done_reason: z.string().nullish(),
    prompt_eval_count: z.number().optional(),
    eval_count: z.number().optional(),
    total_duration: z.number().optional(),
    load_duration: z.number().optional(),
    prompt_eval_duration: z.number().optional(),
    eval_duration: z.number().optional(),
    context: z.array(z.number()).nullish(),
    logprobs: z.array(alternative().extend({ top_logprobs: z.array(alternative()).nullish() })).nullish(),
  }),
);

/**
 * Reads one line of `/api/chat`.
 * @throws ObeliskError for `{"error"}` inside the stream, `upstream_invalid` for a line that is not Ollama's.
 */
export function toOllamaChatLine(
  json: unknown,
  from: { readonly host: string; readonly model: string },
): OllamaChatLine {
  const parsed = chatLine.safeParse(json);
  if (!parsed.success) {
    throw new ObeliskError(
      'upstream_invalid',
      `ollama ${from.host} sent a line that is not of its chat protocol`,
    );
  }
  const { error, ...line } = parsed.data;
  if (error === undefined) return line;
  throw ollamaError({ text: error, host: from.host, model: from.model });
}
