import { messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { EmbeddingModel } from '../index/types.ts';
import { abortable } from './abortable.ts';

/** What makes vectors: the gateway, in process. */
export type EmbeddingPort = {
  /** The embedding model there is now; its digest tells two models of one name apart. */
  model(): { readonly name: string; readonly digest: string } | undefined;
  /** Vectors in the order of the texts. */
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]>;
};

/** What a question's vector is made with. */
export type QueryEmbeddingOptions = {
  readonly embed: EmbeddingPort;
  /** The model of the index's vectors. */
  readonly model: EmbeddingModel;
  readonly logger: Logger;
  readonly signal?: AbortSignal;
};

/** A question waits no longer than this for its vector; words answer without it. */
export const QUERY_EMBEDDING_MS = 2000;

/**
 * Makes the vector of a question; nothing when the index's own model is not there, fails or is slow.
 */
export async function embedQuery(
  query: string,
  options: QueryEmbeddingOptions,
): Promise<Float32Array | undefined> {
  const { embed, model, logger, signal } = options;
  if (query.trim() === '' || embed.model()?.digest !== model.digest) return undefined;
  const limit = AbortSignal.timeout(QUERY_EMBEDDING_MS);
  const both = signal === undefined ? limit : AbortSignal.any([signal, limit]);
  try {
    const [vector] = await abortable(embed.embed([query], both), both);
    return vector?.length === model.dimensions ? vector : undefined;
  } catch (error) {
    signal?.throwIfAborted();
    logger.warn('a question was searched by words only', { model: model.name, error: messageOf(error) });
    return undefined;
  }
}
