import { statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, ObeliskError } from '../../shared/errors.ts';
import type { LogFields } from '../../telemetry/log.ts';
import type { Block } from '../../vault/note.ts';
import { parseNote } from '../../vault/parse-note.ts';
import { walkVault, type VaultListing } from '../../vault/walk.ts';
import type { NoteSource, VaultStatus } from '../library.ts';
import type { SearchRequest, SearchResult } from '../types.ts';
import type { EmbeddingQueue } from './embedding-queue.ts';
import { searchFresh, type FreshResult } from './fresh-search.ts';
import { readNote } from './note-file.ts';
import { OpenIndex } from './open-index.ts';
import type { HostStatus, ShelvedVault } from './protocol.ts';
import { VaultFacts } from './vault-facts.ts';

/** What a host needs of the worker around it. */
export type VaultHostOptions = {
  readonly vault: ShelvedVault;
  readonly dataDir: string;
  readonly onChange: () => void;
  readonly log: (level: 'info' | 'warn', message: string, fields?: LogFields) => void;
};

const MOST_WARNINGS = 200;
/** How long a search waits for notes that were moved a moment ago. */
const MOST_WAIT_MS = 1000;

/** One vault in the worker: its files, its index, and the passes that keep the two equal. */
export class VaultHost {
  readonly #vault: ShelvedVault;
  readonly #onChange: () => void;
  readonly #log: VaultHostOptions['log'];
  readonly #index: OpenIndex;
  readonly #facts = new VaultFacts();
  readonly #closing = new AbortController();
  readonly #embeddingWarnings: string[] = [];
  #listing: VaultListing | undefined;
  #rootIdentity = '';
  #state: VaultStatus['state'] = 'starting';
  #error: string | undefined;
  #passed = false;
  readonly #listed = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor({ vault, dataDir, onChange, log }: VaultHostOptions) {
    this.#vault = vault;
    this.#onChange = onChange;
    this.#log = log;
    this.#index = new OpenIndex({ vault, dataDir, facts: this.#facts, onProgress: onChange, log });
  }

  get name(): string {
    return this.#vault.name;
  }

  get failed(): boolean {
    return this.#state === 'failed';
  }

  /** Compares files and index once more; whoever asks while a pass runs gets one that begins after it. */
  pass(): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#pass().finally(() => {
        this.#running = undefined;
      });
      return this.#running;
    }
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.pass();
    });
    return this.#next;
  }

  /** Throws the index away and builds it again. */
  async rebuild(): Promise<void> {
    await this.#running;
    this.#index.discard();
    await this.pass();
  }

  /** Takes up what a watcher saw: edits of known notes at once, everything else by a pass. */
  async noticed(paths: readonly string[]): Promise<void> {
    const sync = this.#index.sync;
    const known = sync !== undefined && this.#index.writable && paths.every((changed) => sync.has(changed));
    const checks = known ? paths.map((changed) => sync.check(changed, this.#fileName(changed))) : [];
    if (known && checks.every((check) => check === 'same' || check === 'updated')) {
      this.#facts.settle(() => true);
      this.#onChange();
      return;
    }
    await this.pass();
  }

  /**
   * Searches. A note that is gone may lie elsewhere by now, so that the vault is compared first, as far
   * as that is quick.
   * @throws ObeliskError `model_unavailable` while the vault's folder is away.
   */
  async search(request: SearchRequest): Promise<SearchResult> {
    const first = this.#search(request);
    if (!first.stale) return first.result;
    const pass = this.pass();
    if (!first.gone) return first.result;
    await Promise.race([pass, sleep(MOST_WAIT_MS, undefined, { ref: false })]);
    return this.#search(request).result;
  }

  #search(request: SearchRequest): FreshResult {
    const { index, sync } = this.#index.current();
    if (this.failed) throw this.#away();
    const check = (found: string): ReturnType<typeof sync.check> => sync.check(found, this.#fileName(found));
    return searchFresh(request, { search: (asked) => index.search(asked), check });
  }

  /** @throws ObeliskError `not_found`, once it is known which notes there are. */
  async note(notePath: string): Promise<Omit<NoteSource, 'obsidianUrl'>> {
    await this.#listed.promise;
    const wanted = notePath.normalize('NFC');
    const found = this.#knows(wanted) ? readNote(this.#fileName(wanted)) : undefined;
    if (found?.state !== 'found') {
      const why = found?.state === 'unreadable' ? found.reason : 'is not in the vault';
      throw new ObeliskError('not_found', `note ${wanted} of vault ${this.name}: ${why}; check the path`);
    }
    const { text } = found.found;
    const resolved: Record<string, string> = {};
    for (const { target } of parseNote(wanted, text).links) {
      const to = this.#facts.resolver.resolve({ target }, wanted).path;
      if (to !== undefined) resolved[target] = to;
    }
    return { vault: this.name, path: wanted, text, resolved };
  }

  /** Blocks of notes as they lie on disk now; a note that cannot be read is left out. */
  blocks(paths: readonly string[]): Record<string, readonly Block[]> {
    const blocks: Record<string, readonly Block[]> = {};
    for (const wanted of paths) {
      const read = this.#knows(wanted) ? readNote(this.#fileName(wanted)) : undefined;
      if (read?.state === 'found') blocks[wanted] = parseNote(wanted, read.found.text).blocks;
    }
    return blocks;
  }

  /** @throws ObeliskError `store_failed` when the index is not open, or another process writes it. */
  embeddings(): EmbeddingQueue {
    return this.#index.embeddings();
  }

  /** Adds to the warnings of the status, each once. */
  warn(messages: readonly string[]): void {
    for (const message of messages) {
      if (!this.#embeddingWarnings.includes(message)) this.#embeddingWarnings.push(message);
    }
    this.#embeddingWarnings.splice(0, this.#embeddingWarnings.length - MOST_WARNINGS);
  }

  status(): HostStatus {
    const figures = this.#index.figures();
    const readOnly = this.#index.holder;
    return {
      key: this.#vault.key,
      name: this.name,
      path: this.#vault.path,
      state: this.#state,
      ...figures,
      ...(figures.embedding === undefined ? {} : { embeddingModel: figures.embedding.name }),
      links: this.#facts.links,
      warnings: this.#warnings(),
      ...(this.#error === undefined ? {} : { error: this.#error }),
      ...(readOnly === undefined ? {} : { readOnly }),
      passed: this.#passed,
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#listed.resolve();
    await this.#running;
    this.#index.close();
  }

  async #pass(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    try {
      const { sync } = this.#index.open();
      if (this.#state === 'starting') this.#become('indexing');
      const before = identityOf(this.#vault.path);
      const listing = await walkVault(this.#vault.path);
      this.#requireSameFolder(listing, sync.size, before);
      if (this.failed) this.#become('indexing');
      this.#listing = listing;
      this.#facts.setFiles(listing);
      this.#listed.resolve();
      if (this.#index.writable) await sync.reconcile(listing, this.#closing.signal);
      else sync.setFiles(listing);
      this.#passed = true;
      this.#become('ready');
      await sync.gatherFacts(this.#closing.signal);
      this.#onChange();
    } catch (error) {
      this.#fail(error);
    }
  }

  #become(state: VaultStatus['state']): void {
    if (state === 'ready') this.#error = undefined;
    this.#state = state;
    this.#onChange();
  }

  #fail(error: unknown): void {
    const message = messageOf(error);
    if (this.#error !== message)
      this.#log('warn', 'a vault cannot be indexed', { vault: this.name, error: message });
    this.#error = message;
    this.#passed = true;
    this.#listed.resolve();
    this.#become('failed');
  }

  /**
   * An empty folder where a full one was, and not the same folder, is a drive that was unmounted: its
   * notes are away, not deleted. The folder may change places while it is walked, so that it must have been
   * the same one `before`.
   * @throws ObeliskError `vault_unreadable`.
   */
  #requireSameFolder(listing: VaultListing, indexed: number, before: string): void {
    const identity = identityOf(listing.root);
    const same = identity === this.#rootIdentity && before === identity;
    const empty = listing.notes.length === 0 && listing.attachments.length === 0;
    if (empty && indexed > 0 && this.#rootIdentity !== '' && !same) {
      throw new ObeliskError(
        'vault_unreadable',
        `vault ${this.#vault.path} was replaced by an empty folder; its index is kept until notes are back or the program is started again`,
      );
    }
    if (identity !== '') this.#rootIdentity = identity;
  }

  #knows(notePath: string): boolean {
    return this.#index.sync?.has(notePath) === true || this.#index.sync?.fileName(notePath) !== undefined;
  }

  #fileName(notePath: string): string {
    const root = this.#listing?.root ?? this.#vault.path;
    return this.#index.sync?.fileName(notePath) ?? path.join(root, ...notePath.split('/'));
  }

  #warnings(): VaultStatus['warnings'] {
    const skipped = this.#listing?.skipped ?? [];
    const unreadable = this.#index.sync?.unreadable ?? new Map<string, string>();
    const warnings = [
      ...this.#embeddingWarnings.map((message) => ({ path: '', line: 0, message })),
      ...[...unreadable].map(([at, message]) => ({ path: at, line: 1, message })),
      ...skipped.map(({ path: at, reason }) => ({ path: at, line: 1, message: reason })),
    ];
    return [...warnings, ...this.#facts.warnings(MOST_WARNINGS)].slice(0, MOST_WARNINGS);
  }

  #away(): ObeliskError {
    return new ObeliskError(
      'model_unavailable',
      `vault ${this.name} cannot be used: ${this.#error ?? 'it failed'}; it is served again as soon as that is mended`,
    );
  }
}

/** Tells one folder from another that took its path; empty where there is none. */
function identityOf(folder: string): string {
  const stats = statSync(folder, { throwIfNoEntry: false });
  return stats === undefined ? '' : `${stats.dev}:${stats.ino}`;
}
