import { randomBytes } from 'node:crypto';

import { isObeliskError, messageOf, ObeliskError } from '../../shared/errors.ts';
import type { OllamaClient } from '../api/client.ts';
import type { Job, JobError, JobSpec } from '../control-plane.ts';
import { followJob, hasEnded } from './follow-job.ts';
import { doesTheSame, nextToRun } from './job-entry.ts';
import type { JobEntry } from './job-entry.ts';
import { JobLedger } from './job-ledger.ts';
import type { JobLedgerOptions, JobOutcome } from './job-ledger.ts';
import type { JobTools, WorkOrder } from './job-work.ts';
import { parseModelReference, requireRegistry } from './model-reference.ts';
import { RETRY_RULES } from './retry.ts';
import type { RetryRules } from './retry.ts';
import { runJob } from './run-job.ts';
import { TransferProgress } from './transfer-progress.ts';

/** What is done to models and takes its time: it goes on whoever watches, and outlives the process. */
export type OllamaJobs = {
  /**
   * Starts a job, or gives the unfinished one that does the same.
   * @throws ObeliskError `forbidden` for a registry that is not allowed, `invalid_request` for a name that
   *   is none, `not_found` for a host, `overloaded`, `store_failed`.
   */
  start(spec: JobSpec): Job;
  /** The newest first; those that ended long ago are forgotten. */
  list(): readonly Job[];
  /** @throws ObeliskError `not_found`. */
  get(id: string): Job;
  /** Ends a job that has not ended; one that has stays as it is. @throws ObeliskError `not_found`. */
  cancel(id: string): Job;
  /** The job now, then as it changes, until it ends. @throws ObeliskError `not_found`. */
  watch(id: string, signal: AbortSignal): AsyncIterable<Job>;
  /** Goes on with what an earlier process left, or says that it is lost; there may be nothing. */
  resume(): void;
  /** Stops working without ending the jobs: the next process goes on with them. */
  close(): Promise<void>;
};

/** What jobs are made of. */
export type OllamaJobsOptions = JobTools &
  Omit<JobLedgerOptions, 'now'> & {
    /** The client of a host of the configuration in force, by its name. */
    readonly clientOf: (host: string) => OllamaClient | undefined;
    /** The name of the host that a job names, or that is chosen for it. @throws ObeliskError `not_found`. */
    readonly hostFor: (spec: JobSpec) => string;
    /** Whether a host had a model when it was last looked at. */
    readonly isInstalled?: (host: string, model: string) => boolean;
    /** Milliseconds since the epoch; Date.now unless told. */
    readonly now?: () => number;
    readonly retry?: Partial<RetryRules>;
  };

const MAX_UNFINISHED = 1_000;

/** Creates the jobs of a data directory; nothing is read or sent before something is asked. */
export function createOllamaJobs(options: OllamaJobsOptions): OllamaJobs {
  return new Jobs(options);
}

class Jobs implements OllamaJobs {
  readonly #options: OllamaJobsOptions;
  readonly #now: () => number;
  readonly #rules: RetryRules;
  readonly #ledger: JobLedger;
  readonly #runs = new Set<Promise<void>>();
  /** Ends those who watch when the process ends. */
  readonly #closing = new AbortController();

  constructor(options: OllamaJobsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#rules = { ...RETRY_RULES, ...options.retry };
    this.#ledger = new JobLedger({ ...options, now: this.#now });
  }

  start(spec: JobSpec): Job {
    if (this.#closing.signal.aborted) {
      throw new ObeliskError('overloaded', 'Obelisk is ending and begins no jobs; ask again');
    }
    this.#ledger.open();
    const host = this.#options.hostFor(spec);
    this.#requireAllowed(spec, host);
    const entry = this.#sameAs(spec, host) ?? this.#add(spec, host);
    entry.held = false;
    this.#beginNext();
    return entry.job;
  }

  list(): readonly Job[] {
    this.#ledger.openIfThere();
    return this.#ledger
      .entries()
      .map(({ job }) => job)
      .reverse();
  }

  get(id: string): Job {
    return this.#ledger.entry(id).job;
  }

  cancel(id: string): Job {
    const entry = this.#ledger.entry(id);
    if (hasEnded(entry.job)) return entry.job;
    this.#end(entry, { state: 'cancelled' });
    entry.stop?.abort();
    this.#beginNext();
    return entry.job;
  }

  watch(id: string, signal: AbortSignal): AsyncIterable<Job> {
    return followJob(this.#ledger.entry(id), AbortSignal.any([signal, this.#closing.signal]));
  }

  resume(): void {
    try {
      this.#ledger.openIfThere();
    } catch (error) {
      if (!isObeliskError(error)) throw error;
      // Who asks for a job is told the same; nothing else depends on it.
      this.#options.logger.warn('the jobs of an earlier process are left alone', { reason: error.message });
      return;
    }
    for (const entry of this.#ledger.entries()) {
      if (!entry.held || hasEnded(entry.job)) continue;
      entry.held = false;
      const obstacle = this.#obstacleOf(entry);
      if (obstacle !== undefined) this.#end(entry, { state: 'lost', error: obstacle });
    }
    this.#beginNext();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const { stop } of this.#ledger.entries()) stop?.abort();
    await Promise.all(this.#runs);
    this.#ledger.close();
  }

  #add(spec: JobSpec, host: string): JobEntry {
    const unfinished = this.#ledger.entries().filter(({ job }) => !hasEnded(job));
    if (unfinished.length >= MAX_UNFINISHED) {
      throw new ObeliskError('overloaded', `${MAX_UNFINISHED} jobs are not done yet; cancel some, or wait`);
    }
    const job: Job = {
      id: `job_${randomBytes(8).toString('hex')}`,
      spec,
      host,
      state: 'queued',
      attempts: 0,
      createdMs: this.#now(),
      progress: { status: '', layers: [] },
    };
    return this.#ledger.add(job);
  }

  #sameAs(spec: JobSpec, host: string): JobEntry | undefined {
    // Whoever wants a model that is there to be there has nothing to gain from an update of it.
    const isModest = spec.kind === 'pull' && spec.ifMissing === true;
    if (isModest && this.#options.isInstalled?.(host, spec.model) === true) return undefined;
    return this.#ledger.entries().find((entry) => !hasEnded(entry.job) && doesTheSame(entry, spec, host));
  }

  #requireAllowed(spec: JobSpec, host: string): OllamaClient {
    const reference = parseModelReference(spec.model);
    if (spec.kind === 'pull' || spec.kind === 'push') {
      requireRegistry(reference, this.#options.rules(), spec.insecure);
    }
    const client = this.#options.clientOf(host);
    if (client !== undefined) return client;
    throw new ObeliskError(
      'not_found',
      `there is no Ollama host ${JSON.stringify(host)}; see: obelisk ollama hosts`,
    );
  }

  /** Why a job of an earlier process cannot be gone on with. */
  #obstacleOf({ spec, job: { host } }: JobEntry): JobError | undefined {
    try {
      this.#requireAllowed(spec, host);
      return undefined;
    } catch (error) {
      return toldError(error);
    }
  }

  #beginNext(): void {
    if (this.#closing.signal.aborted) return;
    for (const entry of nextToRun(this.#ledger.entries())) {
      entry.stop = new AbortController();
      const run = this.#run(entry, entry.stop.signal).finally(() => {
        entry.stop = undefined;
        this.#runs.delete(run);
        this.#beginNext();
      });
      this.#runs.add(run);
    }
  }

  async #run(entry: JobEntry, signal: AbortSignal): Promise<void> {
    const { spec } = entry;
    const { host, progress: earlier } = entry.job;
    const progress = new TransferProgress(() => performance.now(), earlier);
    const order = (): WorkOrder => {
      const client = this.#requireAllowed(spec, host);
      return { spec, host, client, tools: this.#options };
    };
    const ledger = this.#ledger;
    const isCancelled = (): boolean => hasEnded(entry.job);
    try {
      await runJob({
        order,
        progress,
        rules: this.#rules,
        signal,
        onAttempt: () => ledger.begin(entry),
        onStep: () => (isCancelled() ? undefined : ledger.move(entry, progress)),
        onPause: (error, forMs) => {
          if (isCancelled()) return;
          progress.say(`trying again in ${Math.ceil(forMs / 1000)} s`);
          ledger.pause(entry, progress, error);
        },
      });
      if (!isCancelled()) this.#end(entry, { state: 'done' }, progress);
    } catch (error) {
      if (isCancelled()) return;
      if (this.#closing.signal.aborted) ledger.leave(entry, progress);
      else this.#end(entry, failureOf(error, entry), progress);
    }
  }

  #end(entry: JobEntry, outcome: JobOutcome, progress?: TransferProgress): void {
    this.#ledger.end(entry, outcome, progress);
    const { id, spec, host, attempts } = entry.job;
    const { state, error } = outcome;
    const fields = { job: id, kind: spec.kind, model: spec.model, host, state, attempts };
    const { logger } = this.#options;
    if (error === undefined) logger.info('a job of Ollama ended', fields);
    else logger.warn('a job of Ollama ended badly', { ...fields, reason: error.message });
  }
}

function toldError(error: unknown): JobError {
  if (isObeliskError(error)) return { code: error.code, message: error.message };
  return { code: 'internal', message: `a defect in Obelisk ended it: ${messageOf(error)}` };
}

/** A creation whose files are gone since Obelisk ended was interrupted by that, and by nothing it did. */
function failureOf(error: unknown, { inherited, job }: JobEntry): JobOutcome {
  const isLost =
    inherited && job.spec.kind === 'create' && isObeliskError(error) && error.code === 'invalid_request';
  return { state: isLost ? 'lost' : 'failed', error: toldError(error) };
}
