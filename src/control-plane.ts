import { totalmem } from 'node:os';
import type { Settings } from './config/settings.ts';
import type { HostRecords } from './host-records.ts';
import type { ModelHosts } from './model-hosts.ts';
import type { ControlPlane, HostView, ModelPlace } from './ollama/control-plane.ts';
import type { FleetHost } from './ollama/fleet-host.ts';
import { viewHost, viewModels } from './ollama/fleet-view.ts';
import { ObeliskError } from './shared/errors.ts';

/** What a control plane is put together from. */
export type ControlPlaneParts = {
  readonly settings: Settings;
  readonly hosts: ModelHosts;
  readonly records: HostRecords;
};

/** Puts the control plane of one configuration together. */
export function createControlPlane({ hosts, records }: ControlPlaneParts): ControlPlane {
  const { fleet, management } = hosts;
  const { books, events } = records;
  const view = (host: FleetHost): HostView => viewHost(host, { books, totalMemoryBytes: totalmem() });
  const holder = (model: string, { host }: ModelPlace = {}): FleetHost => {
    const found = host === undefined ? fleet.find(model)?.hosts[0] : fleet.host(host);
    if (found !== undefined) return found;
    throw new ObeliskError('model_not_found', `no host of Ollama has the model ${model}`, { param: 'model' });
  };
  const notYet = (): never => {
    throw new ObeliskError('unsupported', 'this operation is not served yet');
  };
  return {
    hosts: () => fleet.hosts.map(view),
    drain: (host, draining) => view(fleet.drain(host, draining)),
    async models() {
      await fleet.refresh();
      return viewModels(fleet);
    },
    async show(model, at) {
      const host = holder(model, at);
      return { ...(await host.client.show(model)), name: model, host: host.name };
    },
    startJob: notYet,
    jobs: () => [],
    job: notYet,
    cancelJob: notYet,
    watchJob: notYet,
    copy: (source, destination) => management.copy(source, destination),
    remove: (model) => management.remove(model),
    unload: notYet,
    profiles: () => [],
    profile: notYet,
    patchProfile: notYet,
    fit: notYet,
    events: (signal) => events.subscribe(signal),
  };
}
