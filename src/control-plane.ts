import type { HostRecords } from './host-records.ts';
import type { ModelHosts } from './model-hosts.ts';
import type { ControlPlane, HostView } from './ollama/control-plane.ts';
import { createFleetFit } from './ollama/fleet-fit.ts';
import type { FleetHost } from './ollama/fleet-host.ts';
import { createFleetModels } from './ollama/fleet-models.ts';
import { viewHost, viewModels } from './ollama/fleet-view.ts';
import { ObeliskError } from './shared/errors.ts';

/** What a control plane is put together from. */
export type ControlPlaneParts = {
  readonly hosts: ModelHosts;
  readonly records: HostRecords;
};

/** Puts the control plane of one configuration together. */
export function createControlPlane({ hosts, records }: ControlPlaneParts): ControlPlane {
  const { fleet, profiles } = hosts;
  const { books, events } = records;
  const view = (host: FleetHost): HostView => viewHost(host, { books, profiles });
  const notYet = (): never => {
    throw new ObeliskError('unsupported', 'this operation is not served yet');
  };
  return {
    ...createFleetModels({ fleet, books }),
    hosts: () => fleet.hosts.map(view),
    drain: (host, draining) => view(fleet.drain(host, draining)),
    async models() {
      await fleet.refresh();
      return viewModels(fleet);
    },
    startJob: notYet,
    jobs: () => [],
    job: notYet,
    cancelJob: notYet,
    watchJob: notYet,
    profiles: () => profiles.views(),
    profile: (model, at) => profiles.view(model, at),
    patchProfile: (model, patch, at) => profiles.patch(model, patch, at),
    fit: createFleetFit({ fleet, profiles }),
    events: (signal) => events.subscribe(signal),
  };
}
