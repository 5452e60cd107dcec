/**
 * The file of one vault's index. Its content comes from the notes, so a new version replaces the file:
 * one list of statements, and a version that counts up when they or the way of cutting words change.
 *
 * `chunk_words` keeps no text of its own; what a deletion must repeat to it lies in the `*_terms` columns.
 * Words arrive there stemmed, so its own folding is off (it would cost Thai its vowels).
 */
const TABLES = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE note (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  path TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  aliases TEXT NOT NULL,
  hash TEXT NOT NULL,
  size INTEGER NOT NULL,
  mtime_ms REAL NOT NULL,
  title_terms TEXT NOT NULL,
  alias_terms TEXT NOT NULL,
  description_terms TEXT NOT NULL
);

CREATE TABLE tag (
  note_id INTEGER NOT NULL REFERENCES note (id) ON DELETE CASCADE,
  tag TEXT NOT NULL
);
CREATE INDEX tag_by_name ON tag (tag, note_id);
CREATE INDEX tag_by_note ON tag (note_id);

CREATE TABLE chunk (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  note_id INTEGER NOT NULL REFERENCES note (id) ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,
  heading_path TEXT NOT NULL,
  start_line INTEGER NOT NULL,
  end_line INTEGER NOT NULL,
  terms TEXT NOT NULL,
  heading_terms TEXT NOT NULL,
  text TEXT NOT NULL,
  embedding_key BLOB NOT NULL,
  embedding_id INTEGER
);
CREATE INDEX chunk_by_note ON chunk (note_id, ordinal);
CREATE INDEX chunk_without_vector ON chunk (embedding_key) WHERE embedding_id IS NULL;

CREATE TABLE term (term TEXT PRIMARY KEY, chunks INTEGER NOT NULL) WITHOUT ROWID;

CREATE VIRTUAL TABLE chunk_words USING fts5 (
  text, headings, title, aliases, description,
  content = '',
  tokenize = "unicode61 remove_diacritics 0 categories 'L* N* M* Co'"
);

CREATE TABLE embedding (
  id INTEGER PRIMARY KEY,
  model TEXT NOT NULL,
  key BLOB NOT NULL,
  vector BLOB NOT NULL,
  UNIQUE (model, key)
);

CREATE TABLE chunk_bits (
  chunk_id INTEGER PRIMARY KEY REFERENCES chunk (id) ON DELETE CASCADE,
  note_id INTEGER NOT NULL,
  bits BLOB NOT NULL
);
`;

/** Statements from an empty file to the newest index; their number is the version. */
export const INDEX_MIGRATIONS: readonly string[] = [TABLES];
