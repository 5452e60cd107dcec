import { messageOf, ObeliskError } from '../../shared/errors.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { Job, JobError, JobState } from '../control-plane.ts';
import { hasEnded } from './follow-job.ts';
import { createEntry } from './job-entry.ts';
import type { JobEntry } from './job-entry.ts';
import type { JobStore } from './job-store.ts';
import { settledProgress } from './transfer-progress.ts';
import type { TransferProgress } from './transfer-progress.ts';

/** What a ledger is made of. */
export type JobLedgerOptions = {
  readonly store: JobStore;
  readonly logger: Logger;
  /** Hears of every change, at most a few times a second for one job. */
  readonly onChange?: (job: Job) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};

/** How a job ends. */
export type JobOutcome = {
  readonly state: Exclude<JobState, 'queued' | 'running'>;
  readonly error?: JobError;
};

/** Shortest time between two changes that are told of while a job runs, in milliseconds. */
const TELL_MS = 200;
/** Time between two writes of the progress of one job, in milliseconds. */
const SAVE_MS = 5_000;
const MAX_ENDED = 200;

/** Every job there is: in memory for those who watch, in the store for the next process. */
export class JobLedger {
  readonly #options: JobLedgerOptions;
  readonly #entries = new Map<string, JobEntry>();
  #isOpen = false;

  constructor(options: JobLedgerOptions) {
    this.#options = options;
  }

  /** The oldest first. */
  entries(): readonly JobEntry[] {
    return [...this.#entries.values()];
  }

  /** @throws ObeliskError `not_found`. */
  entry(id: string): JobEntry {
    this.openIfThere();
    const entry = this.#entries.get(id);
    if (entry !== undefined) return entry;
    throw new ObeliskError(
      'not_found',
      `there is no job ${JSON.stringify(id.slice(0, 80))}; list the jobs there are`,
    );
  }

  /** Reads what an earlier process left. @throws ObeliskError `store_failed`. */
  open(): void {
    if (this.#isOpen) return;
    for (const job of this.#options.store.open()) {
      // Nobody works on it at this moment, whatever the process that ended said last.
      const state = hasEnded(job) ? job.state : 'queued';
      this.#entries.set(job.id, createEntry({ ...job, state }, true));
    }
    this.#isOpen = true;
  }

  openIfThere(): void {
    if (!this.#isOpen && this.#options.store.exists) this.open();
  }

  /** Takes a new job in. @throws ObeliskError `store_failed`: then there is no such job. */
  add(job: Job): JobEntry {
    this.#options.store.save(job);
    const entry = createEntry(job, false);
    this.#entries.set(job.id, entry);
    this.#tell(entry);
    return entry;
  }

  /** Notes that another attempt begins. */
  begin(entry: JobEntry): void {
    const { error: _lastTry, ...job } = entry.job;
    const { startedMs = this.#options.now(), attempts } = job;
    // What the try before said last is over.
    const progress = { ...job.progress, status: '' };
    this.#change(entry, { ...job, progress, state: 'running', startedMs, attempts: attempts + 1 });
    this.#save(entry);
  }

  /** Notes progress, soon. */
  move(entry: JobEntry, progress: TransferProgress): void {
    if (entry.telling !== undefined) return;
    const waitMs = Math.max(entry.toldMs + TELL_MS - this.#options.now(), 0);
    if (waitMs === 0) this.#note(entry, progress);
    else entry.telling = setTimeout(() => this.#note(entry, progress), Math.min(waitMs, TELL_MS));
  }

  /** Notes why a job waits for its next attempt. */
  pause(entry: JobEntry, progress: TransferProgress, { code, message }: ObeliskError): void {
    this.#change(entry, {
      ...entry.job,
      progress: settledProgress(progress.snapshot()),
      error: { code, message },
    });
  }

  /** Ends a job for good. It is written before anybody is told. */
  end(entry: JobEntry, { state, error }: JobOutcome, progress?: TransferProgress): void {
    const { error: _lastTry, ...job } = entry.job;
    const settled = settledProgress(progress?.snapshot() ?? job.progress);
    const ended: Job = {
      ...job,
      state,
      endedMs: this.#options.now(),
      progress: settled,
      ...(error === undefined ? {} : { error }),
    };
    this.#save(entry, ended);
    this.#change(entry, ended);
    this.#forgetOldest();
  }

  /** Writes where a job is, so that the next process goes on from there. */
  leave(entry: JobEntry, progress: TransferProgress): void {
    clearTimeout(entry.telling);
    this.#save(entry, { ...entry.job, progress: settledProgress(progress.snapshot()) });
  }

  /** Lets go of the store, and of those who watch. */
  close(): void {
    for (const { listeners } of this.#entries.values()) for (const listener of listeners) listener();
    this.#options.store.close();
  }

  #note(entry: JobEntry, progress: TransferProgress): void {
    const { error: _lastTry, ...job } = entry.job;
    this.#change(entry, { ...job, progress: progress.snapshot() });
    if (entry.toldMs - entry.savedMs >= SAVE_MS) this.#save(entry);
  }

  #change(entry: JobEntry, job: Job): void {
    clearTimeout(entry.telling);
    entry.telling = undefined;
    entry.job = job;
    this.#tell(entry);
  }

  #tell(entry: JobEntry): void {
    entry.toldMs = this.#options.now();
    for (const listener of entry.listeners) listener();
    this.#options.onChange?.(entry.job);
  }

  /** A job goes on where it cannot be written: at worst the next process does it once more. */
  #save(entry: JobEntry, job: Job = entry.job): void {
    entry.savedMs = this.#options.now();
    try {
      this.#options.store.save({ ...job, spec: entry.spec });
    } catch (error) {
      this.#options.logger.error('a job cannot be written down', { job: job.id, error: messageOf(error) });
    }
  }

  #forgetOldest(): void {
    const ended = this.entries().filter(({ job }) => hasEnded(job));
    if (ended.length <= MAX_ENDED) return;
    const oldestFirst = ended.toSorted((a, b) => (a.job.endedMs ?? 0) - (b.job.endedMs ?? 0));
    for (const { job } of oldestFirst.slice(0, -MAX_ENDED)) this.#forget(job.id);
  }

  /** What cannot be erased is read again by the next process, which tries once more. */
  #forget(id: string): void {
    this.#entries.delete(id);
    try {
      this.#options.store.forget(id);
    } catch (error) {
      this.#options.logger.error('a job that ended long ago cannot be erased', {
        job: id,
        error: messageOf(error),
      });
    }
  }
}
