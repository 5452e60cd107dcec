import { hash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { numberColumn, type Row, textColumn, textListColumn } from '../../store/row.ts';
import type { Note } from '../../vault/note.ts';
import { chunkNote, embeddingText } from '../chunk.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import type { Chunk } from '../types.ts';
import { type Catalogue, comparable, namesOf } from './catalogue.ts';
import type { TermCounts } from './term-counts.ts';
import type { NoteFile } from './types.ts';
import type { VectorStore } from './vectors.ts';

/** What a writer keeps in step. */
export type WriterParts = {
  readonly database: DatabaseSync;
  readonly tokenizer: Tokenizer;
  readonly counts: TermCounts;
  readonly catalogue: Catalogue;
  readonly vectors: VectorStore;
};

/** Terms of a note that every chunk of it carries. */
type NoteTerms = { readonly title: string; readonly aliases: string; readonly description: string };

type ChunkTerms = { readonly text: string; readonly headings: string };

/** Key of a text in the embedding cache: its SHA-256. */
export function embeddingKey(title: string, chunk: Pick<Chunk, 'headingPath' | 'text'>): Uint8Array {
  return hash('sha256', embeddingText(title, chunk), 'buffer');
}

/** A note without text keeps one empty chunk, by which its names are in the full-text index too. */
function chunksOf(note: Note): Chunk[] {
  const chunks = chunkNote(note);
  return chunks.length > 0 ? chunks : [{ headingPath: [], startLine: 1, endLine: 1, text: '' }];
}

const NOTE_TERM_COLUMNS = 'title_terms, alias_terms, description_terms';

/** Writes notes into the tables and the full-text index. Its caller owns the transaction. */
export class NoteWriter {
  readonly #parts: WriterParts;
  readonly #noteAt: StatementSync;
  readonly #insertNote: StatementSync;
  readonly #updateNote: StatementSync;
  readonly #deleteNote: StatementSync;
  readonly #insertTag: StatementSync;
  readonly #insertChunk: StatementSync;
  readonly #chunksOfNote: StatementSync;
  readonly #rekey: StatementSync;
  readonly #insertWords: StatementSync;
  readonly #deleteWords: StatementSync;

  constructor(parts: WriterParts) {
    const { database } = parts;
    this.#parts = parts;
    this.#noteAt = database.prepare(`SELECT id, ${NOTE_TERM_COLUMNS} FROM note WHERE path = ?`);
    this.#insertNote = database.prepare(
      `INSERT INTO note (path, title, aliases, hash, size, mtime_ms, ${NOTE_TERM_COLUMNS})
       VALUES (:path, :title, :aliases, :hash, :size, :mtimeMs, :titleTerms, :aliasTerms, :descriptionTerms)`,
    );
    this.#updateNote = database.prepare(
      `UPDATE note SET path = :path, title = :title, aliases = :aliases, title_terms = :titleTerms,
         alias_terms = :aliasTerms, description_terms = :descriptionTerms WHERE id = :id`,
    );
    this.#deleteNote = database.prepare('DELETE FROM note WHERE id = ?');
    this.#insertTag = database.prepare('INSERT INTO tag (note_id, tag) VALUES (?, ?)');
    this.#insertChunk = database.prepare(
      `INSERT INTO chunk (note_id, ordinal, heading_path, start_line, end_line, terms, heading_terms, text, embedding_key)
       VALUES (:noteId, :ordinal, :headingPath, :startLine, :endLine, :terms, :headingTerms, :text, :key)`,
    );
    this.#chunksOfNote = database.prepare(
      'SELECT id, terms, heading_terms, heading_path, text, embedding_id FROM chunk WHERE note_id = ?',
    );
    this.#rekey = database.prepare('UPDATE chunk SET embedding_key = ? WHERE id = ?');
    const columns = 'rowid, text, headings, title, aliases, description';
    this.#insertWords = database.prepare(`INSERT INTO chunk_words (${columns}) VALUES (?, ?, ?, ?, ?, ?)`);
    this.#deleteWords = database.prepare(
      `INSERT INTO chunk_words (chunk_words, ${columns}) VALUES ('delete', ?, ?, ?, ?, ?, ?)`,
    );
  }

  put(note: Note, file: NoteFile): void {
    this.remove(note.path);
    const terms = this.#noteTerms(note);
    const { title, aliases } = note;
    const { lastInsertRowid } = this.#insertNote.run({
      ...noteColumns(note, terms),
      hash: file.hash,
      size: file.size,
      mtimeMs: file.mtimeMs,
    });
    const id = Number(lastInsertRowid);
    for (const tag of note.tags) this.#insertTag.run(id, comparable(tag));
    chunksOf(note).forEach((chunk, ordinal) => this.#putChunk({ id, title, terms }, chunk, ordinal));
    this.#parts.catalogue.add({ id, path: note.path, title, aliases });
  }

  remove(path: string): boolean {
    const row = this.#noteAt.get(path);
    if (row === undefined) return false;
    const noteId = numberColumn(row, 'id');
    for (const chunk of this.#chunksOfNote.all(noteId)) {
      const id = numberColumn(chunk, 'id');
      this.#unindexWords(id, storedChunkTerms(chunk), storedNoteTerms(row));
      this.#parts.vectors.forget(id);
    }
    this.#deleteNote.run(noteId);
    this.#parts.catalogue.remove(noteId);
    return true;
  }

  rename(from: string, note: Note): boolean {
    const row = this.#noteAt.get(from);
    if (row === undefined) return false;
    if (from !== note.path) this.remove(note.path);
    const id = numberColumn(row, 'id');
    const before = storedNoteTerms(row);
    const terms = this.#noteTerms(note);
    const { title, aliases } = note;
    this.#updateNote.run({ ...noteColumns(note, terms), id });
    for (const chunk of this.#chunksOfNote.all(id)) this.#moveChunk(chunk, title, [before, terms]);
    this.#parts.catalogue.remove(id);
    this.#parts.catalogue.add({ id, path: note.path, title, aliases });
    return true;
  }

  #putChunk(
    note: { readonly id: number; readonly title: string; readonly terms: NoteTerms },
    chunk: Chunk,
    ordinal: number,
  ): void {
    const terms = { text: this.#join(chunk.text), headings: this.#join(...chunk.headingPath) };
    const key = embeddingKey(note.title, chunk);
    const { lastInsertRowid } = this.#insertChunk.run({
      noteId: note.id,
      ordinal,
      headingPath: JSON.stringify(chunk.headingPath),
      startLine: chunk.startLine,
      endLine: chunk.endLine,
      terms: terms.text,
      headingTerms: terms.headings,
      text: chunk.text,
      key,
    });
    const id = Number(lastInsertRowid);
    this.#indexWords(id, terms, note.terms);
    this.#parts.vectors.reuse({ id, noteId: note.id, key });
  }

  /** A chunk that has its vector keeps it under its old title: a rename embeds nothing again. */
  #moveChunk(chunk: Row, title: string, [before, after]: readonly [NoteTerms, NoteTerms]): void {
    const id = numberColumn(chunk, 'id');
    this.#unindexWords(id, storedChunkTerms(chunk), before);
    this.#indexWords(id, storedChunkTerms(chunk), after);
    if (chunk['embedding_id'] !== null) return;
    const headingPath = textListColumn(chunk, 'heading_path');
    this.#rekey.run(embeddingKey(title, { headingPath, text: textColumn(chunk, 'text') }), id);
  }

  #indexWords(id: number, chunk: ChunkTerms, note: NoteTerms): void {
    this.#insertWords.run(id, chunk.text, chunk.headings, note.title, note.aliases, note.description);
    this.#parts.counts.change(termSet(chunk, note), 1);
  }

  #unindexWords(id: number, chunk: ChunkTerms, note: NoteTerms): void {
    this.#deleteWords.run(id, chunk.text, chunk.headings, note.title, note.aliases, note.description);
    this.#parts.counts.change(termSet(chunk, note), -1);
  }

  #noteTerms(note: Note): NoteTerms {
    const names = namesOf({ path: note.path, title: note.title, aliases: [] });
    return {
      title: this.#join(...names),
      aliases: this.#join(...note.aliases),
      description: this.#join(note.description),
    };
  }

  #join(...texts: readonly string[]): string {
    return texts.flatMap((text) => this.#parts.tokenizer.documentTerms(text)).join(' ');
  }
}

function noteColumns(note: Note, terms: NoteTerms): Record<string, string> {
  return {
    path: note.path,
    title: note.title,
    aliases: JSON.stringify(note.aliases),
    titleTerms: terms.title,
    aliasTerms: terms.aliases,
    descriptionTerms: terms.description,
  };
}

function storedNoteTerms(row: Row): NoteTerms {
  return {
    title: textColumn(row, 'title_terms'),
    aliases: textColumn(row, 'alias_terms'),
    description: textColumn(row, 'description_terms'),
  };
}

function storedChunkTerms(row: Row): ChunkTerms {
  return { text: textColumn(row, 'terms'), headings: textColumn(row, 'heading_terms') };
}

function termSet(chunk: ChunkTerms, note: NoteTerms): Set<string> {
  const terms = new Set<string>();
  for (const text of [chunk.text, chunk.headings, note.title, note.aliases, note.description]) {
    if (text === '') continue;
    for (const term of text.split(' ')) terms.add(term);
  }
  return terms;
}
