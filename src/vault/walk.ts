import type { Dirent, Stats } from 'node:fs';
import { readFile, readdir, realpath, stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { messageOf, ObeliskError, systemCodeOf } from '../shared/errors.ts';
import { compileIgnoreFilters } from './ignore-filters.ts';
import type { IgnoreFilters } from './ignore-filters.ts';

/** A file of a vault. */
export type VaultFile = {
  /** Path in the vault: `/` between folders, NFC. */
  readonly path: string;
  /** Where it lies on disk, with the name as the file system has it. */
  readonly fileName: string;
  /** Bytes. */
  readonly size: number;
  readonly mtimeMs: number;
};

/** Something in a vault that was not read, and why. */
export type SkippedFile = { readonly path: string; readonly reason: string };

/** What a vault holds, each list ordered by path. */
export type VaultListing = {
  /** Real path of the vault's folder. */
  readonly root: string;
  readonly notes: readonly VaultFile[];
  /** Files other than notes: what links and embeds may lead to. */
  readonly attachments: readonly VaultFile[];
  readonly skipped: readonly SkippedFile[];
};

/** Largest note that is read, in bytes. */
export const MAX_NOTE_BYTES: number = 8 * 1024 * 1024;

/** Deepest folder that is entered; file systems allow about as much. */
const DEEPEST_FOLDER = 100;

type Folder = { readonly directory: string; readonly path: string; readonly depth: number };

class VaultWalk {
  readonly #root: string;
  readonly #filters: IgnoreFilters;
  readonly #notes: VaultFile[] = [];
  readonly #attachments: VaultFile[] = [];
  readonly #skipped: SkippedFile[] = [];
  /** Real paths of the folders and linked files seen, so that links cannot lead in circles. */
  readonly #seen: Set<string> = new Set();
  readonly #paths: Set<string> = new Set();
  readonly #links: Folder[] = [];

  constructor(root: string, filters: IgnoreFilters) {
    this.#root = root;
    this.#filters = filters;
    for (const { filter, reason } of filters.rejected)
      this.#skip(`.obsidian/app.json`, `excluded files ${filter}: ${reason}`);
  }

  async run(): Promise<VaultListing> {
    const folders: Folder[] = [{ directory: this.#root, path: '', depth: 0 }];
    this.#seen.add(this.#root);
    // Links come last: a folder that is both linked and really there is listed where it really is.
    for (let folder = folders.pop(); folder; folder = folders.pop() ?? (await this.#nextLinkedFolder())) {
      folders.push(...(await this.#readFolder(folder)));
    }
    const byPath = (left: { path: string }, right: { path: string }): number =>
      left.path < right.path ? -1 : left.path > right.path ? 1 : 0;
    return {
      root: this.#root,
      notes: this.#notes.sort(byPath),
      attachments: this.#attachments.sort(byPath),
      skipped: this.#skipped.sort(byPath),
    };
  }

  async #readFolder(folder: Folder): Promise<Folder[]> {
    if (folder.depth > DEEPEST_FOLDER) {
      this.#skip(folder.path, `folders are nested deeper than ${DEEPEST_FOLDER}`);
      return [];
    }
    let entries: Dirent[];
    try {
      entries = await readdir(folder.directory, { withFileTypes: true });
    } catch (error) {
      if (folder.depth === 0) throw unreadable(this.#root, error);
      this.#skip(folder.path, `the folder cannot be read (${systemCodeOf(error) ?? messageOf(error)})`);
      return [];
    }
    const below: Folder[] = [];
    // By name as on disk, so that of two names that are one in NFC always the same is kept.
    for (const entry of entries.sort((left, right) => (left.name < right.name ? -1 : 1))) {
      const child = await this.#readEntry(folder, entry);
      if (child) below.push(child);
    }
    return below;
  }

  async #readEntry(folder: Folder, entry: Dirent): Promise<Folder | undefined> {
    if (entry.name.startsWith('.')) return undefined;
    const name = entry.name.normalize('NFC');
    const path = folder.path === '' ? name : `${folder.path}/${name}`;
    if (this.#filters.ignores(path)) return undefined;
    const at = { directory: join(folder.directory, entry.name), path, depth: folder.depth + 1 };
    if (entry.isSymbolicLink()) {
      this.#links.push(at);
      return undefined;
    }
    if (entry.isDirectory()) {
      // Where the system has aliases that are no links (bind mounts), the real path tells.
      this.#seen.add(at.directory);
      return at;
    }
    if (entry.isFile()) await this.#addFile(path, at.directory);
    else this.#skip(path, 'not a regular file');
    return undefined;
  }

  /** Follows links until one leads to a folder inside the vault that was not listed yet. */
  async #nextLinkedFolder(): Promise<Folder | undefined> {
    for (let link = this.#links.shift(); link; link = this.#links.shift()) {
      try {
        const folder = await this.#follow(link);
        if (folder) return folder;
      } catch (error) {
        this.#skip(link.path, `the link leads nowhere (${systemCodeOf(error) ?? messageOf(error)})`);
      }
    }
    return undefined;
  }

  async #follow(link: Folder): Promise<Folder | undefined> {
    const target = await realpath(link.directory);
    const refusal = this.#refusalOf(target);
    if (refusal !== undefined) {
      this.#skip(link.path, refusal);
      return undefined;
    }
    this.#seen.add(target);
    const stats = await stat(target);
    if (stats.isDirectory()) return { ...link, directory: target };
    if (stats.isFile()) this.#record(link.path, target, stats);
    else this.#skip(link.path, 'not a regular file');
    return undefined;
  }

  #refusalOf(target: string): string | undefined {
    if (!isInside(this.#root, target)) return 'a link that leaves the vault';
    if (this.#seen.has(target)) return 'a link to what the vault already holds';
    return hasHiddenPart(this.#root, target) ? 'a link to a hidden folder' : undefined;
  }

  async #addFile(path: string, fileName: string): Promise<void> {
    this.#seen.add(fileName);
    try {
      this.#record(path, fileName, await stat(fileName));
    } catch (error) {
      this.#skip(path, `the file cannot be read (${systemCodeOf(error) ?? messageOf(error)})`);
    }
  }

  #record(path: string, fileName: string, stats: Stats): void {
    const isNote = path.toLowerCase().endsWith('.md');
    if (isNote && stats.size > MAX_NOTE_BYTES) {
      return this.#skip(path, `larger than ${MAX_NOTE_BYTES / 1024 / 1024} MiB`);
    }
    if (this.#paths.has(path)) return this.#skip(path, 'another file has the same name in Unicode NFC');
    this.#paths.add(path);
    (isNote ? this.#notes : this.#attachments).push({
      path,
      fileName,
      size: stats.size,
      mtimeMs: stats.mtimeMs,
    });
  }

  #skip(path: string, reason: string): void {
    this.#skipped.push({ path, reason });
  }
}

function isInside(root: string, target: string): boolean {
  return target === root || target.startsWith(root.endsWith(sep) ? root : root + sep);
}

function hasHiddenPart(root: string, target: string): boolean {
  return target
    .slice(root.length)
    .split(sep)
    .some((part) => part.startsWith('.'));
}

function unreadable(root: string, error: unknown): ObeliskError {
  const code = systemCodeOf(error);
  const what =
    code === 'ENOENT'
      ? 'does not exist; correct the path, or create the folder'
      : code === 'ENOTDIR'
        ? 'is not a folder; give the folder that holds the notes'
        : `cannot be read (${code ?? messageOf(error)}); check its permissions`;
  return new ObeliskError('vault_unreadable', `vault ${root} ${what}`, { cause: error });
}

/** Obsidian's excluded files; none when the vault has no settings or they cannot be read. */
async function readIgnoreFilters(root: string): Promise<{ filters: string[]; problem?: string }> {
  try {
    const settings: unknown = JSON.parse(await readFile(join(root, '.obsidian', 'app.json'), 'utf8'));
    if (typeof settings !== 'object' || settings === null || !('userIgnoreFilters' in settings))
      return { filters: [] };
    const { userIgnoreFilters } = settings;
    if (!Array.isArray(userIgnoreFilters)) return { filters: [] };
    return { filters: userIgnoreFilters.filter((filter): filter is string => typeof filter === 'string') };
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { filters: [] };
    return { filters: [], problem: `the vault's settings cannot be read (${code ?? messageOf(error)})` };
  }
}

/**
 * Lists a vault's files without reading them. Hidden folders, `.trash` and what Obsidian excludes are
 * left out silently; what cannot or must not be read is in `skipped`. Never leaves the folder, never
 * writes.
 * @throws ObeliskError `vault_unreadable` when the folder does not exist or cannot be read.
 */
export async function walkVault(root: string): Promise<VaultListing> {
  let real: string;
  try {
    real = await realpath(resolve(root));
    if (!(await stat(real)).isDirectory())
      throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' });
  } catch (error) {
    throw unreadable(root, error);
  }
  const { filters, problem } = await readIgnoreFilters(real);
  const listing = await new VaultWalk(real, compileIgnoreFilters(filters)).run();
  if (problem === undefined) return listing;
  return { ...listing, skipped: [{ path: '.obsidian/app.json', reason: problem }, ...listing.skipped] };
}
