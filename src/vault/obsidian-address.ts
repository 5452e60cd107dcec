import { existsSync } from 'node:fs';
import path from 'node:path';

/** A folder of notes as Obsidian knows it. */
export type ObsidianVault = {
  /** Obsidian's name for a vault is the name of its folder, whatever it is called elsewhere. */
  readonly name: string;
  /** Where the notes lie in it: empty, or folders that end with `/`. */
  readonly prefix: string;
};

/**
 * Finds the Obsidian vault that a folder belongs to: the folder itself, or the nearest one above it
 * that has Obsidian's settings when it has none of its own.
 */
export function obsidianVaultOf(folder: string): ObsidianVault {
  const start = path.resolve(folder);
  for (let at = start; ; at = path.dirname(at)) {
    if (path.dirname(at) === at) return { name: path.basename(start), prefix: '' };
    if (!existsSync(path.join(at, '.obsidian'))) continue;
    const below = path.relative(at, start).split(path.sep).join('/');
    return { name: path.basename(at), prefix: below === '' ? '' : `${below}/` };
  }
}

/**
 * Address that opens a note in Obsidian; Obsidian wants `file` without `.md`. It has no way to name
 * lines.
 */
export function obsidianUrl({ name, prefix }: ObsidianVault, notePath: string): string {
  const file = (prefix + notePath).replace(/\.md$/i, '');
  return `obsidian://open?vault=${encodeURIComponent(name)}&file=${encodeURIComponent(file)}`;
}
