import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { VaultEntry } from '../../config/settings.ts';
import { isUnusableContent } from '../../store/database.ts';
import { INDEX_MIGRATIONS } from '../index/schema.ts';

/**
 * Where a vault's index lies: readable for people, and another file when the same name is given to
 * another folder.
 */
export function indexFileOf(dataDir: string, vault: VaultEntry): string {
  const readable = vault.name.replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, '-').slice(0, 40);
  const identity = createHash('sha256').update(`${vault.name}\0${vault.path}`).digest('hex').slice(0, 12);
  return path.join(dataDir, 'vaults', `${readable}-${identity}.sqlite`);
}

/** Deletes an index with what SQLite keeps beside it. */
export function deleteIndexFile(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
}

/**
 * Whether a process that may not write can open an index: opening one of another version, or a damaged
 * one, would replace the file under the process that writes it.
 */
export function isReadableIndex(file: string): boolean {
  if (!existsSync(file)) return false;
  const database = new DatabaseSync(file, { readOnly: true, timeout: 1000 });
  try {
    return database.prepare('PRAGMA user_version').get()?.['user_version'] === INDEX_MIGRATIONS.length;
  } catch (error) {
    if (isUnusableContent(error)) return false;
    throw error;
  } finally {
    database.close();
  }
}
