import { ObeliskError } from '../shared/errors.ts';
import type {
  AnswerTiming,
  EmbedContext,
  Embedder,
  EmbeddingRequest,
  EmbeddingResult,
} from '../providers/chat.ts';
import { IGNORED_HEADER } from '../providers/ignored-header.ts';
import { fromOllamaEmbed, toOllamaEmbed } from '../providers/ollama/embed.ts';
import { addTimings } from '../providers/ollama/timing.ts';

import { tellReload } from './chat-writer.ts';
import type { OllamaServing } from './chat-writer.ts';
import type { OllamaTarget } from './fleet/hosts.ts';
import { effectiveOptions } from './prepare.ts';
import type { ServedOptions } from './prepare.ts';
import { runnerOptionsOf } from './queue/runner-options.ts';
import { takeSeat } from './queue/seat.ts';

/**
 * Texts in one call. Ollama embeds them one after the other anyway; short calls keep an abort
 * quick and a slow machine inside the clocks.
 */
const BATCH_SIZE = 32;

/** Ollama serves one request at a time of an embedding model, whatever its OLLAMA_NUM_PARALLEL. */
export const EMBEDS_AT_ONCE = 1;

/**
 * Creates the function that makes an embedder of each deployment. An embedder throws ObeliskError
 * `context_length_exceeded` for a text that does not fit (it is never cut), `unsupported` for a model
 * that only chats, `invalid_request`, `model_not_found`, `upstream_*`, `client_gone`.
 */
export function createOllamaEmbedder(serving: OllamaServing): (target: OllamaTarget) => Embedder {
  return (target) =>
    (request, signal, context = {}) =>
      embedAll({ serving, target, signal, context }, request);
}

type Embedding = {
  readonly serving: OllamaServing;
  readonly target: OllamaTarget;
  readonly signal: AbortSignal;
  readonly context: EmbedContext;
};

async function embedAll(embedding: Embedding, asked: EmbeddingRequest): Promise<EmbeddingResult> {
  const { serving, target, signal, context } = embedding;
  const model = await serving.hosts.describe(target, signal, context.clocks);
  if (model && !model.embedding) {
    throw new ObeliskError('unsupported', `${model.name} is not an embedding model`, { param: 'model' });
  }
  requireTexts(asked.input);
  const served = effectiveOptions(target, { model, profiles: serving.profiles }, asked);
  if (served.ignored.length > 0) context.onHeader?.(IGNORED_HEADER, served.ignored.join(', '));
  const vectors: Float32Array[] = [];
  let promptTokens = 0;
  let timing: AnswerTiming | undefined;
  for (let start = 0; start < asked.input.length; start += BATCH_SIZE) {
    const input = asked.input.slice(start, start + BATCH_SIZE);
    // A turn for each batch: whoever embeds a library keeps nobody else waiting for all of it.
    const batch = await embedBatch(embedding, { ...asked, input }, served);
    vectors.push(...batch.vectors);
    promptTokens += batch.promptTokens;
    timing = addTimings(timing, batch.timing);
  }
  return { vectors, promptTokens, ...(timing === undefined ? {} : { timing }) };
}

async function embedBatch(
  { serving, target, signal, context }: Embedding,
  request: EmbeddingRequest,
  { options, keepAlive }: ServedOptions,
): Promise<EmbeddingResult> {
  const { baseUrl: url, model } = target;
  const seat = await takeSeat(serving.seats, { url, model, signal, context, parallel: EMBEDS_AT_ONCE });
  try {
    const { warmth, changed } = seat.begin(runnerOptionsOf(options));
    tellReload(context, changed);
    if (warmth !== 'warm') serving.logger.info('loading', { host: url, model });
    const body = toOllamaEmbed(request, { model, options, keepAlive });
    const client = serving.hosts.client(url);
    const answer = await seat.answer((clocks) => client.embed(body, signal, clocks));
    const { input, dimensions } = request;
    const batch = fromOllamaEmbed(answer, { count: input.length, host: url, dimensions });
    const usage = { promptTokens: batch.promptTokens, completionTokens: 0 };
    const timing = seat.end({ usage, timing: batch.timing, unloads: body.keep_alive === 0 });
    return { ...batch, ...(timing === undefined ? {} : { timing }) };
  } finally {
    seat.leave();
  }
}

/** An empty text has no meaning to embed; OpenAI refuses it as well. */
function requireTexts(input: readonly string[]): void {
  const empty = input.indexOf('');
  if (input.length > 0 && empty < 0) return;
  const what = input.length === 0 ? 'input has no text' : `input[${String(empty)}] is an empty text`;
  throw new ObeliskError('invalid_request', what, { param: 'input' });
}
