import { z } from 'zod';
import type { AnswerSource } from '../query.ts';

/** What the command line reads of a server's answers: tolerant, and only what is shown. */

const place = {
  path: z.string(),
  title: z.string(),
  headingPath: z.array(z.string()),
  startLine: z.number(),
  endLine: z.number(),
};

/** A source of an answer. */
export const answerSource: z.ZodType<AnswerSource> = z.object({
  ...place,
  index: z.number(),
  vault: z.string(),
  obsidianUrl: z.string(),
  url: z.string(),
  cited: z.boolean().default(true),
});

type SearchResultJson = {
  readonly hits: readonly {
    readonly path: string;
    readonly title: string;
    readonly headingPath: readonly string[];
    readonly startLine: number;
    readonly endLine: number;
    readonly text: string;
    readonly score: number;
    readonly coverage: number;
  }[];
  readonly supported: boolean;
  readonly tookMs: number;
};

/** `GET /obelisk/v1/search`. */
export const searchResult: z.ZodType<SearchResultJson> = z.object({
  hits: z.array(z.object({ ...place, text: z.string(), score: z.number(), coverage: z.number() })),
  supported: z.boolean(),
  tookMs: z.number(),
});

type VaultJson = {
  readonly name: string;
  readonly state: 'starting' | 'indexing' | 'ready' | 'failed';
  readonly notes: number;
  readonly chunks: number;
  readonly pendingNotes: number;
  readonly embeddedChunks: number;
  readonly embeddingModel?: string | undefined;
  readonly links: { readonly resolved: number; readonly ambiguous: number; readonly unresolved: number };
  readonly error?: string | undefined;
};

/** `GET /obelisk/v1/vaults`. */
export const vaultList: z.ZodType<{ readonly data: readonly VaultJson[] }> = z.object({
  data: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['starting', 'indexing', 'ready', 'failed']),
      notes: z.number(),
      chunks: z.number(),
      pendingNotes: z.number(),
      embeddedChunks: z.number(),
      embeddingModel: z.string().optional(),
      links: z.object({ resolved: z.number(), ambiguous: z.number(), unresolved: z.number() }),
      error: z.string().optional(),
    }),
  ),
});

type ModelJson = {
  readonly id: string;
  readonly owned_by: string;
  readonly mode?: string | undefined;
  readonly max_input_tokens?: number | undefined;
  readonly capabilities?: Readonly<Record<string, unknown>> | undefined;
  readonly source?: string | undefined;
  readonly default?: 'chat' | 'embedding' | undefined;
};

/** `GET /v1/models`. */
export const modelList: z.ZodType<{ readonly data: readonly ModelJson[] }> = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      owned_by: z.string().default('unknown'),
      mode: z.string().optional(),
      max_input_tokens: z.number().optional(),
      capabilities: z.record(z.string(), z.unknown()).optional(),
      source: z.string().optional(),
      default: z.enum(['chat', 'embedding']).optional(),
    }),
  ),
});
