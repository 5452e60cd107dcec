import { closeSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ObeliskError, messageOf, systemCodeOf } from '../shared/errors.ts';
import { makeFolder } from './make-folder.ts';
import { numberColumn } from './row.ts';

/** What a database file is opened with. */
export type DatabaseOptions = {
  /** Path of the file, or `:memory:`. Missing folders are made. */
  readonly file: string;
  /** Statements that lead from version n to n + 1, the first from an empty file. Never edited, only added to. */
  readonly migrations: readonly string[];
  /** Whether the content can be made again from elsewhere: then a file that does not fit is replaced. */
  readonly derived: boolean;
  /** Reads what must be readable: where it fails because the file is damaged, the file does not fit. */
  readonly check?: (database: DatabaseSync) => void;
  /** Milliseconds to wait for another connection's lock; 5,000 unless told. */
  readonly busyTimeoutMs?: number;
};

/** An open database and what had to be done to it. */
export type OpenedDatabase = {
  readonly database: DatabaseSync;
  /** Why an existing file was thrown away, in words for the log; absent when none was. */
  readonly rebuiltBecause?: string;
};

/** SQLite's primary result codes for a file whose content is not (or no longer) a database. */
const UNUSABLE_CONTENT = new Set([11, 26]);

function failure(options: DatabaseOptions, error: unknown): ObeliskError {
  return new ObeliskError(
    'store_failed',
    `the store ${options.file} cannot be used (${messageOf(error)}); check space and permissions of its folder`,
    { cause: error },
  );
}

function resultCodeOf(error: unknown): number {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return typeof code === 'number' ? code & 0xff : 0;
}

/** Whether SQLite failed because a file’s content is not, or no longer, a database. */
export function isUnusableContent(error: unknown): boolean {
  return UNUSABLE_CONTENT.has(resultCodeOf(error));
}

function versionOf(database: DatabaseSync): number {
  return numberColumn(database.prepare('PRAGMA user_version').get() ?? {}, 'user_version');
}

/**
 * Does all of it or nothing, and as the only writer; waits for another one as long as the connection does.
 * @throws what `work` throws, and SQLite's own error where another writer is not done in time.
 */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // A full disk has SQLite roll back by itself, and a second one would hide why.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function migrate(database: DatabaseSync, migrations: readonly string[], from: number): void {
  if (from === migrations.length) return;
  inTransaction(database, () => {
    for (const statements of migrations.slice(from)) database.exec(statements);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}

/**
 * What notes and prompts say is for whoever may read these, which other users of the machine may not.
 * SQLite gives its log the mode of the file; one that was there keeps what its owner gave it.
 */
const PRIVATE_MODE = 0o600;

/**
 * Makes the file where there is none. One that is there is not touched: closing it would give up the
 * locks that other connections of this process have on it (https://sqlite.org/howtocorrupt.html, 2.2).
 */
function makePrivate(file: string): void {
  try {
    closeSync(openSync(file, 'wx', PRIVATE_MODE));
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw error;
  }
}

function connect(options: DatabaseOptions): DatabaseSync {
  if (options.file !== ':memory:') makePrivate(options.file);
  const database = new DatabaseSync(options.file, { timeout: options.busyTimeoutMs ?? 5000 });
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Says why a file does not fit, or brings it up to date and returns nothing. */
function unfitReason(database: DatabaseSync, options: DatabaseOptions): string | undefined {
  const version = versionOf(database);
  const newest = options.migrations.length;
  if (version > newest)
    return `it was written by a newer program (version ${version}, this one knows ${newest})`;
  if (options.derived && version > 0 && version < newest) {
    return `it was written by an older program (version ${version}, this one writes ${newest})`;
  }
  migrate(database, options.migrations, version);
  return undefined;
}

type Attempt = { readonly database: DatabaseSync } | { readonly unfit: string };

function attempt(options: DatabaseOptions): Attempt {
  let database: DatabaseSync | undefined;
  try {
    database = connect(options);
    const unfit = unfitReason(database, options);
    if (unfit === undefined) {
      options.check?.(database);
      return { database };
    }
    database.close();
    return { unfit };
  } catch (error) {
    if (database?.isOpen === true) database.close();
    if (isUnusableContent(error)) return { unfit: `it is damaged (${messageOf(error)})` };
    throw failure(options, error);
  }
}

function removeFiles(options: DatabaseOptions): void {
  try {
    for (const suffix of ['', '-wal', '-shm', '-journal'])
      rmSync(`${options.file}${suffix}`, { force: true });
  } catch (error) {
    throw failure(options, error);
  }
}

/**
 * Opens a SQLite file with a write-ahead log and brings it to the newest version. A derived file that is
 * older, newer or damaged is deleted and begun again, and the result says why.
 * @throws ObeliskError `store_failed` when the file cannot be used, or does not fit and is not derived.
 */
export function openDatabase(options: DatabaseOptions): OpenedDatabase {
  try {
    if (options.file !== ':memory:') makeFolder(dirname(options.file));
  } catch (error) {
    throw failure(options, error);
  }
  const first = attempt(options);
  if ('database' in first) return first;
  if (!options.derived) throw failure(options, new Error(first.unfit));
  removeFiles(options);
  const second = attempt(options);
  if ('database' in second) return { database: second.database, rebuiltBecause: first.unfit };
  throw failure(options, new Error(second.unfit));
}
