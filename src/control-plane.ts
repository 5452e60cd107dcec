import type { HostRecords } from './host-records.ts';
import type { ModelHosts } from './model-hosts.ts';
import type { ControlPlane, HostMemory, HostView } from './ollama/control-plane.ts';
import { createFleetFit } from './ollama/profiles/fleet-fit.ts';
import type { FleetHost } from './ollama/fleet/fleet-host.ts';
import { createFleetModels } from './ollama/fleet/fleet-models.ts';
import { viewHost, viewModels } from './ollama/fleet/fleet-view.ts';
import type { OllamaJobs } from './ollama/jobs/jobs.ts';

/** What a control plane is put together from. */
export type ControlPlaneParts = {
  readonly hosts: ModelHosts;
  readonly records: HostRecords;
  readonly jobs: OllamaJobs;
};

/** Puts the control plane of one configuration together. */
export function createControlPlane({ hosts, records, jobs }: ControlPlaneParts): ControlPlane {
  const { fleet, profiles } = hosts;
  const { books, events } = records;
  const memoryOf = (host: FleetHost): HostMemory => profiles.memoryOf(host);
  const view = (host: FleetHost): HostView => viewHost(host, { books, memoryOf });
  return {
    ...createFleetModels({ fleet, books }),
    hosts: () => fleet.hosts.map(view),
    drain: (host, draining) => view(fleet.drain(host, draining)),
    async models() {
      await fleet.refresh();
      return viewModels(fleet);
    },
    startJob: (spec) => jobs.start(spec),
    jobs: () => jobs.list(),
    job: (id) => jobs.get(id),
    cancelJob: (id) => jobs.cancel(id),
    watchJob: (id, signal) => jobs.watch(id, signal),
    profiles: () => profiles.views(),
    profile: (model, at) => profiles.view(model, at),
    patchProfile: (model, patch, at) => profiles.patch(model, patch, at),
    fit: createFleetFit({ fleet, profiles }),
    events: (signal) => events.subscribe(signal),
  };
}
