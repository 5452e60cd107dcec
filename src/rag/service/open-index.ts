import type { VaultEntry } from '../../config/settings.ts';
import { ObeliskError } from '../../shared/errors.ts';
import type { LogFields } from '../../telemetry/log.ts';
import type { EmbeddingModel, VaultIndex } from '../index/types.ts';
import { openVaultIndex } from '../index/vault-index.ts';
import { EmbeddingQueue } from './embedding-queue.ts';
import { deleteIndexFile, indexFileOf, isReadableIndex } from './index-file.ts';
import { IndexSync } from './index-sync.ts';
import type { VaultFacts } from './vault-facts.ts';
import { acquireWriterLock, type WriterLock } from '../../store/writer-lock.ts';

/** What an index is opened with. */
export type OpenIndexOptions = {
  readonly vault: VaultEntry;
  readonly dataDir: string;
  readonly facts: VaultFacts;
  readonly onProgress: () => void;
  readonly log: (level: 'info' | 'warn', message: string, fields?: LogFields) => void;
};

/** Numbers of a status that the index knows. */
export type IndexFigures = {
  readonly notes: number;
  readonly chunks: number;
  readonly pendingNotes: number;
  readonly embeddedChunks: number;
  readonly pendingVectors: number;
  readonly embedding?: EmbeddingModel;
};

type Opened = { readonly index: VaultIndex; readonly sync: IndexSync; readonly embeddings: EmbeddingQueue };

const NOTHING: IndexFigures = { notes: 0, chunks: 0, pendingNotes: 0, embeddedChunks: 0, pendingVectors: 0 };

/**
 * The index file of one vault in this process: opened to write by the first process, to read by any
 * other until the first is gone.
 */
export class OpenIndex {
  readonly #options: OpenIndexOptions;
  readonly #file: string;
  #opened: Opened | undefined;
  #lock: WriterLock | undefined;

  constructor(options: OpenIndexOptions) {
    this.#options = options;
    this.#file = indexFileOf(options.dataDir, options.vault);
  }

  get writable(): boolean {
    return this.#lock?.held === true;
  }

  /** Who writes the index, where it is not this process. */
  get holder(): string | undefined {
    return this.#lock?.held === false ? this.#lock.holder : undefined;
  }

  get sync(): IndexSync | undefined {
    return this.#opened?.sync;
  }

  /**
   * Opens the index, to write if nobody else does by now.
   * @throws ObeliskError `store_failed`.
   */
  open(): Opened {
    if (this.#opened !== undefined && this.writable) return this.#opened;
    this.#lock = acquireWriterLock(`${this.#file}.lock`);
    if (this.writable || this.#opened === undefined) this.#reopen();
    return this.current();
  }

  /** @throws ObeliskError `store_failed` when there is no index to search. */
  current(): Opened {
    if (this.#opened === undefined) {
      throw new ObeliskError(
        'store_failed',
        `the index of vault ${this.#options.vault.name} is not open; see its state with "obelisk doctor"`,
      );
    }
    return this.#opened;
  }

  /** @throws ObeliskError `store_failed` when another process writes the index. */
  embeddings(): EmbeddingQueue {
    const opened = this.current();
    if (!this.writable) throw this.#heldByOther();
    return opened.embeddings;
  }

  figures(): IndexFigures {
    if (this.#opened === undefined) return NOTHING;
    const { index, sync, embeddings } = this.#opened;
    const { notes, chunks, embeddedChunks } = index.stats();
    const embedding = index.embeddingModel();
    const pendingVectors = this.writable ? embeddings.pending() : 0;
    const figures = { notes, chunks, pendingNotes: sync.pending, embeddedChunks, pendingVectors };
    return embedding === undefined ? figures : { ...figures, embedding };
  }

  /**
   * Deletes the index; the next `open` begins an empty one.
   * @throws ObeliskError `store_failed` when another process writes it.
   */
  discard(): void {
    if (!this.writable) this.#lock = acquireWriterLock(`${this.#file}.lock`);
    if (!this.writable) throw this.#heldByOther();
    this.#opened?.index.close();
    this.#opened = undefined;
    deleteIndexFile(this.#file);
    this.#reopen();
  }

  close(): void {
    this.#opened?.index.close();
    this.#opened = undefined;
    if (this.#lock?.held === true) this.#lock.release();
    this.#lock = undefined;
  }

  #reopen(): void {
    if (!this.writable && !isReadableIndex(this.#file)) throw this.#heldByOther();
    this.#opened?.index.close();
    this.#opened = undefined;
    const index = openVaultIndex({ file: this.#file });
    const { facts, onProgress, log, vault } = this.#options;
    if (index.rebuiltBecause !== undefined) {
      log('info', 'an index is built again', { vault: vault.name, reason: index.rebuiltBecause });
    }
    const sync = new IndexSync({ index, facts, onProgress, readOnly: !this.writable });
    this.#opened = { index, sync, embeddings: new EmbeddingQueue(index) };
  }

  #heldByOther(): ObeliskError {
    const { name } = this.#options.vault;
    return new ObeliskError(
      'store_failed',
      `the index of vault ${name} is being written by ${this.holder ?? 'another process'}; ask that one, or stop it`,
    );
  }
}
