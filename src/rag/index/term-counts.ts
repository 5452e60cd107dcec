import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { numberColumn, textColumn } from '../../store/row.ts';

/**
 * In how many chunks each term occurs. Kept in memory because a question needs it for the words of every
 * name it touches; written back with the transaction that changed it.
 */
export class TermCounts {
  readonly #select: StatementSync;
  readonly #upsert: StatementSync;
  readonly #delete: StatementSync;
  readonly #counts = new Map<string, number>();
  readonly #changed = new Set<string>();
  #chunks = 0;

  constructor(database: DatabaseSync) {
    this.#select = database.prepare('SELECT term, chunks FROM term');
    this.#upsert = database.prepare(
      'INSERT INTO term (term, chunks) VALUES (?, ?) ON CONFLICT (term) DO UPDATE SET chunks = excluded.chunks',
    );
    this.#delete = database.prepare('DELETE FROM term WHERE term = ?');
  }

  get size(): number {
    return this.#counts.size;
  }

  get chunks(): number {
    return this.#chunks;
  }

  load(chunks: number): void {
    this.#counts.clear();
    this.#changed.clear();
    this.#chunks = chunks;
    for (const row of this.#select.iterate()) {
      this.#counts.set(textColumn(row, 'term'), numberColumn(row, 'chunks'));
    }
  }

  /** Counts a chunk's terms in (`by` 1) or out (`by` -1). */
  change(terms: ReadonlySet<string>, by: 1 | -1): void {
    this.#chunks += by;
    for (const term of terms) {
      this.#changed.add(term);
      const count = (this.#counts.get(term) ?? 0) + by;
      if (count > 0) this.#counts.set(term, count);
      else this.#counts.delete(term);
    }
  }

  /** Writes what changed; part of the caller's transaction. */
  flush(): void {
    for (const term of this.#changed) {
      const count = this.#counts.get(term);
      if (count === undefined) this.#delete.run(term);
      else this.#upsert.run(term, count);
    }
    this.#changed.clear();
  }

  /** Whether any chunk has the term. */
  has(term: string): boolean {
    return this.#counts.has(term);
  }

  /** In how many chunks a term occurs. */
  count(term: string): number {
    return this.#counts.get(term) ?? 0;
  }

  /** Inverse document frequency over chunks, `ln(1 + (N - n + 0.5) / (n + 0.5))`: positive for every term. */
  idf(term: string): number {
    const count = this.count(term);
    return Math.log(1 + (this.#chunks - count + 0.5) / (count + 0.5));
  }
}
