/** What retrieval returns, and what an answer cites. */

/** A piece of a note: the unit that is indexed, found and cited. */
export type Chunk = {
  /** Headings above and of the chunk, outermost first; empty before the first heading. */
  readonly headingPath: readonly string[];
  readonly startLine: number;
  readonly endLine: number;
  /** Plain text as a reader sees it (`Block.text` joined by blank lines). */
  readonly text: string;
};

/** Restricts a search before ranking. */
export type SearchFilters = {
  /** Folder inside the vault, `/` between parts: that folder and everything below. */
  readonly folder?: string;
  /** Tag without `#`: `inbox` also matches `inbox/to-read`. */
  readonly tag?: string;
};

/** A question to an index. */
export type SearchRequest = {
  readonly query: string;
  /** Number of notes wanted; 10 unless told. */
  readonly limit?: number;
  /** Most chunks of one note among the hits; 3 unless told. */
  readonly chunksPerNote?: number;
  readonly filters?: SearchFilters;
  /** The query's embedding by the index's own embedding model, where there is one. */
  readonly vector?: Float32Array;
};

/** One found chunk. */
export type Hit = Chunk & {
  readonly path: string;
  readonly title: string;
  /** Final score of the chunk's note, comparable within one search only. */
  readonly score: number;
  /** Share (0–1) of the query's idf mass that this chunk's text and note name contain. */
  readonly coverage: number;
  /** Cosine with the query, where both have vectors. */
  readonly cosine?: number;
};

/** A note's place in the ranking. */
export type RankedNote = { readonly path: string; readonly title: string; readonly score: number };

/** Answer to a search: notes best first, and their best chunks in the order of the notes. */
export type SearchResult = {
  readonly notes: readonly RankedNote[];
  readonly hits: readonly Hit[];
  /** Query terms that were looked for, after stop words, as typed. */
  readonly terms: readonly string[];
  /** How rare each index term of the query is in this vault (idf); largest for one that no chunk has. */
  readonly weights?: Readonly<Record<string, number>>;
  /** Milliseconds in the index. */
  readonly tookMs: number;
};

/** A numbered passage handed to a writer and cited by it as `[n]`. */
export type Source = {
  /** The number in `[n]`, from 1. */
  readonly index: number;
  readonly vault: string;
  readonly path: string;
  readonly title: string;
  readonly headingPath: readonly string[];
  readonly startLine: number;
  readonly endLine: number;
  readonly text: string;
  readonly score: number;
  /** `obsidian://open?vault=…&file=…`, with the name that Obsidian has for the vault: its folder’s. */
  readonly obsidianUrl: string;
  /** Page that shows the note with the lines marked, relative to the server's root. */
  readonly url: string;
};
