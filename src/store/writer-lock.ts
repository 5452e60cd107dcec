import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf, ObeliskError, systemCodeOf } from '../shared/errors.ts';
import { makeFolder } from './make-folder.ts';

/** The right to write one file, or who has it. */
export type WriterLock =
  | { readonly held: true; release(): void }
  | {
      readonly held: false;
      /** Process id of the holder, where it could be read. */ readonly holder: string;
    };

/** SQLite's primary result codes for a file locked by another connection. */
const LOCKED = new Set([5, 6]);

/**
 * Takes a writer’s lock, without waiting. It is SQLite's own file lock on an empty
 * database, so that the system lets go of it however the process ends, on every platform; a file with
 * a process id would outlive a kill, and the id may belong to another program by then. Such a file is
 * written too, but only to name the holder.
 * @throws ObeliskError `store_failed` when the lock file cannot be made.
 */
export function acquireWriterLock(file: string): WriterLock {
  const pidFile = `${file}.pid`;
  let database: DatabaseSync | undefined;
  try {
    makeFolder(dirname(file));
    database = new DatabaseSync(file, { timeout: 0 });
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    writeFileSync(pidFile, String(process.pid));
  } catch (error) {
    if (database?.isOpen === true) database.close();
    if (isLocked(error)) return { held: false, holder: readHolder(pidFile) };
    throw new ObeliskError(
      'store_failed',
      `the lock ${file} cannot be taken (${messageOf(error)}); check space and permissions of its folder`,
      { cause: error },
    );
  }
  const held = database;
  return {
    held: true,
    release: () => {
      if (!held.isOpen) return;
      rmSync(pidFile, { force: true });
      held.close();
    },
  };
}

function isLocked(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return typeof code === 'number' && LOCKED.has(code & 0xff);
}

function readHolder(pidFile: string): string {
  try {
    return `process ${readFileSync(pidFile, 'utf8').trim()}`;
  } catch (error) {
    return `another process (${systemCodeOf(error) ?? messageOf(error)})`;
  }
}
