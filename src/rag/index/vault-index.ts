import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../../store/database.ts';
import { numberColumn, textColumn } from '../../store/row.ts';
import { PendingVectors } from './pending-vectors.ts';
import { NoteWriter } from './note-writer.ts';
import { INDEX_MIGRATIONS } from './schema.ts';
import { NoteSearch } from './search.ts';
import { IndexSession } from './session.ts';
import type { NoteFile, VaultIndex } from './types.ts';

/** What an index is opened with. */
export type VaultIndexOptions = {
  /** Path of the vault's own SQLite file, or `:memory:`. */
  readonly file: string;
};

function noteStates(session: IndexSession): Map<string, NoteFile> {
  const states = new Map<string, NoteFile>();
  for (const row of session.database.prepare('SELECT path, hash, size, mtime_ms FROM note').iterate()) {
    states.set(textColumn(row, 'path'), {
      hash: textColumn(row, 'hash'),
      size: numberColumn(row, 'size'),
      mtimeMs: numberColumn(row, 'mtime_ms'),
    });
  }
  return states;
}

/** Reading the file into memory is also what finds out that it is damaged. */
function openSession(file: string): { session: IndexSession; rebuiltBecause: string | undefined } {
  let session: IndexSession | undefined;
  const check = (database: DatabaseSync): void => {
    session = new IndexSession(database, file);
    session.load();
  };
  const opened = openDatabase({ file, migrations: INDEX_MIGRATIONS, derived: true, check });
  return {
    session: session ?? new IndexSession(opened.database, file),
    rebuiltBecause: opened.rebuiltBecause,
  };
}

/**
 * Opens the index of one vault, making the file where there is none. Ranking statistics belong to the
 * file, so every vault has its own.
 * @throws ObeliskError `store_failed` when the file cannot be used.
 */
export function openVaultIndex(options: VaultIndexOptions): VaultIndex {
  const { session, rebuiltBecause } = openSession(options.file);
  const writer = new NoteWriter(session);
  const search = new NoteSearch(session);
  const embeddings = new PendingVectors(session);
  return {
    ...(rebuiltBecause === undefined ? {} : { rebuiltBecause }),
    putNote: (note, state) => session.write(() => writer.put(note, state)),
    removeNote: (path) => session.write(() => writer.remove(path)),
    renameNote: (from, to, note) => session.write(() => writer.rename(from, { ...note, path: to })),
    batch: (work) => session.write(work),
    noteStates: () => session.read(() => noteStates(session)),
    chunksWithoutVector: (limit) => session.read(() => embeddings.next(limit)),
    putVectors: (digest, vectors) => session.write(() => embeddings.put(digest, vectors)),
    pinEmbeddingModel: (model) => session.write(() => embeddings.pin(model)),
    embeddingModel: () => session.read(() => session.meta.embeddingModel()),
    search: (request) => session.read(() => search.search(request)),
    stats: () =>
      session.read(() => ({
        notes: session.catalogue.size,
        chunks: session.counts.chunks,
        embeddedChunks: session.vectors.size,
        terms: session.counts.size,
      })),
    close: () => session.database.close(),
  };
}
