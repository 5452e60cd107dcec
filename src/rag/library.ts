import type { Block } from '../vault/note.ts';
import type { Hit, RankedNote, SearchFilters, Source } from './types.ts';

/** State of one vault's index, for readiness, `obelisk doctor` and the page. */
export type VaultStatus = {
  readonly name: string;
  readonly path: string;
  readonly state: 'starting' | 'indexing' | 'ready' | 'failed';
  readonly notes: number;
  readonly chunks: number;
  /** Notes still to be read in the running pass. */
  readonly pendingNotes: number;
  /** Chunks with a vector, when an embedding model is pinned. */
  readonly embeddedChunks: number;
  readonly embeddingModel?: string;
  readonly links: { readonly resolved: number; readonly ambiguous: number; readonly unresolved: number };
  readonly warnings: readonly { readonly path: string; readonly line: number; readonly message: string }[];
  /** Why `state` is `failed`. */
  readonly error?: string;
  /** Who writes the index, where it is another process: this one only searches it. */
  readonly readOnly?: string;
};

/** How to search. */
export type SearchOptions = {
  /** Number of notes wanted; 10 unless told. */
  readonly limit?: number;
  readonly filters?: SearchFilters;
  readonly signal?: AbortSignal;
};

/** Blocks of notes by their path. */
export type NoteBlocks = Readonly<Record<string, readonly Block[]>>;

/** Answer to `VaultLibrary.search`. */
export type VaultSearchResult = {
  readonly notes: readonly RankedNote[];
  readonly hits: readonly Hit[];
  readonly sources: readonly Source[];
  readonly terms: readonly string[];
  /** How rare each index term of the query is in the vault (idf). */
  readonly weights?: Readonly<Record<string, number>>;
  /** Whether what was found supports an answer (`decideSupport` in `rag/answer/support.ts`). */
  readonly supported: boolean;
  readonly tookMs: number;
};

/** The indexed vaults: one worker thread behind it, safe to call from the event loop. */
export type VaultLibrary = {
  names(): readonly string[];
  status(): readonly VaultStatus[];
  /** Resolves when the first complete pass over every vault has ended. */
  ready(signal?: AbortSignal): Promise<void>;
  /**
   * @throws ObeliskError `not_found` naming the nearest vaults.
   */
  search(vault: string, query: string, options: SearchOptions): Promise<VaultSearchResult>;
  /**
   * Text of a note as it lies on disk now, and how its links resolve (link target as written → vault path).
   * @throws ObeliskError `not_found`.
   */
  note(vault: string, path: string): Promise<NoteSource>;
  /** Blocks of notes as they lie on disk now; a note that is gone or cannot be read is left out. */
  blocks(vault: string, paths: readonly string[], signal?: AbortSignal): Promise<NoteBlocks>;
  /** Resolves after the files on disk have been compared with the index once more, links and warnings included. */
  refresh(vault?: string): Promise<void>;
  /**
   * Throws the index away, vectors and pinned model included, and resolves when it is built again.
   * @throws ObeliskError `store_failed` when another process writes it.
   */
  rebuild(vault?: string): Promise<void>;
  close(): Promise<void>;
};

/** A note for the page. */
export type NoteSource = {
  readonly vault: string;
  readonly path: string;
  readonly text: string;
  /** Opens the note in Obsidian. */
  readonly obsidianUrl: string;
  readonly resolved: Readonly<Record<string, string>>;
};
