import { z } from 'zod';
import type { ChatEvent, ChatMessage, ChatRequest, Usage } from './providers/chat.ts';
import type { Source } from './rag/types.ts';
import { withHint } from './router/selector.ts';
import type { ProviderHint } from './router/selector.ts';
import { ObeliskError } from './shared/errors.ts';

/** A passage behind an answer, and whether the answer cites it. */
export type AnswerSource = Omit<Source, 'text' | 'score'> & { readonly cited: boolean };

/** What a question may be told. */
export type QueryOptions = {
  /** Name of the vault; needed only where there are several. */
  readonly vault?: string;
  /** Who writes the answer; absent: the configured or the default local model, else the extractive writer. */
  readonly model?: string;
  /** Confines the writer's model to one backend, whatever its name suggests. */
  readonly providerHint?: ProviderHint;
  /** Ollama's options by their own names (`num_ctx`, `top_k`…). */
  readonly options?: Readonly<Record<string, unknown>>;
  readonly temperature?: number;
  readonly maxTokens?: number;
  /** Earlier turns of the conversation, oldest first. */
  readonly history?: readonly ChatMessage[];
  readonly signal?: AbortSignal;
};

/** A piece of an answer: texts in order, then one `end`. */
export type AnswerPart =
  | { readonly type: 'text'; readonly text: string }
  | {
      readonly type: 'end';
      readonly sources: readonly AnswerSource[];
      /** Whether the vault supports an answer. */
      readonly supported: boolean;
      /** Who wrote it, where somebody did. */
      readonly model?: string;
      readonly usage: Usage;
    };

/** A whole answer. */
export type Answer = Omit<Extract<AnswerPart, { type: 'end' }>, 'type'> & { readonly text: string };

/** Makes the gateway's request of a question. */
export function toChatRequest(
  question: string,
  at: { readonly vault: string; readonly hasLitellm: boolean },
  options: QueryOptions,
): ChatRequest {
  const { model, providerHint: hint, temperature, maxTokens } = options;
  if (model === undefined && hint !== undefined) {
    throw new ObeliskError('invalid_request', 'providerHint needs a model: name the one to be asked', {
      param: 'model',
    });
  }
  const writer = model === undefined ? '' : `:${withHint(model, { hint, hasLitellm: at.hasLitellm })}`;
  return {
    model: `vault/${at.vault}${writer}`,
    messages: [...(options.history ?? []), { role: 'user', text: question }],
    stream: true,
    includeUsage: true,
    options: options.options ?? {},
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
  };
}

const sourceSchema = (): z.ZodType<AnswerSource> =>
  z.object({
    index: z.number(),
    vault: z.string(),
    path: z.string(),
    title: z.string(),
    headingPath: z.array(z.string()),
    startLine: z.number(),
    endLine: z.number(),
    obsidianUrl: z.string(),
    url: z.string(),
    cited: z.boolean(),
  });

const fieldsSchema = z.lazy(() =>
  z.object({
    sources: z.array(sourceSchema()).optional(),
    obelisk: z.object({ supported: z.boolean().optional(), writer: z.string().optional() }).optional(),
  }),
);

/** Turns the events of a vault's answer into the parts that callers get. */
export async function* toAnswerParts(events: AsyncIterable<ChatEvent>): AsyncIterable<AnswerPart> {
  let told: z.infer<typeof fieldsSchema> = {};
  for await (const event of events) {
    if (event.type === 'text-delta') yield { type: 'text', text: event.text };
    if (event.type === 'message-fields') told = fieldsSchema.parse(event.fields);
    if (event.type === 'finish') {
      const model = told.obelisk?.writer;
      yield {
        type: 'end',
        sources: told.sources ?? [],
        supported: told.obelisk?.supported ?? true,
        usage: event.usage,
        ...(model === undefined ? {} : { model }),
      };
    }
  }
}
