import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import { textColumn } from '../../store/row.ts';
import type { Calibration } from './calibration.ts';
import type { EmbeddingModel } from './types.ts';

const EMBEDDING_MODEL = z.object({ name: z.string(), digest: z.string(), dimensions: z.int().positive() });
const CALIBRATION = z.object({
  vectors: z.int(),
  candidates: z.union([z.int().positive(), z.literal('all')]),
});

/** Facts about the whole index, kept in its file. */
export class Meta {
  readonly #select: StatementSync;
  readonly #upsert: StatementSync;
  readonly #delete: StatementSync;
  /** Read for every chunk that is written, so not from the file each time. */
  #model: EmbeddingModel | undefined;

  constructor(database: DatabaseSync) {
    this.#select = database.prepare('SELECT value FROM meta WHERE key = ?');
    this.#upsert = database.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)');
    this.#delete = database.prepare('DELETE FROM meta WHERE key = ?');
  }

  load(): void {
    const stored = this.#read('embedding_model');
    this.#model = stored === undefined ? undefined : EMBEDDING_MODEL.parse(stored);
  }

  embeddingModel(): EmbeddingModel | undefined {
    return this.#model;
  }

  setEmbeddingModel(model: EmbeddingModel): void {
    this.#upsert.run('embedding_model', JSON.stringify(model));
    this.#model = model;
  }

  calibration(): Calibration | undefined {
    const stored = this.#read('calibration');
    return stored === undefined ? undefined : CALIBRATION.parse(stored);
  }

  setCalibration(calibration: Calibration | undefined): void {
    if (calibration === undefined) this.#delete.run('calibration');
    else this.#upsert.run('calibration', JSON.stringify(calibration));
  }

  #read(key: string): unknown {
    const row = this.#select.get(key);
    return row === undefined ? undefined : JSON.parse(textColumn(row, 'value'));
  }
}
