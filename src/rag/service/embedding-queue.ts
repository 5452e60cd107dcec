import type { EmbeddingModel, PendingChunk, VaultIndex } from '../index/types.ts';
import type { EmbeddingBatch, Operations } from './protocol.ts';

/** Hands out the chunks of one index that wait for a vector, each to one asker at a time. */
export class EmbeddingQueue {
  readonly #index: VaultIndex;
  readonly #handedOut = new Set<number>();
  readonly #refused = new Set<number>();

  constructor(index: VaultIndex) {
    this.#index = index;
  }

  /** The next chunks for the model of that digest. */
  take(digest: string, limit: number): EmbeddingBatch {
    const pinned = this.#index.embeddingModel();
    if (pinned === undefined) return { state: 'unpinned' };
    if (pinned.digest !== digest) {
      return this.#index.stats().embeddedChunks === 0
        ? { state: 'unpinned' }
        : { state: 'other-model', pinned };
    }
    const chunks: PendingChunk[] = [];
    for (const chunk of this.#index.chunksWithoutVector(limit + this.#handedOut.size + this.#refused.size)) {
      if (this.#handedOut.has(chunk.id) || this.#refused.has(chunk.id)) continue;
      chunks.push(chunk);
      this.#handedOut.add(chunk.id);
      if (chunks.length === limit) break;
    }
    return chunks.length === 0 ? { state: 'idle' } : { state: 'work', chunks };
  }

  /** Pins a model, unless vectors of another one are there. */
  pin(model: EmbeddingModel): void {
    const pinned = this.#index.embeddingModel();
    if (pinned?.digest === model.digest) return;
    if (pinned === undefined || this.#index.stats().embeddedChunks === 0)
      this.#index.pinEmbeddingModel(model);
  }

  /** Takes back a batch: vectors for some chunks, others refused for good or returned for later. */
  put({ digest, vectors, refused, returned }: Operations['put-vectors']['request']): void {
    for (const id of [...vectors.map(({ id }) => id), ...refused, ...returned]) this.#handedOut.delete(id);
    for (const id of refused) this.#refused.add(id);
    if (vectors.length > 0) this.#index.putVectors(digest, vectors);
  }

  /** Chunks that could be handed out now, none while no model is pinned. */
  pending(): number {
    const { chunks, embeddedChunks } = this.#index.stats();
    return Math.max(0, chunks - embeddedChunks - this.#refused.size - this.#handedOut.size);
  }
}
