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
};

/** Answer to `VaultLibrary.search`. */
export type VaultSearchResult = {
  readonly notes: readonly RankedNote[];
  readonly hits: readonly Hit[];
  readonly sources: readonly Source[];
  readonly terms: readonly string[];
  /** Whether what was found supports an answer (design of the threshold in `rag/support.ts`). */
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
  search(
    vault: string,
    query: string,
    options: { readonly limit?: number; readonly filters?: SearchFilters; readonly signal?: AbortSignal },
  ): Promise<VaultSearchResult>;
  /**
   * Text of a note as it lies on disk now, and how its links resolve (link target as written → vault path).
   * @throws ObeliskError `not_found`.
   */
  note(vault: string, path: string): Promise<NoteSource>;
  /** Resolves after the files on disk have been compared with the index once more. */
  refresh(vault?: string): Promise<void>;
  close(): Promise<void>;
};

/** A note for the page. */
export type NoteSource = {
  readonly vault: string;
  readonly path: string;
  readonly text: string;
  readonly resolved: Readonly<Record<string, string>>;
};
