import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { ObeliskError, isObeliskError, messageOf } from '../../shared/errors.ts';
import { inTransaction } from '../../store/database.ts';
import { numberColumn, textColumn, textListColumn } from '../../store/row.ts';
import { createTokenizer, type Tokenizer } from '../text/tokenizer.ts';
import { Catalogue } from './catalogue.ts';
import { Meta } from './meta.ts';
import { TermCounts } from './term-counts.ts';
import { VectorStore } from './vectors.ts';

/**
 * One open index file and what is kept of it in memory. Memory follows the file: a transaction that fails,
 * or another process that writes, makes it read everything again.
 */
export class IndexSession {
  readonly database: DatabaseSync;
  readonly tokenizer: Tokenizer;
  readonly counts: TermCounts;
  readonly catalogue: Catalogue;
  readonly meta: Meta;
  readonly vectors: VectorStore;
  readonly #file: string;
  readonly #dataVersion: StatementSync;
  #seenVersion = -1;

  constructor(database: DatabaseSync, file: string) {
    this.database = database;
    this.#file = file;
    this.tokenizer = createTokenizer();
    this.counts = new TermCounts(database);
    this.catalogue = new Catalogue(this.tokenizer);
    this.meta = new Meta(database);
    this.vectors = new VectorStore(database, this.meta);
    this.#dataVersion = database.prepare('PRAGMA data_version');
  }

  /** Reads from the file what memory holds of it. */
  load(): void {
    this.#seenVersion = numberColumn(this.#dataVersion.get() ?? {}, 'data_version');
    this.counts.load(this.count('chunk'));
    this.catalogue.clear();
    for (const row of this.database.prepare('SELECT id, path, title, aliases FROM note').iterate()) {
      this.catalogue.add({
        id: numberColumn(row, 'id'),
        path: textColumn(row, 'path'),
        title: textColumn(row, 'title'),
        aliases: textListColumn(row, 'aliases'),
      });
    }
    this.meta.load();
    this.vectors.load();
  }

  count(table: 'chunk' | 'note'): number {
    return numberColumn(this.database.prepare(`SELECT count(*) AS rows FROM ${table}`).get() ?? {}, 'rows');
  }

  /**
   * Runs a reading.
   * @throws ObeliskError `store_failed` where SQLite fails.
   */
  read<T>(work: () => T): T {
    try {
      this.#follow();
      return work();
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /**
   * Runs a writing as one transaction, or as part of the one that is open.
   * @throws ObeliskError `store_failed` where SQLite fails; then nothing of the transaction remains.
   */
  write<T>(work: () => T): T {
    if (this.database.isTransaction) return work();
    let isBegun = false;
    try {
      return inTransaction(this.database, () => {
        isBegun = true;
        this.#follow();
        const result = work();
        this.counts.flush();
        return result;
      });
    } catch (error) {
      // What memory took over from it is gone with it.
      if (isBegun) this.load();
      throw this.#failure(error);
    }
  }

  #follow(): void {
    const version = numberColumn(this.#dataVersion.get() ?? {}, 'data_version');
    if (version !== this.#seenVersion) this.load();
  }

  /** SQLite's own errors carry `errcode`; anything else is a defect and keeps its type. */
  #failure(error: unknown): unknown {
    if (isObeliskError(error) || !(error instanceof Error && 'errcode' in error)) return error;
    return new ObeliskError(
      'store_failed',
      `the index ${this.#file} failed (${messageOf(error)}); check space and permissions, or delete the file: it is built again from the notes`,
      { cause: error },
    );
  }
}
