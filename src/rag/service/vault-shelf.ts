import type { VaultEntry } from '../../config/settings.ts';
import { messageOf } from '../../shared/errors.ts';
import type { ObeliskError } from '../../shared/errors.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { VaultLibrary } from '../library.ts';
import { abortable } from './abortable.ts';
import { EmbeddingPump } from './embedding-pump.ts';
import type { HostStatus, OperationName, Operations, ShelvedVault } from './protocol.ts';
import type { EmbeddingPort } from './query-embedding.ts';
import { VaultView } from './vault-view.ts';
import { closed, WorkerClient } from './worker-client.ts';

/** What a shelf is made from. */
export type VaultShelfOptions = {
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

type Shelved = { readonly vault: ShelvedVault; uses: number };

const RECONCILE_MS = 60_000;

/**
 * Every open vault of the process, behind one worker thread. Libraries are views of it: a vault that
 * is in the old one and in the new one stays open as it is, and one is closed when the last library
 * with it was closed. Two folders of one name can be open at a time, for as long as both are asked.
 */
export class VaultShelf {
  readonly #options: VaultShelfOptions;
  /** A thread costs memory and time to start: there is none before the first vault. */
  #client: WorkerClient | undefined;
  #pump: EmbeddingPump | undefined;
  readonly #shelved = new Map<string, Shelved>();
  readonly #statuses = new Map<string, HostStatus>();
  #change = Promise.withResolvers<void>();
  #lost: ObeliskError | undefined;
  #closed = false;

  constructor(options: VaultShelfOptions) {
    this.#options = options;
  }

  /**
   * Opens vaults, those that are open already without any work, and returns at once. `close` is what
   * closing the library does; unless told, it gives its vaults back.
   */
  open(entries: readonly VaultEntry[], close?: () => Promise<void>): VaultLibrary {
    const vaults = entries.map((entry) => this.#shelve(entry));
    const { embed, logger } = this.#options;
    const giveBack = async (): Promise<void> => {
      await Promise.all(vaults.map((vault) => this.#release(vault.key)));
    };
    return new VaultView({ vaults, shelf: this, logger, embed, close: close ?? giveBack });
  }

  status(key: string): HostStatus | undefined {
    return this.#statuses.get(key);
  }

  /** @throws ObeliskError what the operation throws. */
  call<Name extends OperationName>(
    name: Name,
    request: Operations[Name]['request'],
    signal?: AbortSignal,
  ): Promise<Operations[Name]['reply']> {
    return this.#worker().call(name, request, signal);
  }

  /**
   * Resolves when the first comparison of every one of the vaults has ended, or all is closed.
   * @throws ObeliskError when the worker is lost.
   */
  async passed(keys: readonly string[], signal?: AbortSignal): Promise<void> {
    while (!this.#closed && !keys.every((key) => this.#statuses.get(key)?.passed ?? true)) {
      if (this.#lost !== undefined) throw this.#lost;
      const change = this.#change.promise;
      await (signal === undefined ? change : abortable(change, signal));
    }
  }

  /** Closes every vault, whoever has it. */
  async close(): Promise<void> {
    await this.#pump?.close();
    await this.#client?.close();
    this.#closed = true;
    this.#changed();
  }

  #worker(): WorkerClient {
    if (this.#client !== undefined) return this.#client;
    if (this.#closed) throw closed();
    const { dataDir, watch, logger, embed, reconcileMs = RECONCILE_MS } = this.#options;
    const client = new WorkerClient({
      // A worker that takes a dead one's place opens what is open by then.
      setup: () => ({ vaults: this.#vaults(), dataDir, watch, reconcileMs }),
      logger,
      onStatus: (statuses) => {
        this.#take(statuses);
      },
      onLost: (error) => {
        this.#lose(error);
      },
    });
    this.#client = client;
    if (embed !== undefined) this.#pump = new EmbeddingPump({ client, embed, logger });
    return client;
  }

  #vaults(): readonly ShelvedVault[] {
    return [...this.#shelved.values()].map(({ vault }) => vault);
  }

  #shelve({ name, path }: VaultEntry): ShelvedVault {
    for (const shelved of this.#shelved.values()) {
      if (shelved.vault.name !== name || shelved.vault.path !== path) continue;
      shelved.uses += 1;
      return shelved.vault;
    }
    const worker = this.#worker();
    const vault = { name, path, key: this.#freeKey(name) };
    this.#shelved.set(vault.key, { vault, uses: 1 });
    this.#statuses.set(vault.key, startingStatus(vault));
    worker.call('open-vault', { vault: vault.key, opened: vault }).catch((error: unknown) => {
      // A worker that died took the call with it; the next one opens the vault, unless there is none.
      this.#options.logger.debug('a vault was not opened by its call', {
        vault: name,
        error: messageOf(error),
      });
    });
    return vault;
  }

  /** The name itself, unless another folder has it: log lines of the worker are told by it. */
  #freeKey(name: string): string {
    let key = name;
    for (let next = 2; this.#shelved.has(key); next += 1) key = `${name} (${next})`;
    return key;
  }

  async #release(key: string): Promise<void> {
    const shelved = this.#shelved.get(key);
    if (shelved === undefined || this.#closed) return;
    shelved.uses -= 1;
    if (shelved.uses > 0) return;
    this.#shelved.delete(key);
    this.#statuses.delete(key);
    this.#changed();
    if (this.#lost === undefined) await this.call('close-vault', { vault: key });
  }

  #take(statuses: readonly HostStatus[]): void {
    const known = statuses.filter(({ key }) => this.#shelved.has(key));
    for (const status of known) this.#statuses.set(status.key, status);
    this.#changed();
    this.#pump?.wake(known);
  }

  #lose(error: ObeliskError): void {
    this.#lost = error;
    for (const [key, status] of this.#statuses)
      this.#statuses.set(key, { ...status, state: 'failed', error: error.message });
    this.#changed();
  }

  #changed(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}

function startingStatus({ name, path, key }: ShelvedVault): HostStatus {
  return {
    key,
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
