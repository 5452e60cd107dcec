import { ObeliskError } from '../shared/errors.ts';
import type { Embedder, EmbeddingRequest, EmbeddingResult } from '../providers/chat.ts';
import { fromOllamaEmbed, toOllamaEmbed } from '../providers/ollama/embed.ts';
import type { Clocks } from '../wire/upstream.ts';

import type { OllamaServing } from './chat-writer.ts';
import { effectiveOptions, keepAliveOf } from './prepare.ts';
import type { OllamaTarget } from './prepare.ts';

/**
 * Texts in one call. Ollama embeds them one after the other anyway; short calls keep an abort
 * quick and a slow machine inside the clocks.
 */
const BATCH_SIZE = 32;

/**
 * Creates the function that makes an embedder of each deployment. An embedder throws ObeliskError
 * `context_length_exceeded` for a text that does not fit (it is never cut), `unsupported` for a model
 * that only chats, `invalid_request`, `model_not_found`, `upstream_*`, `client_gone`.
 */
export function createOllamaEmbedder(serving: OllamaServing): (target: OllamaTarget) => Embedder {
  return (target) => (request, signal, clocks) => embedAll({ serving, target, signal, clocks }, request);
}

type Embedding = {
  readonly serving: OllamaServing;
  readonly target: OllamaTarget;
  readonly signal: AbortSignal;
  readonly clocks: Clocks | undefined;
};

async function embedAll(embedding: Embedding, asked: EmbeddingRequest): Promise<EmbeddingResult> {
  const { serving, target, signal, clocks } = embedding;
  const model = await serving.hosts.describe(target, signal, clocks);
  if (model && !model.embedding) {
    throw new ObeliskError('unsupported', `${model.name} is not an embedding model`, { param: 'model' });
  }
  requireTexts(asked.input);
  const keepAlive = asked.keepAlive ?? keepAliveOf(target.defaults);
  const request = { ...asked, ...(keepAlive === undefined ? {} : { keepAlive }) };
  const { options, numCtx } = effectiveOptions(target, { model, hardware: serving }, request.options);
  if (!serving.hosts.isWarm(target, numCtx)) {
    serving.logger.info('loading', { host: target.baseUrl, model: target.model });
  }
  const vectors: Float32Array[] = [];
  let promptTokens = 0;
  for (let start = 0; start < request.input.length; start += BATCH_SIZE) {
    const input = request.input.slice(start, start + BATCH_SIZE);
    const body = toOllamaEmbed({ ...request, input }, { model: target.model, options });
    const answer = await serving.hosts.client(target.baseUrl).embed(body, signal, clocks);
    const batch = fromOllamaEmbed(answer, {
      count: input.length,
      host: target.baseUrl,
      dimensions: request.dimensions,
    });
    vectors.push(...batch.vectors);
    promptTokens += batch.promptTokens;
  }
  serving.hosts.markWarm(target, numCtx);
  return { vectors, promptTokens };
}

/** An empty text has no meaning to embed; OpenAI refuses it as well. */
function requireTexts(input: readonly string[]): void {
  const empty = input.indexOf('');
  if (input.length > 0 && empty < 0) return;
  const what = input.length === 0 ? 'input has no text' : `input[${String(empty)}] is an empty text`;
  throw new ObeliskError('invalid_request', what, { param: 'input' });
}
