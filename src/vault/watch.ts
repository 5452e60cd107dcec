import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../shared/errors.ts';
import { watchFolders } from './folder-watch.ts';
import type { FolderWatch } from './folder-watch.ts';

/** What may have changed: these paths (`/` between folders, NFC), or anything. A path may be a folder. */
export type VaultChange = { readonly paths: readonly string[] | 'everything' };

/** How a vault is followed. `reason` says why it is not by the system's notifications. */
export type WatchMode = { readonly kind: 'events' } | { readonly kind: 'polling'; readonly reason: string };

/** What to watch for, and how eagerly. */
export type WatchOptions = {
  /** Called once per burst of changes, never twice at once. */
  readonly onChange: (change: VaultChange) => void;
  readonly signal: AbortSignal;
  /** Called with the mode at the start, and again when it changes. */
  readonly onMode?: (mode: WatchMode) => void;
  /** Quiet time that ends a burst, milliseconds; 300 unless told. */
  readonly debounceMs?: number;
  /** Longest time that a burst is held back, milliseconds; 2,000 unless told. */
  readonly maxDelayMs?: number;
  /** Time between two looks when polling, milliseconds; 5,000 unless told. */
  readonly pollMs?: number;
  /** `true` polls from the start: for network folders, whose changes the system does not announce. */
  readonly polling?: boolean;
};

/** Paths of one burst above which it is `everything`: a scan is then cheaper than so many looks. */
const MOST_PATHS = 500;

/** Most files that polling compares; beyond, each look says `everything`. */
const MOST_POLLED = 200_000;

/** Editors' and file systems' own files, and hidden ones: their churn changes no note. */
function isHidden(path: string): boolean {
  return path.split('/').some((part) => part.startsWith('.') || part.endsWith('~'));
}

/** Collects paths until they have been quiet for a while. */
class Debouncer {
  readonly #options: WatchOptions;
  readonly #paths: Set<string> = new Set();
  #everything = false;
  #timer: NodeJS.Timeout | undefined;
  #firstAt: number | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  add(path: string | undefined): void {
    if (this.#options.signal.aborted) return;
    if (path === undefined || this.#paths.size >= MOST_PATHS) this.#everything = true;
    else this.#paths.add(path);
    this.#firstAt ??= performance.now();
    const { debounceMs = 300, maxDelayMs = 2_000 } = this.#options;
    const left = this.#firstAt + maxDelayMs - performance.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#flush(), Math.max(0, Math.min(debounceMs, left)));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #flush(): void {
    const paths = this.#everything ? 'everything' : [...this.#paths];
    this.#paths.clear();
    this.#everything = false;
    this.#firstAt = undefined;
    this.#options.onChange({ paths });
  }
}

/** One look at a folder: size and time of every file, by path. */
async function look(root: string, signal: AbortSignal): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined && !signal.aborted; folder = folders.pop()) {
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
    for (const entry of entries.filter(({ name }) => !name.startsWith('.'))) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile() && files.size < MOST_POLLED)
        files.set(path.normalize('NFC'), await stateOf(join(root, path)));
    }
  }
  return files;
}

/** What the system cannot look at is as good as gone here: it is waited for, and the walk that follows says why. */
async function statIfThere(file: string): Promise<Stats | undefined> {
  try {
    return await stat(file);
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    return undefined;
  }
}

async function stateOf(file: string): Promise<string> {
  const stats = await statIfThere(file);
  return stats === undefined ? 'gone' : `${stats.size}:${stats.mtimeMs}:${stats.ino}`;
}

function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const changed = [...after].filter(([path, state]) => before.get(path) !== state).map(([path]) => path);
  return [...changed, ...[...before.keys()].filter((path) => !after.has(path))];
}

class VaultWatch {
  readonly #root: string;
  readonly #options: WatchOptions;
  readonly #debouncer: Debouncer;
  #watcher: FolderWatch | undefined;
  #timer: NodeJS.Timeout | undefined;
  #polling = false;
  /** What the folder is: a folder that was deleted and made again is another. */
  #identity: string | undefined;

  constructor(root: string, options: WatchOptions) {
    this.#root = root;
    this.#options = options;
    this.#debouncer = new Debouncer(options);
  }

  async start(): Promise<void> {
    const { signal, polling } = this.#options;
    signal.addEventListener('abort', () => this.#stop(), { once: true });
    if (signal.aborted) return;
    this.#identity = await this.#identify();
    if (polling === true) await this.#poll('asked for in the configuration');
    else await this.#listen();
  }

  async #listen(): Promise<void> {
    let watcher: FolderWatch;
    try {
      watcher = await watchFolders(this.#root, {
        onPath: (path) => this.#onPath(path),
        onError: (error) => {
          this.#debouncer.add(undefined);
          void this.#poll(reasonOf(error));
        },
      });
    } catch (error) {
      return this.#poll(reasonOf(error));
    }
    if (this.#options.signal.aborted || this.#polling) return watcher.close();
    this.#watcher = watcher;
    this.#options.onMode?.({ kind: 'events' });
    this.#schedule(() => this.#checkRoot());
  }

  #onPath(path: string | undefined): void {
    const name = path?.normalize('NFC');
    if (name === undefined || name === '' || name === '.' || name === '.obsidian/app.json')
      this.#debouncer.add(undefined);
    else if (!isHidden(name)) this.#debouncer.add(name);
  }

  /** The system says nothing when the watched folder itself is moved, deleted or made again. */
  async #checkRoot(): Promise<void> {
    const identity = await this.#identify();
    if (this.#polling) return;
    if (identity !== this.#identity) {
      this.#identity = identity;
      this.#debouncer.add(undefined);
      this.#watcher?.close();
      this.#watcher = undefined;
      if (identity === undefined) return this.#waitForRoot();
      return this.#listen();
    }
    this.#schedule(() => this.#checkRoot());
  }

  async #waitForRoot(): Promise<void> {
    const identity = await this.#identify();
    if (identity === undefined) return this.#schedule(() => this.#waitForRoot());
    this.#identity = identity;
    this.#debouncer.add(undefined);
    return this.#listen();
  }

  async #poll(reason: string): Promise<void> {
    this.#watcher?.close();
    if (this.#polling || this.#options.signal.aborted) return;
    this.#polling = true;
    this.#options.onMode?.({ kind: 'polling', reason });
    let before = await look(this.#root, this.#options.signal);
    const again = async (): Promise<void> => {
      const after = await look(this.#root, this.#options.signal);
      if (after.size >= MOST_POLLED) this.#debouncer.add(undefined);
      else for (const path of differences(before, after)) this.#debouncer.add(path);
      before = after;
      this.#schedule(again);
    };
    this.#schedule(again);
  }

  #schedule(task: () => Promise<void>): void {
    if (this.#options.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      task().catch((error: unknown) => {
        void this.#poll(reasonOf(error));
      });
    }, this.#options.pollMs ?? 5_000);
    this.#timer.unref();
  }

  async #identify(): Promise<string | undefined> {
    const stats = await statIfThere(this.#root);
    return stats?.isDirectory() === true ? `${stats.dev}:${stats.ino}:${stats.birthtimeMs}` : undefined;
  }

  #stop(): void {
    this.#watcher?.close();
    this.#debouncer.stop();
    clearTimeout(this.#timer);
  }
}

function reasonOf(error: unknown): string {
  const code = systemCodeOf(error);
  if (code === 'ENOSPC') {
    return 'the system allows no more watched folders (raise fs.inotify.max_user_watches)';
  }
  if (code === 'ENOENT') return 'the folder is not there';
  return error instanceof Error ? error.message : String(error);
}

/**
 * Follows a vault until `signal` aborts. It says only that something changed and where; what it is
 * now, the caller finds by looking. Editors' atomic saves and renames of folders are bursts of such
 * changes. Falls back to polling where the system cannot watch, and `onMode` says why. Resolves when
 * changes are being noticed.
 */
export async function watchVault(root: string, options: WatchOptions): Promise<void> {
  await new VaultWatch(root, options).start();
}
