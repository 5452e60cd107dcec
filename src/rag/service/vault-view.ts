import { ObeliskError } from '../../shared/errors.ts';
import { nearest } from '../../shared/nearest.ts';
import type { Logger } from '../../telemetry/log.ts';
import { obsidianUrl, obsidianVaultOf } from '../../vault/obsidian-address.ts';
import type { ObsidianVault } from '../../vault/obsidian-address.ts';
import { sourceUrl } from '../answer/source-urls.ts';
import type {
  NoteBlocks,
  NoteSource,
  SearchOptions,
  VaultLibrary,
  VaultSearchResult,
  VaultStatus,
} from '../library.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import type { Hit, SearchResult, Source } from '../types.ts';
import type { HostStatus, ShelvedVault } from './protocol.ts';
import { embedQuery } from './query-embedding.ts';
import type { EmbeddingPort } from './query-embedding.ts';
import type { WorkerClient } from './worker-client.ts';

/** What a view is made of. */
export type VaultViewOptions = {
  readonly vaults: readonly ShelvedVault[];
  readonly shelf: Pick<WorkerClient, 'call'> & {
    status(key: string): HostStatus | undefined;
    passed(keys: readonly string[], signal?: AbortSignal): Promise<void>;
  };
  readonly embed: EmbeddingPort | undefined;
  readonly logger: Logger;
  readonly close: () => Promise<void>;
};

/** Some of the open vaults by their names, as one configuration has them. */
export class VaultView implements VaultLibrary {
  readonly #options: VaultViewOptions;
  #tokenizer: Tokenizer | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: VaultViewOptions) {
    this.#options = options;
  }

  names(): readonly string[] {
    return this.#options.vaults.map(({ name }) => name);
  }

  status(): readonly VaultStatus[] {
    const { vaults, shelf } = this.#options;
    return vaults.flatMap(({ key }) => {
      const status = shelf.status(key);
      if (status === undefined) return [];
      const { key: _key, ...shown } = status;
      return [shown];
    });
  }

  ready(signal?: AbortSignal): Promise<void> {
    const { vaults, shelf } = this.#options;
    const keys = vaults.map(({ key }) => key);
    return shelf.passed(keys, signal);
  }

  async search(vault: string, query: string, options: SearchOptions): Promise<VaultSearchResult> {
    const wanted = this.#require(vault);
    const { shelf } = this.#options;
    const whole = shelf.status(wanted.key)?.passed === true;
    const found = await this.#search(wanted, query, options);
    if (found.supported || whole) return found;
    // Before its first pass has ended an index does not know what it lacks: its "no" would be false.
    await shelf.passed([wanted.key], options.signal);
    return this.#search(wanted, query, options);
  }

  async note(vault: string, path: string): Promise<NoteSource> {
    const wanted = this.#require(vault);
    const note = await this.#options.shelf.call('note', { vault: wanted.key, path });
    return { ...note, obsidianUrl: obsidianUrl(obsidianVaultOf(wanted.path), note.path) };
  }

  async blocks(vault: string, paths: readonly string[], signal?: AbortSignal): Promise<NoteBlocks> {
    return this.#options.shelf.call('blocks', { vault: this.#require(vault).key, paths }, signal);
  }

  async refresh(vault?: string): Promise<void> {
    await this.#refresh(vault, false);
  }

  async rebuild(vault?: string): Promise<void> {
    await this.#refresh(vault, true);
  }

  close(): Promise<void> {
    this.#closing ??= this.#options.close();
    return this.#closing;
  }

  async #search(wanted: ShelvedVault, query: string, options: SearchOptions): Promise<VaultSearchResult> {
    const { limit, filters, signal } = options;
    const vector = await this.#queryVector(wanted.key, query, signal);
    const search = {
      query,
      ...(limit === undefined ? {} : { limit }),
      ...(filters === undefined ? {} : { filters }),
      ...(vector === undefined ? {} : { vector }),
    };
    // What judges is loaded with the first search: a gateway without vaults has none.
    const [result, { decideSupport }, { createTokenizer }] = await Promise.all([
      this.#options.shelf.call('search', { vault: wanted.key, search }, signal),
      import('../answer/support.ts'),
      import('../text/tokenizer.ts'),
    ]);
    this.#tokenizer ??= createTokenizer();
    const reading = { question: query, tokenizer: this.#tokenizer };
    return {
      ...result,
      sources: toSources(wanted.name, result, obsidianVaultOf(wanted.path)),
      supported: decideSupport(result, { reading }).supported,
    };
  }

  async #refresh(vault: string | undefined, rebuild: boolean): Promise<void> {
    const { vaults, shelf } = this.#options;
    const wanted = vault === undefined ? vaults : [this.#require(vault)];
    await Promise.all(wanted.map(({ key }) => shelf.call('refresh', { vault: key, rebuild })));
  }

  async #queryVector(key: string, query: string, signal?: AbortSignal): Promise<Float32Array | undefined> {
    const { embed, logger, shelf } = this.#options;
    const pinned = shelf.status(key);
    if (embed === undefined || pinned?.embedding === undefined || pinned.embeddedChunks === 0)
      return undefined;
    return embedQuery(query, {
      embed,
      model: pinned.embedding,
      logger,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  #require(vault: string): ShelvedVault {
    const wanted = vault.normalize('NFC');
    const found = this.#options.vaults.find(({ name }) => name.normalize('NFC') === wanted);
    if (found !== undefined) return found;
    const near = nearest(wanted, this.names());
    const hint =
      near.length === 0 ? 'see "obelisk doctor" for those there are' : `the nearest: ${near.join(', ')}`;
    throw new ObeliskError('not_found', `there is no vault ${wanted}; ${hint}`);
  }
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
