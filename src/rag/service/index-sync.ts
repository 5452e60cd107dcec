import type { NoteFile, VaultIndex } from '../index/types.ts';
import { parseNote } from '../../vault/parse-note.ts';
import type { VaultFile, VaultListing } from '../../vault/walk.ts';
import { GoneNotes } from './gone-notes.ts';
import { readNote, statNote, type ReadNote } from './note-file.ts';
import { startSlice, yieldToMessages } from './time-slice.ts';
import type { VaultFacts } from './vault-facts.ts';

/** What looking at one note came to. */
export type NoteCheck = 'same' | 'updated' | 'outdated' | 'gone' | 'unreadable';

/** What a sync works on. */
export type IndexSyncOptions = {
  readonly index: VaultIndex;
  readonly facts: VaultFacts;
  /** Called after each slice of work. */
  readonly onProgress: () => void;
  /** Another process writes the index: what differs is reported, never written. */
  readonly readOnly: boolean;
};

type Written = { readonly path: string; readonly file: NoteFile; readonly from?: string };

/** A reader asks the index for its state no more often than this. */
const REREAD_MS = 1000;

/** Keeps one index equal to the files of its vault, by content hash. Every method runs in the worker. */
export class IndexSync {
  readonly #index: VaultIndex;
  readonly #facts: VaultFacts;
  readonly #onProgress: () => void;
  readonly #readOnly: boolean;
  #states: Map<string, NoteFile>;
  /** Where each note lies on disk, where its name there differs from its path. */
  readonly #fileNames = new Map<string, string>();
  readonly #unreadable = new Map<string, string>();
  #pending = 0;
  #statesReadAt = 0;

  constructor({ index, facts, onProgress, readOnly }: IndexSyncOptions) {
    this.#readOnly = readOnly;
    this.#index = index;
    this.#facts = facts;
    this.#onProgress = onProgress;
    this.#states = index.noteStates();
  }

  /** Notes still to be read in the running pass. */
  get pending(): number {
    return this.#pending;
  }

  /** Notes that could not be read, with the reason. */
  get unreadable(): ReadonlyMap<string, string> {
    return this.#unreadable;
  }

  get size(): number {
    return this.#states.size;
  }

  has(path: string): boolean {
    return this.#states.has(path);
  }

  fileName(path: string): string | undefined {
    return this.#fileNames.get(path);
  }

  /** Takes over where the notes lie. */
  setFiles(listing: VaultListing): void {
    this.#fileNames.clear();
    for (const { path, fileName } of listing.notes) this.#fileNames.set(path, fileName);
  }

  /**
   * Makes the index equal to a listing: unchanged size and time cost nothing; an equal hash under a new
   * path is a rename and keeps its vectors. Yields between slices, so that searches are answered; each
   * slice is one transaction, so that a kill loses at most that.
   */
  async reconcile(listing: VaultListing, signal: AbortSignal): Promise<void> {
    const present = new Set(listing.notes.map(({ path }) => path));
    this.setFiles(listing);
    for (const path of this.#unreadable.keys()) if (!present.has(path)) this.#unreadable.delete(path);
    const gone = new GoneNotes();
    for (const [path, { hash }] of this.#states) if (!present.has(path)) gone.add(path, hash);
    const changed = listing.notes.filter((file) => this.#looksChanged(file));
    try {
      await this.#update(changed, gone, signal);
    } finally {
      this.#pending = 0;
    }
    if (signal.aborted) return;
    await this.#remove(gone.paths(), signal);
  }

  /** Reads the notes that no pass had to read, for their links and warnings. */
  async gatherFacts(signal: AbortSignal): Promise<void> {
    const unknown = [...this.#fileNames].filter(([path]) => !this.#facts.knows(path));
    while (!signal.aborted) {
      const goOn = startSlice();
      while (unknown.length > 0 && goOn()) {
        const [path, fileName] = unknown.pop() ?? ['', ''];
        const read = readNote(fileName);
        if (read.state === 'found') this.#facts.setNote(parseNote(path, read.found.text), read.found.problem);
      }
      if (unknown.length === 0 && this.#facts.settle(goOn)) return;
      await yieldToMessages();
    }
  }

  /** Compares one indexed note with its file now and re-indexes it when it differs. */
  check(path: string, fileName: string): NoteCheck {
    const known = this.#states.get(path);
    const stat = statNote(fileName);
    if (stat.state !== 'found') return stat.state;
    if (known !== undefined && isSame(known, stat.found)) return 'same';
    const read = readNote(fileName);
    if (read.state !== 'found') return read.state;
    if (known?.hash === read.found.file.hash) {
      this.#states.set(path, read.found.file);
      return 'same';
    }
    if (this.#readOnly) return this.#checkWriter(path, read.found.file);
    this.#put(path, read.found);
    this.#states.set(path, read.found.file);
    return 'updated';
  }

  /** Another process may have indexed the note since. */
  #checkWriter(path: string, file: NoteFile): NoteCheck {
    if (performance.now() - this.#statesReadAt > REREAD_MS) {
      this.#states = this.#index.noteStates();
      this.#statesReadAt = performance.now();
    }
    return this.#states.get(path)?.hash === file.hash ? 'same' : 'outdated';
  }

  #looksChanged(file: VaultFile): boolean {
    const known = this.#states.get(file.path);
    return known === undefined || !isSame(known, file);
  }

  async #update(changed: readonly VaultFile[], gone: GoneNotes, signal: AbortSignal): Promise<void> {
    this.#pending = changed.length;
    let next = 0;
    while (next < changed.length && !signal.aborted) {
      const goOn = startSlice();
      const written: Written[] = [];
      this.#index.batch(() => {
        do {
          const file = changed[next];
          next += 1;
          if (file !== undefined) written.push(...this.#apply(file, gone));
        } while (next < changed.length && goOn());
      });
      for (const { path, file, from } of written) {
        this.#states.set(path, file);
        if (from !== undefined) this.#states.delete(from);
      }
      this.#pending = changed.length - next;
      this.#onProgress();
      await yieldToMessages();
    }
  }

  /** Writes one note; what is returned becomes true when the transaction ends. */
  #apply({ path, fileName }: VaultFile, gone: GoneNotes): Written[] {
    const read = readNote(fileName);
    if (read.state === 'gone') return [];
    if (read.state === 'unreadable') {
      this.#unreadable.set(path, read.reason);
      return [];
    }
    this.#unreadable.delete(path);
    const { file } = read.found;
    const known = this.#states.get(path);
    if (known?.hash === file.hash) return [{ path, file }];
    const from = known === undefined ? gone.takeLike(path, file.hash) : undefined;
    if (from === undefined) {
      this.#put(path, read.found);
      return [{ path, file }];
    }
    const note = parseNote(path, read.found.text);
    this.#index.renameNote(from, path, note);
    this.#facts.removeNote(from);
    this.#facts.setNote(note, read.found.problem);
    return [{ path, file, from }];
  }

  #put(path: string, { text, file, problem }: ReadNote): void {
    const note = parseNote(path, text);
    this.#index.putNote(note, file);
    this.#facts.setNote(note, problem);
  }

  async #remove(paths: readonly string[], signal: AbortSignal): Promise<void> {
    let next = 0;
    while (next < paths.length && !signal.aborted) {
      const goOn = startSlice();
      const removed: string[] = [];
      this.#index.batch(() => {
        do {
          const path = paths[next];
          next += 1;
          if (path === undefined) continue;
          this.#index.removeNote(path);
          removed.push(path);
        } while (next < paths.length && goOn());
      });
      for (const path of removed) {
        this.#states.delete(path);
        this.#facts.removeNote(path);
      }
      this.#onProgress();
      await yieldToMessages();
    }
  }
}

function isSame(known: NoteFile, file: { readonly size: number; readonly mtimeMs: number }): boolean {
  return known.size === file.size && known.mtimeMs === file.mtimeMs;
}
