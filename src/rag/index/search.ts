import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { numberColumn, textColumn, textListColumn } from '../../store/row.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import type { Chunk, Hit, RankedNote, SearchFilters, SearchRequest, SearchResult } from '../types.ts';
import { type Catalogue, comparable, type NoteEntry } from './catalogue.ts';
import { rankNotes, type ScoredChunk, type ScoredNote } from './fusion.ts';
import { LexicalSearch } from './lexical.ts';
import { mentionedNotes } from './mentions.ts';
import type { Meta } from './meta.ts';
import { nameScores } from './names.ts';
import { type Question, readQuestion } from './question.ts';
import { similarNames } from './similar-names.ts';
import type { TermCounts } from './term-counts.ts';
import { toUnitVector, type VectorMatch, type VectorStore } from './vectors.ts';

/** What a search reads. */
export type SearchParts = {
  readonly database: DatabaseSync;
  readonly tokenizer: Tokenizer;
  readonly counts: TermCounts;
  readonly catalogue: Catalogue;
  readonly vectors: VectorStore;
  readonly meta: Meta;
};

const NOTES = 10;
const CHUNKS_PER_NOTE = 3;
/** Notes found by name whose vectors are compared: a common word is in thousands of names. */
const NAMED_NOTES = 50;
/** Notes named when no word of the question is anywhere. */
const NEAREST_NOTES = 3;

type Ranked = { readonly note: NoteEntry; readonly score: number; readonly chunks: readonly ScoredChunk[] };

/** Answers questions from one index. */
export class NoteSearch {
  readonly #parts: SearchParts;
  readonly #lexical: LexicalSearch;
  readonly #chunks: StatementSync;
  readonly #firstChunks: StatementSync;
  readonly #tagged: StatementSync;

  constructor(parts: SearchParts) {
    this.#parts = parts;
    this.#lexical = new LexicalSearch(parts.database, parts.tokenizer.isStopTerm);
    this.#chunks = parts.database.prepare(
      `SELECT id, heading_path, start_line, end_line, text FROM chunk
       WHERE id IN (SELECT value FROM json_each(?))`,
    );
    this.#firstChunks = parts.database.prepare(
      'SELECT id FROM chunk WHERE note_id = ? ORDER BY ordinal LIMIT ?',
    );
    // The digit 0 follows the slash, so this range is all that begins with `tag/`.
    this.#tagged = parts.database.prepare(
      "SELECT note_id FROM tag WHERE tag = ?1 OR (tag > ?1 || '/' AND tag < ?1 || '0')",
    );
  }

  search(request: SearchRequest): SearchResult {
    const startedAt = performance.now();
    const question = readQuestion(request.query, this.#parts);
    const allowed = this.#allowed(request.filters);
    const ranked = this.#rank(request, question, allowed).slice(0, Math.max(1, request.limit ?? NOTES));
    const terms = [...new Set(question.terms.map((term) => term.word))];
    const notes = ranked.map(({ note, score }) => ({ path: note.path, title: note.title, score }));
    const hits = this.#hits(ranked, question, request.chunksPerNote ?? CHUNKS_PER_NOTE);
    const nearest = notes.length > 0 ? notes : this.#nearest(request.query, allowed);
    const weights = Object.fromEntries(question.terms.map(({ term, idf }) => [term, idf]));
    return { notes: nearest, hits, terms, weights, tookMs: performance.now() - startedAt };
  }

  #rank(request: SearchRequest, question: Question, allowed: ReadonlySet<number> | undefined): Ranked[] {
    const { catalogue, counts } = this.#parts;
    const lexical = this.#lexical.search(question, allowed);
    const names = nameScores(question, catalogue, counts);
    if (allowed !== undefined) for (const id of names.keys()) if (!allowed.has(id)) names.delete(id);
    const named = [...names].sort((a, b) => b[1] - a[1]).slice(0, NAMED_NOTES);
    const found = new Set([...lexical.map((match) => match.noteId), ...named.map(([id]) => id)]);
    const vectors = this.#byVector(request.vector, found, allowed);
    const ranked = rankNotes({ lexical, names, vectors }).flatMap((scored) => this.#named(scored));
    ranked.sort((a, b) => b.score - a.score || (a.note.path < b.note.path ? -1 : 1));
    return this.#withMentions(request.query, ranked, allowed);
  }

  #byVector(
    vector: Float32Array | undefined,
    found: ReadonlySet<number>,
    allowed: ReadonlySet<number> | undefined,
  ): VectorMatch[] {
    const model = this.#parts.meta.embeddingModel();
    if (vector === undefined || model === undefined || this.#parts.vectors.size === 0) return [];
    return this.#parts.vectors.search(toUnitVector(vector, model), found, allowed);
  }

  #named(scored: ScoredNote): Ranked[] {
    const note = this.#parts.catalogue.get(scored.noteId);
    return note === undefined ? [] : [{ note, score: scored.score, chunks: scored.chunks }];
  }

  /** Notes that the question names as `[[note]]` come first, whatever their score. */
  #withMentions(
    query: string,
    ranked: readonly Ranked[],
    allowed: ReadonlySet<number> | undefined,
  ): Ranked[] {
    const mentioned = mentionedNotes(query, this.#parts.catalogue).filter(
      (note) => allowed?.has(note.id) !== false,
    );
    if (mentioned.length === 0) return [...ranked];
    const score = ranked[0]?.score ?? 1;
    const ids = new Set(mentioned.map((note) => note.id));
    const first = mentioned.map((note) => {
      const known = ranked.find((candidate) => candidate.note.id === note.id);
      return { note, score, chunks: known?.chunks ?? [] };
    });
    return [...first, ...ranked.filter((candidate) => !ids.has(candidate.note.id))];
  }

  /** Ids of the notes that the filters let through; nothing where there are no filters. */
  #allowed(filters: SearchFilters | undefined): Set<number> | undefined {
    if (filters?.folder === undefined && filters?.tag === undefined) return undefined;
    const folder = comparable((filters.folder ?? '').replace(/^\/+|\/+$/gu, ''));
    const prefix = folder === '' ? '' : `${folder}/`;
    const tagged = filters.tag === undefined ? undefined : this.#notesTagged(filters.tag);
    const ids = new Set<number>();
    for (const note of this.#parts.catalogue.notes()) {
      if (comparable(note.path).startsWith(prefix) && tagged?.has(note.id) !== false) ids.add(note.id);
    }
    return ids;
  }

  #notesTagged(tag: string): Set<number> {
    const name = comparable(tag.replace(/^#+|\/+$/gu, ''));
    return new Set(this.#tagged.all(name).map((row) => numberColumn(row, 'note_id')));
  }

  #hits(ranked: readonly Ranked[], question: Question, chunksPerNote: number): Hit[] {
    const chosen = ranked.flatMap((entry) =>
      this.#chunksFor(entry, Math.max(1, chunksPerNote)).map((chunk) => ({ entry, chunk })),
    );
    const ids = chosen.map(({ chunk }) => chunk.chunkId);
    const chunks = this.#readChunks(ids);
    const coverages = this.#lexical.coverages(question, ids);
    return chosen.flatMap(({ entry, chunk: { chunkId, cosine } }) => {
      const chunk = chunks.get(chunkId);
      if (chunk === undefined) return [];
      const { note, score } = entry;
      const coverage = coverages.get(chunkId) ?? 0;
      const found = { ...chunk, path: note.path, title: note.title, score, coverage };
      return [cosine === undefined ? found : { ...found, cosine }];
    });
  }

  /** A note found by its name alone is shown from its beginning. */
  #chunksFor(entry: Ranked, chunksPerNote: number): readonly ScoredChunk[] {
    if (entry.chunks.length > 0) return entry.chunks.slice(0, chunksPerNote);
    return this.#firstChunks
      .all(entry.note.id, chunksPerNote)
      .map((row) => ({ chunkId: numberColumn(row, 'id'), score: 0 }));
  }

  #readChunks(ids: readonly number[]): Map<number, Chunk> {
    const rows = this.#chunks.all(JSON.stringify(ids));
    return new Map(
      rows.map((row) => [
        numberColumn(row, 'id'),
        {
          headingPath: textListColumn(row, 'heading_path'),
          startLine: numberColumn(row, 'start_line'),
          endLine: numberColumn(row, 'end_line'),
          text: textColumn(row, 'text'),
        },
      ]),
    );
  }

  #nearest(query: string, allowed: ReadonlySet<number> | undefined): RankedNote[] {
    const notes = [...this.#parts.catalogue.notes()].filter((note) => allowed?.has(note.id) !== false);
    return similarNames(query, notes, NEAREST_NOTES);
  }
}
