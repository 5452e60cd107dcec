/** A control plane that records what it is asked, for tests of what stands in front of it. */
import type { ControlEvent, ControlPlane, HostView, Job, ProfileView } from '../src/ollama/control-plane.ts';
import { ObeliskError } from '../src/shared/errors.ts';

/** One host that is up. */
export const HOST: HostView = {
  name: 'workstation',
  url: 'http://127.0.0.1:11434',
  state: 'up',
  version: '0.24.0',
  warnings: [],
  weight: 1,
  tags: ['gpu'],
  draining: false,
  parallel: 1,
  memoryBytes: 24_000_000_000,
  memorySource: 'configured',
  memoryUsedBytes: 4_000_000_000,
  models: 1,
  loaded: [
    {
      model: 'llama3:latest',
      state: 'loaded',
      sizeBytes: 4_000_000_000,
      vramBytes: 4_000_000_000,
      contextLength: 8_192,
      expiresAt: '2318-01-01T00:00:00Z',
      inFlight: 1,
      queued: 2,
    },
  ],
};

/** A job that runs. */
export function jobOf(changes: Partial<Job> = {}): Job {
  return {
    id: 'job-1',
    spec: { kind: 'pull', model: 'llama3' },
    host: HOST.name,
    state: 'running',
    attempts: 1,
    createdMs: 1_700_000_000_000,
    progress: { status: 'pulling manifest', layers: [] },
    ...changes,
  };
}

const PROFILE: ProfileView = {
  model: 'llama3:latest',
  options: { num_ctx: { value: 8_192, source: 'configured' } },
  requestOptions: [],
  notices: [],
};

/** A control plane with what was asked of it. */
export type RecordedControl = ControlPlane & {
  /** `name(arguments)` of each call that changes something or names a model. */
  readonly calls: string[];
  /** Jobs that are there; one that is started is added. */
  readonly known: Job[];
  /** What watching a job gives, in order; then it ends. */
  script: readonly Job[];
  /** Signals of those who watch. */
  readonly watching: AbortSignal[];
};

/** Creates the control plane. */
export function recordedControl(changes: Partial<ControlPlane> = {}): RecordedControl {
  const calls: string[] = [];
  const known: Job[] = [];
  const watching: AbortSignal[] = [];
  const note = (name: string, ...given: readonly unknown[]): void => {
    calls.push(`${name}(${given.map((one) => JSON.stringify(one)).join(', ')})`);
  };
  const find = (id: string): Job => {
    const found = known.find((job) => job.id === id);
    if (found === undefined) throw new ObeliskError('not_found', 'there is no job of that id');
    return found;
  };
  const control: RecordedControl = {
    calls,
    known,
    watching,
    script: [],
    hosts: () => [HOST],
    drain(host, draining) {
      note('drain', host, draining);
      return { ...HOST, draining };
    },
    models: () => Promise.resolve([]),
    show(model, at) {
      note('show', model, at);
      return Promise.resolve({ name: model, host: HOST.name, template: '{{ .Prompt }}' });
    },
    startJob(spec) {
      note('startJob', spec);
      const same = known.find((job) => JSON.stringify(job.spec) === JSON.stringify(spec));
      if (same !== undefined) return same;
      const job = jobOf({ id: `job-${known.length + 1}`, spec });
      known.push(job);
      return job;
    },
    jobs: () => known,
    job: find,
    cancelJob(id) {
      note('cancelJob', id);
      return { ...find(id), state: 'cancelled' };
    },
    watchJob: (_id, signal) => scripted(control.script, watching, signal),
    copy(source, destination, at) {
      note('copy', source, destination, at);
      return Promise.resolve();
    },
    remove(model, at) {
      note('remove', model, at);
      return Promise.resolve();
    },
    unload(model, at) {
      note('unload', model, at);
      return Promise.resolve([HOST.name]);
    },
    profiles: () => [PROFILE],
    profile(model, at) {
      note('profile', model, at);
      return PROFILE;
    },
    patchProfile(model, patch, at) {
      note('patchProfile', model, patch, at);
      return PROFILE;
    },
    fit(model, ask) {
      note('fit', model, ask);
      return Promise.resolve([]);
    },
    events: (signal) => endless<ControlEvent>(watching, signal),
    ...changes,
  };
  return control;
}

async function* scripted(
  jobs: readonly Job[],
  watching: AbortSignal[],
  signal: AbortSignal,
): AsyncGenerator<Job> {
  watching.push(signal);
  for (const job of jobs) yield await Promise.resolve(job);
  if (jobs.length === 0) yield* endless<Job>([], signal);
}

async function* endless<Event>(watching: AbortSignal[], signal: AbortSignal): AsyncGenerator<Event> {
  watching.push(signal);
  if (!signal.aborted) {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }
  const nothing: readonly Event[] = [];
  yield* nothing;
}
