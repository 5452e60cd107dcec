import type { ControlPlane } from '../ollama/control-plane.ts';

type Call = (...given: never[]) => unknown;

type Later<Operation extends Call> =
  ReturnType<Operation> extends Promise<unknown> | AsyncIterable<unknown>
    ? Operation
    : (...given: Parameters<Operation>) => Promise<ReturnType<Operation>>;

/**
 * The control plane as the command line uses it, in this process or in a running server: every answer
 * takes its time.
 */
export type Controlling = {
  readonly [Name in keyof Omit<ControlPlane, 'startJob' | 'events'>]: Later<ControlPlane[Name]>;
} & {
  /** Starts a job; `joined` where one that was there already does the same. */
  startJob(spec: Parameters<ControlPlane['startJob']>[0]): Promise<StartedJob>;
  close(): Promise<void>;
};

/** A job, and whether it was there already. */
export type StartedJob = { readonly job: ReturnType<ControlPlane['job']>; readonly joined: boolean };

/** Uses a control plane of this process. */
export function controlHere(control: ControlPlane, close: () => Promise<void>): Controlling {
  return {
    hosts: async () => control.hosts(),
    drain: async (host, draining) => control.drain(host, draining),
    models: () => control.models(),
    show: (model, at) => control.show(model, at),
    async startJob(spec) {
      const before = new Set(control.jobs().map((job) => job.id));
      const job = control.startJob(spec);
      return { job, joined: before.has(job.id) };
    },
    jobs: async () => control.jobs(),
    job: async (id) => control.job(id),
    cancelJob: async (id) => control.cancelJob(id),
    watchJob: (id, signal) => control.watchJob(id, signal),
    copy: (source, destination, at) => control.copy(source, destination, at),
    remove: (model, at) => control.remove(model, at),
    unload: (model, at) => control.unload(model, at),
    profiles: async () => control.profiles(),
    profile: async (model, at) => control.profile(model, at),
    patchProfile: async (model, patch, at) => control.patchProfile(model, patch, at),
    fit: (model, ask) => control.fit(model, ask),
    close,
  };
}
