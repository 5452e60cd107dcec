import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { PendingChunk } from '../index/types.ts';
import { embedTexts } from './embed-texts.ts';
import type { EmbeddingBatch, HostStatus } from './protocol.ts';
import type { EmbeddingPort } from './query-embedding.ts';
import type { WorkerClient } from './worker-client.ts';

/** What a pump works with. */
export type EmbeddingPumpOptions = {
  readonly client: WorkerClient;
  readonly embed: EmbeddingPort;
  readonly logger: Logger;
  /** First pause after a failure, in milliseconds, doubled up to a minute; 1,000 unless told. */
  readonly retryMs?: number;
};

type ModelName = NonNullable<ReturnType<EmbeddingPort['model']>>;

const BATCH = 32;
/** Two requests under way keep a model busy while the other's vectors are written. */
const LANES = 2;
const LONGEST_RETRY_MS = 60_000;
/** How often a missing model is looked for. */
const LOOK_MS = 2000;
/** A cold model may take long to load; past this something is wrong. */
const BATCH_TIMEOUT_MS = 300_000;

/**
 * Embeds in the background what the indexes hold without a vector: asks the worker for texts, the
 * model for vectors, and hands them back. The model is the index's own, by digest, or none.
 */
export class EmbeddingPump {
  readonly #options: EmbeddingPumpOptions;
  readonly #closing = new AbortController();
  readonly #waiting = new Set<string>();
  readonly #warned = new Set<string>();
  readonly #lanes: Promise<void>[];
  #awake = Promise.withResolvers<void>();

  constructor(options: EmbeddingPumpOptions) {
    this.#options = options;
    this.#lanes = Array.from({ length: LANES }, () => this.#run());
  }

  /** Takes note of which vaults have something to embed. */
  wake(statuses: readonly HostStatus[]): void {
    for (const { key, pendingVectors } of statuses) if (pendingVectors > 0) this.#waiting.add(key);
    if (this.#waiting.size > 0) this.#awake.resolve();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#awake.resolve();
    await Promise.all(this.#lanes);
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#closing.signal.aborted) {
      await this.#awake.promise;
      const model = this.#options.embed.model();
      const vault = this.#next();
      if (vault === undefined) continue;
      if (model === undefined) {
        await this.#pause(LOOK_MS);
        continue;
      }
      try {
        await this.#step(vault, model);
        failures = 0;
      } catch (error) {
        failures += 1;
        this.#report(error, model);
        await this.#pause(Math.min(LONGEST_RETRY_MS, (this.#options.retryMs ?? 1000) * 2 ** (failures - 1)));
      }
    }
  }

  /** The vaults in turn. */
  #next(): string | undefined {
    const [vault] = this.#waiting;
    if (vault === undefined) {
      if (!this.#closing.signal.aborted) this.#awake = Promise.withResolvers<void>();
      return undefined;
    }
    this.#waiting.delete(vault);
    this.#waiting.add(vault);
    return vault;
  }

  async #step(vault: string, model: ModelName): Promise<void> {
    const batch = await this.#options.client.call('embedding-batch', {
      vault,
      digest: model.digest,
      limit: BATCH,
    });
    if (batch.state === 'work') await this.#embed(vault, model, batch.chunks);
    else if (batch.state === 'unpinned') await this.#pin(vault, model);
    else this.#leave(vault, model, batch);
  }

  /** Nothing to do for a vault until its status says otherwise. */
  #leave(vault: string, model: ModelName, batch: EmbeddingBatch): void {
    this.#waiting.delete(vault);
    if (batch.state !== 'other-model' || this.#warned.has(`${vault}\0${model.digest}`)) return;
    this.#warned.add(`${vault}\0${model.digest}`);
    this.#options.logger.warn(
      'the vectors of a vault are another model’s; they are not mixed: run "obelisk index --rebuild" to embed anew',
      { vault, pinned: batch.pinned.name, model: model.name },
    );
  }

  /** The length of a vector is only known from one. */
  async #pin(vault: string, model: ModelName): Promise<void> {
    const [probe] = await this.#options.embed.embed(['dimensions'], this.#deadline());
    if (probe === undefined || probe.length === 0) throw new Error('the embedding model gave no vector');
    const pinned = { ...model, dimensions: probe.length };
    await this.#options.client.call('pin-model', { vault, model: pinned });
    this.#options.logger.info('an embedding model was chosen for a vault', { vault, model: model.name });
  }

  async #embed(vault: string, model: ModelName, chunks: readonly PendingChunk[]): Promise<void> {
    const base = { vault, digest: model.digest };
    try {
      const embedded = await embedTexts(chunks, this.#options.embed, this.#deadline());
      await this.#options.client.call('put-vectors', {
        ...base,
        ...embedded,
        returned: chunks.map(({ id }) => id),
      });
    } catch (error) {
      const returned = {
        ...base,
        vectors: [],
        refused: [],
        warnings: [],
        returned: chunks.map(({ id }) => id),
      };
      await this.#options.client.call('put-vectors', returned);
      throw error;
    }
  }

  #deadline(): AbortSignal {
    return AbortSignal.any([this.#closing.signal, AbortSignal.timeout(BATCH_TIMEOUT_MS)]);
  }

  #report(error: unknown, model: ModelName): void {
    if (this.#closing.signal.aborted) return;
    this.#options.logger.warn('embedding is held up', { model: model.name, error: messageOf(error) });
  }

  async #pause(milliseconds: number): Promise<void> {
    try {
      await sleep(milliseconds, undefined, { signal: this.#closing.signal, ref: false });
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error;
    }
  }
}
