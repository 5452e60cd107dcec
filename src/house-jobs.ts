import type { HostRecords } from './host-records.ts';
import type { ModelHosts } from './model-hosts.ts';
import type { Job, JobSpec } from './ollama/control-plane.ts';
import { prepareCreate } from './ollama/create/prepare-create.ts';
import { creationHost } from './ollama/fleet/fleet-blobs.ts';
import type { FleetHost } from './ollama/fleet/fleet-host.ts';
import type { OllamaFleet } from './ollama/fleet/fleet.ts';
import { createJobStore } from './ollama/jobs/job-store.ts';
import { createOllamaJobs } from './ollama/jobs/jobs.ts';
import type { OllamaJobs } from './ollama/jobs/jobs.ts';
import { loadWanted } from './ollama/loader.ts';
import type { Settings } from './config/settings.ts';
import { ObeliskError } from './shared/errors.ts';
import { keepAliveSeconds } from './shared/keep-alive.ts';
import type { Logger } from './telemetry/log.ts';

/** What the jobs of a house are made of. */
export type HouseJobsOptions = {
  readonly dataDir: string;
  readonly logger: Logger;
  readonly records: HostRecords;
  /** The configuration in force; asked at each step, so that a job outlives a reload. */
  readonly current: () => { readonly settings: Settings; readonly hosts: ModelHosts };
};

/** Creates the jobs of a house: on the hosts, and by the rules, that are in force at each step. */
export function createHouseJobs({ dataDir, logger, records, current }: HouseJobsOptions): OllamaJobs {
  const fleet = (): OllamaFleet => current().hosts.fleet;
  return createOllamaJobs({
    store: createJobStore(dataDir, logger),
    logger,
    clientOf: (name) => fleet().named(name)?.client,
    hostFor: (spec) => hostFor(fleet(), spec).name,
    isInstalled: (name, model) => fleet().named(name)?.discovery.model(model) !== undefined,
    rules: () => current().settings.providers.ollama,
    prepareCreate,
    load: async (spec, name, signal) => load(current().hosts, { spec, host: fleet().host(name) }, signal),
    lookAt: async (name) => fleet().named(name)?.discovery.lookAgain(),
    onChange(job) {
      records.events.publish({ type: 'job', host: job.host, job });
      // What is loaded is seen at once, instead of at the next look.
      if (isLoaded(job)) void fleet().named(job.host)?.discovery.lookAgain();
    },
  });
}

function isLoaded({ state, spec }: Job): boolean {
  return state === 'done' && spec.kind === 'load';
}

/** Where a job is done: where it says, where the model is, or else where it may be served from. */
function hostFor(fleet: OllamaFleet, spec: JobSpec): FleetHost {
  if (spec.host !== undefined) return fleet.host(spec.host);
  return creationHost(fleet, {
    model: spec.model,
    base: spec.kind === 'create' ? spec.source.from : undefined,
  });
}

type LoadOrder = { readonly spec: Extract<JobSpec, { kind: 'load' }>; readonly host: FleetHost };

/** Loads with the profile that every request will have. */
function load({ serving }: ModelHosts, { spec, host }: LoadOrder, signal: AbortSignal): Promise<void> {
  const { keepAlive } = spec;
  if (keepAlive !== undefined && keepAliveSeconds(keepAlive) === 0) {
    throw new ObeliskError('invalid_request', 'a keep_alive of 0 unloads a model; unload it', {
      param: 'keepAlive',
    });
  }
  return loadWanted(serving, { ...spec, url: host.url }, signal);
}
