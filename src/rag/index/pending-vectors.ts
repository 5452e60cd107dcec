import type { StatementSync } from 'node:sqlite';
import { ObeliskError } from '../../shared/errors.ts';
import { blobColumn, numberColumn, textColumn, textListColumn } from '../../store/row.ts';
import { embeddingText } from '../chunk.ts';
import type { IndexSession } from './session.ts';
import type { ChunkVector, EmbeddingModel, PendingChunk } from './types.ts';

/** Vectors of texts that are in no chunk now are kept for undo and moves: as many as are in use, at least these. */
const SPARE_VECTORS = 2000;

/** Which chunks wait for a vector, of which model, and what is done when one arrives. */
export class PendingVectors {
  readonly #session: IndexSession;
  readonly #pending: StatementSync;

  constructor(session: IndexSession) {
    this.#session = session;
    this.#pending = session.database.prepare(
      `SELECT min(chunk.id) AS id, note.title AS title, chunk.heading_path AS heading_path, chunk.text AS text
       FROM chunk JOIN note ON note.id = chunk.note_id
       WHERE chunk.embedding_id IS NULL GROUP BY chunk.embedding_key LIMIT ?`,
    );
  }

  pin(model: EmbeddingModel): void {
    const { meta, vectors, database } = this.#session;
    const known = meta.embeddingModel();
    meta.setEmbeddingModel(model);
    this.#prune();
    if (known?.digest === model.digest && known.dimensions === model.dimensions) return;
    meta.setCalibration(undefined);
    database.exec('DELETE FROM chunk_bits; UPDATE chunk SET embedding_id = NULL');
    vectors.load();
    const waiting = database.prepare(
      `SELECT DISTINCT embedding_key FROM chunk
       WHERE embedding_key IN (SELECT key FROM embedding WHERE model = ?)`,
    );
    for (const row of waiting.all(model.digest)) vectors.reuseForAll(model, blobColumn(row, 'embedding_key'));
  }

  next(limit: number): PendingChunk[] {
    if (this.#session.meta.embeddingModel() === undefined) return [];
    return this.#pending.all(limit).map((row) => ({
      id: numberColumn(row, 'id'),
      embedText: embeddingText(textColumn(row, 'title'), {
        headingPath: textListColumn(row, 'heading_path'),
        text: textColumn(row, 'text'),
      }),
    }));
  }

  put(digest: string, vectors: readonly ChunkVector[]): void {
    const model = this.#session.meta.embeddingModel();
    if (model?.digest !== digest) {
      throw new ObeliskError(
        'upstream_invalid',
        `these vectors are of the model ${digest}, but the index holds those of ${model?.digest ?? 'none'}; pin the model first`,
      );
    }
    this.#session.vectors.put(model, vectors);
  }

  /** Forgets the oldest vectors that no chunk uses, where they outnumber those in use. */
  #prune(): void {
    this.#session.database
      .prepare(
        `DELETE FROM embedding WHERE id IN (
           SELECT id FROM embedding
           WHERE id NOT IN (SELECT embedding_id FROM chunk WHERE embedding_id IS NOT NULL)
           ORDER BY id DESC LIMIT -1 OFFSET max(?, (SELECT count(*) FROM chunk)))`,
      )
      .run(SPARE_VECTORS);
  }
}
