import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../shared/errors.ts';

/** What a watch of a folder tree tells. */
export type FolderEvents = {
  /** A path in the tree that may have changed, `/` between folders; `undefined`: anything. */
  readonly onPath: (path: string | undefined) => void;
  /** The tree cannot be watched (further). */
  readonly onError: (error: unknown) => void;
};

/** A running watch. */
export type FolderWatch = { close(): void };

/** The system's own recursive watch (macOS, Windows). */
function watchNatively(root: string, events: FolderEvents): FolderWatch {
  const watcher = watch(root, { recursive: true, persistent: false });
  watcher.on('change', (_event, name) =>
    events.onPath(name === null ? undefined : String(name).replaceAll('\\', '/')),
  );
  watcher.on('error', events.onError);
  return watcher;
}

/**
 * Watches every folder of a tree, one by one. Node's recursive watch on Linux watches every file as
 * well, which takes ten times the system's watches and misses an edit that follows a rename within
 * milliseconds. Hidden folders are left out, but for Obsidian's settings.
 */
class FolderTree implements FolderWatch {
  readonly #root: string;
  readonly #events: FolderEvents;
  readonly #watchers: Map<string, FSWatcher> = new Map();
  #closed = false;

  constructor(root: string, events: FolderEvents) {
    this.#root = root;
    this.#events = events;
  }

  /** Watches a folder, then looks for folders in it: one made in between is then found by either. */
  async add(folder: string): Promise<void> {
    const pending = [folder];
    for (let path = pending.pop(); path !== undefined && !this.#closed; path = pending.pop()) {
      try {
        this.#watch(path);
        const parent = path;
        const entries = await readdir(join(this.#root, path), { withFileTypes: true });
        const folders = entries.filter((entry) => entry.isDirectory() && isFollowed(entry.name, parent));
        pending.push(...folders.map((entry) => joined(parent, entry.name)));
      } catch (error) {
        // A folder that went away or must not be read takes no part; the walk reports the latter.
        if (path === '' || !['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(systemCodeOf(error) ?? ''))
          throw error;
      }
    }
  }

  #watch(folder: string): void {
    this.#watchers.get(folder)?.close();
    const watcher = watch(join(this.#root, folder), { persistent: false });
    watcher.on('change', (event, name) => this.#onChange(folder, event, name));
    // A folder that is deleted may end its watch with an error; its parent reports the deletion.
    watcher.on('error', () => this.#drop(folder));
    this.#watchers.set(folder, watcher);
  }

  #onChange(folder: string, event: string, name: string | Buffer | null): void {
    if (name === null) return this.#events.onPath(undefined);
    const path = joined(folder, String(name));
    this.#events.onPath(path);
    if (event === 'rename' && isFollowed(String(name), folder)) {
      this.#look(path).catch((error: unknown) => this.#events.onError(error));
    }
  }

  /** After a rename: a folder may have come, gone, or taken the place of another. */
  async #look(path: string): Promise<void> {
    const stats = await lstat(join(this.#root, path)).catch((error: unknown) => {
      if (systemCodeOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (this.#closed) return;
    this.#drop(path);
    if (stats?.isDirectory() !== true) return;
    await this.add(path);
    // What was made in the folder before it was watched is in no event.
    if (!this.#closed) this.#events.onPath(path);
  }

  #drop(folder: string): void {
    for (const [path, watcher] of this.#watchers) {
      if (path !== folder && !path.startsWith(`${folder}/`)) continue;
      watcher.close();
      this.#watchers.delete(path);
    }
  }

  close(): void {
    this.#closed = true;
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }
}

function isFollowed(name: string, parent: string): boolean {
  return !name.startsWith('.') || (parent === '' && name === '.obsidian');
}

function joined(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

/**
 * Watches a folder and everything below it. Resolves when changes are being noticed.
 * @throws the system's error when the folder cannot be watched.
 */
export async function watchFolders(root: string, events: FolderEvents): Promise<FolderWatch> {
  if (process.platform === 'darwin' || process.platform === 'win32') return watchNatively(root, events);
  const tree = new FolderTree(root, events);
  try {
    await tree.add('');
  } catch (error) {
    tree.close();
    throw error;
  }
  return tree;
}
