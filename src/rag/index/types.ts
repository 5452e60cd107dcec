import type { Note } from '../../vault/note.ts';
import type { SearchRequest, SearchResult } from '../types.ts';

/** State of a note's file when it was indexed. */
export type NoteFile = {
  /** Hash of the content. */
  readonly hash: string;
  /** Bytes. */
  readonly size: number;
  readonly mtimeMs: number;
};

/** The model that made an index's vectors. */
export type EmbeddingModel = { readonly name: string; readonly digest: string; readonly dimensions: number };

/** A chunk that waits for its vector. */
export type PendingChunk = {
  readonly id: number;
  /** Title and headings, then the text. */
  readonly embedText: string;
};

/** A chunk's vector; any length of it, it is normalised. */
export type ChunkVector = { readonly id: number; readonly vector: Float32Array };

/** Size of an index. */
export type IndexStats = {
  readonly notes: number;
  readonly chunks: number;
  readonly embeddedChunks: number;
  /** Different terms of all chunks. */
  readonly terms: number;
};

/**
 * The index of one vault. Synchronous: it belongs in a worker thread. Every method throws ObeliskError
 * `store_failed` when the file cannot be read or written; a failed write leaves the index as it was.
 */
export type VaultIndex = {
  /** Why an existing file was thrown away when this index was opened; absent when none was. */
  readonly rebuiltBecause?: string;
  /** Adds a note or replaces the one at its path, in one transaction. */
  putNote(note: Note, file: NoteFile): void;
  /** Removes a note; false when there was none at that path. */
  removeNote(path: string): boolean;
  /**
   * Moves a note whose text is the same, keeping its chunks and their vectors. `note` is the note as parsed at
   * its new path. A note already there is replaced. False when there is none at `from`.
   */
  renameNote(from: string, to: string, note: Note): boolean;
  /** Runs several writes as one transaction, which is many times faster than one each. */
  batch<T>(work: () => T): T;
  noteStates(): Map<string, NoteFile>;
  /** Chunks that the pinned model has not embedded, each different text once; none while no model is pinned. */
  chunksWithoutVector(limit: number): PendingChunk[];
  /**
   * Stores vectors of the pinned model; chunks that are gone by now are skipped.
   * @throws ObeliskError `upstream_invalid` for another model, wrong dimensions or numbers that are not finite.
   */
  putVectors(digest: string, vectors: readonly ChunkVector[]): void;
  /** Chooses the model of the vectors. Another digest puts every chunk back in the queue, less what is cached. */
  pinEmbeddingModel(model: EmbeddingModel): void;
  embeddingModel(): EmbeddingModel | undefined;
  search(request: SearchRequest): SearchResult;
  stats(): IndexStats;
  close(): void;
};
