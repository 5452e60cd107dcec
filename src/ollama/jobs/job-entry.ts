import { isDeepStrictEqual } from 'node:util';

import { ollamaModelKey } from '../../shared/ollama-model-name.ts';
import type { Job, JobSpec } from '../control-plane.ts';
import { hasEnded } from './follow-job.ts';
import { toldSpec } from './told-spec.ts';

/** A job in memory. */
export type JobEntry = {
  /** As it is told of; replaced as a whole each time that something changes. */
  job: Job;
  /** What it does, whole. */
  readonly spec: JobSpec;
  readonly listeners: Set<() => void>;
  /** Ends the run that is under way. */
  stop: AbortController | undefined;
  /** Left by an earlier process, and not to be gone on with before it is said. */
  held: boolean;
  /** Left by an earlier process: what it was made from may be gone. */
  readonly inherited: boolean;
  /** Runs while a change waits to be told of. */
  telling: NodeJS.Timeout | undefined;
  /** When it was last told of, and last written, in milliseconds since the epoch. */
  toldMs: number;
  savedMs: number;
};

/** Runs at once per host: transfers share a line, conversions share processors, and Ollama loads one at a time. */
const LANES: Readonly<Record<JobSpec['kind'], { readonly lane: string; readonly width: number }>> = {
  pull: { lane: 'transfer', width: 3 },
  push: { lane: 'transfer', width: 3 },
  create: { lane: 'create', width: 1 },
  load: { lane: 'load', width: 2 },
};

/** Creates the entry of a job. */
export function createEntry(job: Job, inherited: boolean): JobEntry {
  return {
    job: { ...job, spec: toldSpec(job.spec) },
    spec: job.spec,
    listeners: new Set(),
    stop: undefined,
    held: inherited,
    inherited,
    telling: undefined,
    toldMs: 0,
    savedMs: 0,
  };
}

/** What a job works on; two that work on the same do not run at once. */
function placeOf({ host, spec }: Job): string {
  return `${host} ${ollamaModelKey(spec.model)}`;
}

/** The queued jobs that may begin now, in the order in which they came. */
export function nextToRun(entries: Iterable<JobEntry>): readonly JobEntry[] {
  // One that was cancelled is at work until its connection is closed.
  const unfinished = [...entries].filter(
    ({ job, stop, held }) => stop !== undefined || (!hasEnded(job) && !held),
  );
  const taken = new Set<string>();
  const used = new Map<string, number>();
  const take = ({ job }: JobEntry): void => {
    const lane = laneOf(job);
    taken.add(placeOf(job));
    used.set(lane, (used.get(lane) ?? 0) + 1);
  };
  for (const entry of unfinished) if (entry.stop !== undefined) take(entry);
  const next: JobEntry[] = [];
  for (const entry of unfinished) {
    if (entry.stop !== undefined) continue;
    const isFree = (used.get(laneOf(entry.job)) ?? 0) < LANES[entry.job.spec.kind].width;
    if (isFree && !taken.has(placeOf(entry.job))) {
      take(entry);
      next.push(entry);
    } else {
      // A later job on the same model must not overtake it.
      taken.add(placeOf(entry.job));
    }
  }
  return next;
}

function laneOf({ host, spec }: Job): string {
  return `${host} ${LANES[spec.kind].lane}`;
}

/** Whether a job that has not ended does what is asked for, so that a second one would do nothing more. */
export function doesTheSame(entry: JobEntry, spec: JobSpec, host: string): boolean {
  if (entry.job.host !== host || entry.spec.kind !== spec.kind) return false;
  if (ollamaModelKey(entry.spec.model) !== ollamaModelKey(spec.model)) return false;
  // A download satisfies whoever only wants the model to be there, but not the other way round.
  return isDeepStrictEqual(essenceOf(entry.spec, spec), essenceOf(spec, spec));
}

function essenceOf(spec: JobSpec, wanted: JobSpec): unknown {
  if (spec.kind === 'create') return spec.source;
  if (spec.kind === 'load') return spec.keepAlive;
  const isModest = wanted.kind === 'pull' && wanted.ifMissing === true;
  return isModest || spec.kind !== 'pull' || spec.ifMissing !== true;
}
