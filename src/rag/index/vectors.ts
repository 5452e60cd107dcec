import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { ObeliskError } from '../../shared/errors.ts';
import { blobColumn, numberColumn, type Row } from '../../store/row.ts';
import { type Calibration, calibrateCandidates, needsCalibration, NOT_CALIBRATED } from './calibration.ts';
import { dotProduct } from './dot-product.ts';
import type { Meta } from './meta.ts';
import { SignBits, signBitsOf } from './sign-bits.ts';
import type { ChunkVector, EmbeddingModel } from './types.ts';

/** A chunk and the cosine of its vector with the question's. */
export type VectorMatch = { readonly chunkId: number; readonly noteId: number; readonly cosine: number };

/** Chunks compared exactly of a note that was found by words. */
const EXACT_PER_NOTE = 2;

/** Reads numbers out of a blob, which SQLite may hand over at any offset. */
function floatsOf(bytes: Uint8Array): Float32Array {
  if (bytes.byteOffset % 4 === 0)
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2);
  return new Float32Array(bytes.slice().buffer);
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  if (bytes.byteOffset % 4 === 0)
    return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2);
  return new Uint32Array(bytes.slice().buffer);
}

function bytesOf(numbers: Float32Array | Uint32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

/**
 * Checks a vector against the model and brings it to length 1.
 * @throws ObeliskError `upstream_invalid` for wrong dimensions or numbers that are not finite.
 */
export function toUnitVector(vector: Float32Array, model: EmbeddingModel): Float32Array {
  const length = Math.sqrt(dotProduct(vector, vector));
  if (vector.length !== model.dimensions || !Number.isFinite(length)) {
    throw new ObeliskError(
      'upstream_invalid',
      `${model.name} gave a vector of ${vector.length} numbers where ${model.dimensions} finite ones were expected; check that it is still the model the index was made with`,
    );
  }
  return length === 0 ? vector : vector.map((value) => value / length);
}

/** Vectors of chunks: exact ones in the file, signs in memory. */
export class VectorStore {
  readonly #meta: Meta;
  readonly #cached: StatementSync;
  readonly #keyOf: StatementSync;
  readonly #insert: StatementSync;
  readonly #waiting: StatementSync;
  readonly #link: StatementSync;
  readonly #insertBits: StatementSync;
  readonly #selectBits: StatementSync;
  readonly #selectVectors: StatementSync;
  readonly #allVectors: StatementSync;
  #bits = new SignBits(0);
  #calibration: Calibration = NOT_CALIBRATED;

  constructor(database: DatabaseSync, meta: Meta) {
    this.#meta = meta;
    this.#cached = database.prepare('SELECT id, vector FROM embedding WHERE model = ? AND key = ?');
    this.#keyOf = database.prepare('SELECT embedding_key FROM chunk WHERE id = ?');
    this.#insert = database.prepare(
      'INSERT INTO embedding (model, key, vector) VALUES (?, ?, ?) ON CONFLICT (model, key) DO UPDATE SET vector = excluded.vector',
    );
    this.#waiting = database.prepare(
      'SELECT id, note_id FROM chunk WHERE embedding_id IS NULL AND embedding_key = ?',
    );
    this.#link = database.prepare('UPDATE chunk SET embedding_id = ? WHERE id = ?');
    this.#insertBits = database.prepare(
      'INSERT OR REPLACE INTO chunk_bits (chunk_id, note_id, bits) VALUES (?, ?, ?)',
    );
    this.#selectBits = database.prepare('SELECT chunk_id, note_id, bits FROM chunk_bits');
    const vectors = `SELECT chunk.id AS chunk_id, chunk.note_id AS note_id, embedding.vector AS vector
      FROM chunk JOIN embedding ON embedding.id = chunk.embedding_id`;
    this.#allVectors = database.prepare(vectors);
    this.#selectVectors = database.prepare(`${vectors} WHERE chunk.id IN (SELECT value FROM json_each(?))`);
  }

  get size(): number {
    return this.#bits.size;
  }

  load(): void {
    this.#calibration = this.#meta.calibration() ?? NOT_CALIBRATED;
    this.#bits = new SignBits(this.#meta.embeddingModel()?.dimensions ?? 0);
    for (const row of this.#selectBits.iterate()) {
      const bits = wordsOf(blobColumn(row, 'bits'));
      this.#bits.set(numberColumn(row, 'chunk_id'), numberColumn(row, 'note_id'), bits);
    }
  }

  /** Gives a new chunk the vector of the same text, where one was made before. */
  reuse(chunk: { readonly id: number; readonly noteId: number; readonly key: Uint8Array }): void {
    const model = this.#meta.embeddingModel();
    const row = model === undefined ? undefined : this.#cached.get(model.digest, chunk.key);
    if (row !== undefined) this.#attach(chunk.id, chunk.noteId, row);
  }

  forget(chunkId: number): void {
    this.#bits.delete(chunkId);
  }

  /** Stores vectors and gives them to every chunk of the same text. */
  put(model: EmbeddingModel, vectors: readonly ChunkVector[]): void {
    for (const { id, vector } of vectors) {
      const unit = toUnitVector(vector, model);
      const row = this.#keyOf.get(id);
      if (row === undefined) continue;
      const key = blobColumn(row, 'embedding_key');
      this.#insert.run(model.digest, key, bytesOf(unit));
      this.reuseForAll(model, key);
    }
    this.#calibrate();
  }

  /** Gives the vector of a text to every chunk that has this text and waits. */
  reuseForAll(model: EmbeddingModel, key: Uint8Array): void {
    const cached = this.#cached.get(model.digest, key);
    if (cached === undefined) return;
    for (const row of this.#waiting.all(key)) {
      this.#attach(numberColumn(row, 'id'), numberColumn(row, 'note_id'), cached);
    }
  }

  /**
   * Finds the chunks nearest to a question, and the nearest ones of the notes found otherwise; in a small
   * index, or where signs were measured to choose badly, by comparing with every vector.
   */
  search(query: Float32Array, notes: ReadonlySet<number>, allowed?: ReadonlySet<number>): VectorMatch[] {
    if (this.#calibration.candidates === 'all')
      return this.#exact(query, this.#allVectors.iterate(), allowed);
    const scan = this.#bits.scan(signBitsOf(query));
    const ids = new Set<number>();
    for (const match of scan.nearest(this.#calibration.candidates, allowed)) ids.add(match.chunkId);
    for (const match of scan.bestOfNotes(notes, EXACT_PER_NOTE)) ids.add(match.chunkId);
    return this.#exact(query, this.#selectVectors.iterate(JSON.stringify([...ids])), allowed);
  }

  #exact(query: Float32Array, rows: Iterable<Row>, allowed: ReadonlySet<number> | undefined): VectorMatch[] {
    const matches: VectorMatch[] = [];
    for (const row of rows) {
      const noteId = numberColumn(row, 'note_id');
      if (allowed !== undefined && !allowed.has(noteId)) continue;
      const cosine = dotProduct(query, floatsOf(blobColumn(row, 'vector')));
      matches.push({ chunkId: numberColumn(row, 'chunk_id'), noteId, cosine });
    }
    return matches.sort((a, b) => b.cosine - a.cosine);
  }

  #attach(chunkId: number, noteId: number, cached: Row): void {
    const bits = signBitsOf(floatsOf(blobColumn(cached, 'vector')));
    this.#link.run(numberColumn(cached, 'id'), chunkId);
    this.#insertBits.run(chunkId, noteId, bytesOf(bits));
    this.#bits.set(chunkId, noteId, bits);
  }

  #calibrate(): void {
    if (!needsCalibration(this.#calibration, this.#bits.size)) return;
    this.#calibration = calibrateCandidates(this.#bits, () => this.#vectors());
    this.#meta.setCalibration(this.#calibration);
  }

  *#vectors(): Generator<{ readonly chunkId: number; readonly vector: Float32Array }> {
    for (const row of this.#allVectors.iterate()) {
      yield { chunkId: numberColumn(row, 'chunk_id'), vector: floatsOf(blobColumn(row, 'vector')) };
    }
  }
}
