import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { VaultEntry } from './config/settings.ts';
import { ObeliskError, systemCodeOf } from './shared/errors.ts';
import { nearest } from './shared/nearest.ts';

/**
 * Checks that every vault is a folder that can be read, before anything is opened.
 * @throws ObeliskError `vault_unreadable` naming the first that is not, and folders of a similar name.
 */
export async function requireVaults(vaults: readonly VaultEntry[]): Promise<void> {
  for (const vault of vaults) {
    const problem = await vaultProblem(vault.path);
    if (problem === undefined) continue;
    throw new ObeliskError('vault_unreadable', `the vault "${vault.name}" at ${vault.path} ${problem}`);
  }
}

/** Says why a folder cannot be a vault; undefined when it can. */
export async function vaultProblem(folder: string): Promise<string | undefined> {
  try {
    const facts = await stat(folder);
    if (!facts.isDirectory()) return 'is not a folder; name the folder that holds the notes';
    await access(folder, constants.R_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const code = systemCodeOf(error) ?? 'unknown';
    if (code === 'EACCES' || code === 'EPERM') return 'may not be read (permission denied)';
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return `cannot be read (${code})`;
    const [similar] = nearest(path.basename(folder), await siblingsOf(folder), 1);
    const hint =
      similar === undefined ? 'check the path' : `did you mean ${path.join(path.dirname(folder), similar)}?`;
    return `does not exist; ${hint}`;
  }
}

async function siblingsOf(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(path.dirname(folder), { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    // The parent is missing or closed too: then there is nothing similar to name.
    if (systemCodeOf(error) !== undefined) return [];
    throw error;
  }
}
