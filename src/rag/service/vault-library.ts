import type { VaultEntry } from '../../config/settings.ts';
import { ObeliskError } from '../../shared/errors.ts';
import { nearest } from '../../shared/nearest.ts';
import type { Logger } from '../../telemetry/log.ts';
import { obsidianUrl, obsidianVaultOf, type ObsidianVault } from '../../vault/obsidian-address.ts';
import { sourceUrl } from '../answer/source-urls.ts';
import { decideSupport } from '../answer/support.ts';
import type {
  NoteBlocks,
  NoteSource,
  SearchOptions,
  VaultLibrary,
  VaultSearchResult,
  VaultStatus,
} from '../library.ts';
import { createTokenizer } from '../text/tokenizer.ts';
import type { Hit, SearchResult, Source } from '../types.ts';
import { abortable } from './abortable.ts';
import { EmbeddingPump } from './embedding-pump.ts';
import type { HostStatus } from './protocol.ts';
import { embedQuery, type EmbeddingPort } from './query-embedding.ts';
import { WorkerClient } from './worker-client.ts';

/** What a library is made from. */
export type VaultLibraryOptions = {
  readonly vaults: readonly VaultEntry[];
  /** Absolute path; indexes lie below it, in `vaults`. */
  readonly dataDir: string;
  /** Makes vectors; without it words alone answer. */
  readonly embed?: EmbeddingPort;
  /** Whether to follow the vaults as they change. */
  readonly watch: boolean;
  readonly logger: Logger;
  /** Milliseconds between two full comparisons of a followed vault; 60,000 unless told. */
  readonly reconcileMs?: number;
};

/**
 * Opens vaults for search: starts the worker thread, which indexes them, and returns at once. Searches
 * are answered from what is indexed so far.
 */
export function createVaultLibrary(options: VaultLibraryOptions): VaultLibrary {
  return new WorkerVaultLibrary(options);
}

class WorkerVaultLibrary implements VaultLibrary {
  readonly #options: VaultLibraryOptions;
  readonly #client: WorkerClient;
  readonly #pump: EmbeddingPump | undefined;
  readonly #ready = Promise.withResolvers<void>();
  readonly #tokenizer = createTokenizer();
  #statuses: readonly HostStatus[];

  constructor(options: VaultLibraryOptions) {
    this.#options = options;
    const { vaults, dataDir, watch, logger, embed } = options;
    this.#statuses = vaults.map(startingStatus);
    // Whoever waits for `ready` is told; a failure nobody waits for is in the status and no crash.
    this.#ready.promise.catch(() => undefined);
    this.#client = new WorkerClient({
      setup: { vaults, dataDir, watch, reconcileMs: options.reconcileMs ?? 60_000 },
      logger,
      onStatus: (statuses) => {
        this.#takeStatus(statuses);
      },
      onLost: (error) => {
        this.#lose(error);
      },
    });
    if (vaults.length === 0) this.#ready.resolve();
    this.#pump = embed === undefined ? undefined : new EmbeddingPump({ client: this.#client, embed, logger });
  }

  names(): readonly string[] {
    return this.#options.vaults.map(({ name }) => name);
  }

  status(): readonly VaultStatus[] {
    return this.#statuses;
  }

  async ready(signal?: AbortSignal): Promise<void> {
    if (signal === undefined) return this.#ready.promise;
    await abortable(this.#ready.promise, signal);
  }

  async search(vault: string, query: string, options: SearchOptions): Promise<VaultSearchResult> {
    const name = this.#requireName(vault);
    const whole = this.#hasPassed(name);
    const found = await this.#search(name, query, options);
    if (found.supported || whole) return found;
    // Before its first pass has ended an index does not know what it lacks: its "no" would be false.
    await this.ready(options.signal);
    return this.#search(name, query, options);
  }

  #hasPassed(name: string): boolean {
    return this.#statuses.find((status) => status.name === name)?.passed === true;
  }

  async #search(name: string, query: string, options: SearchOptions): Promise<VaultSearchResult> {
    const { limit, filters, signal } = options;
    const vector = await this.#queryVector(name, query, signal);
    const search = {
      query,
      ...(limit === undefined ? {} : { limit }),
      ...(filters === undefined ? {} : { filters }),
      ...(vector === undefined ? {} : { vector }),
    };
    const result = await this.#client.call('search', { vault: name, search }, signal);
    const reading = { question: query, tokenizer: this.#tokenizer };
    return {
      ...result,
      sources: toSources(name, result, this.#obsidianVault(name)),
      supported: decideSupport(result, { reading }).supported,
    };
  }

  async note(vault: string, path: string): Promise<NoteSource> {
    const name = this.#requireName(vault);
    const note = await this.#client.call('note', { vault: name, path });
    return { ...note, obsidianUrl: obsidianUrl(this.#obsidianVault(name), note.path) };
  }

  async blocks(vault: string, paths: readonly string[], signal?: AbortSignal): Promise<NoteBlocks> {
    return this.#client.call('blocks', { vault: this.#requireName(vault), paths }, signal);
  }

  async refresh(vault?: string): Promise<void> {
    await this.#refresh(vault, false);
  }

  async rebuild(vault?: string): Promise<void> {
    await this.#refresh(vault, true);
  }

  async close(): Promise<void> {
    await this.#pump?.close();
    await this.#client.close();
    this.#ready.resolve();
  }

  async #refresh(vault: string | undefined, rebuild: boolean): Promise<void> {
    const names = vault === undefined ? this.names() : [this.#requireName(vault)];
    await Promise.all(names.map((name) => this.#client.call('refresh', { vault: name, rebuild })));
  }

  #obsidianVault(name: string): ObsidianVault {
    return obsidianVaultOf(this.#options.vaults.find((vault) => vault.name === name)?.path ?? name);
  }

  async #queryVector(vault: string, query: string, signal?: AbortSignal): Promise<Float32Array | undefined> {
    const pinned = this.#statuses.find(({ name }) => name === vault);
    const { embed, logger } = this.#options;
    if (embed === undefined || pinned?.embedding === undefined || pinned.embeddedChunks === 0)
      return undefined;
    return embedQuery(query, {
      embed,
      model: pinned.embedding,
      logger,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  #requireName(vault: string): string {
    const wanted = vault.normalize('NFC');
    const name = this.names().find((known) => known.normalize('NFC') === wanted);
    if (name !== undefined) return name;
    const near = nearest(wanted, this.names());
    const hint =
      near.length === 0 ? 'see "obelisk doctor" for those there are' : `the nearest: ${near.join(', ')}`;
    throw new ObeliskError('not_found', `there is no vault ${wanted}; ${hint}`);
  }

  #takeStatus(statuses: readonly HostStatus[]): void {
    this.#statuses = statuses;
    if (statuses.every(({ passed }) => passed)) this.#ready.resolve();
    this.#pump?.wake(statuses);
  }

  #lose(error: ObeliskError): void {
    this.#statuses = this.#statuses.map((status) => ({ ...status, state: 'failed', error: error.message }));
    this.#ready.reject(error);
  }
}

function startingStatus({ name, path }: VaultEntry): HostStatus {
  return {
    name,
    path,
    state: 'starting',
    notes: 0,
    chunks: 0,
    pendingNotes: 0,
    embeddedChunks: 0,
    pendingVectors: 0,
    links: { resolved: 0, ambiguous: 0, unresolved: 0 },
    warnings: [],
    passed: false,
  };
}

function toSources(vault: string, { hits }: SearchResult, obsidian: ObsidianVault): readonly Source[] {
  return hits.map((hit, at) => ({
    ...toSource(vault, hit, at + 1),
    obsidianUrl: obsidianUrl(obsidian, hit.path),
  }));
}

function toSource(vault: string, hit: Hit, index: number): Omit<Source, 'obsidianUrl'> {
  const { path, title, headingPath, startLine, endLine, text, score } = hit;
  const place = { vault, path, startLine, endLine };
  return {
    index,
    ...place,
    title,
    headingPath,
    text,
    score,
    url: sourceUrl(place),
  };
}
