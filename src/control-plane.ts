import type { Settings } from './config/settings.ts';
import type { ModelHosts } from './model-hosts.ts';
import type { ControlPlane, FleetModel, HostView, LoadedModel } from './ollama/control-plane.ts';
import type { OllamaModel } from './ollama/model-facts.ts';
import { ollamaModelKey } from './providers/ollama/model-name.ts';
import { ObeliskError } from './shared/errors.ts';

/** What a control plane is put together from. */
export type ControlPlaneParts = { readonly settings: Settings; readonly hosts: ModelHosts };

/** Puts the control plane of one configuration together. */
export function createControlPlane({ settings, hosts }: ControlPlaneParts): ControlPlane {
  const { discovery, management } = hosts;
  const [configured] = settings.providers.ollama.hosts;
  const name = configured?.name ?? new URL(discovery.url).host;
  const view = (): HostView => {
    const state = discovery.state();
    const loaded = discovery.running().map((running): LoadedModel => ({
      model: running.name,
      state: 'loaded',
      sizeBytes: running.size ?? 0,
      vramBytes: running.size_vram ?? 0,
      inFlight: 0,
      queued: 0,
      ...(running.context_length === undefined ? {} : { contextLength: running.context_length }),
      ...(running.expires_at === undefined ? {} : { expiresAt: running.expires_at }),
    }));
    return {
      name,
      url: discovery.url,
      state: state.kind,
      ...('reason' in state ? { reason: state.reason } : {}),
      ...('version' in state ? { version: state.version } : {}),
      warnings: [],
      weight: configured?.weight ?? 1,
      tags: configured?.tags ?? [],
      draining: false,
      parallel: configured?.parallel ?? 1,
      memorySource: 'unknown',
      memoryUsedBytes: loaded.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      models: discovery.models().length,
      loaded,
    };
  };
  const notYet = (): never => {
    throw new ObeliskError('unsupported', 'this operation is not served yet');
  };
  return {
    hosts: () => [view()],
    drain: notYet,
    models: async () => (await management.list()).map((model) => toFleet(model, name, hosts)),
    show: async (model) => ({ ...(await management.show(model)), name: model, host: name }),
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
    events: notYet,
  };
}

function toFleet(model: OllamaModel, host: string, { discovery }: ModelHosts): FleetModel {
  const key = ollamaModelKey(model.name);
  const loaded = discovery.running().some((running) => ollamaModelKey(running.name) === key);
  return {
    name: model.name,
    digest: model.digest,
    sizeBytes: model.sizeBytes,
    modifiedAt: model.modifiedMs === 0 ? '' : new Date(model.modifiedMs).toISOString(),
    capabilities: (['chat', 'embedding', 'tools', 'vision', 'thinking'] as const).filter((one) => model[one]),
    ...(model.contextLength === undefined ? {} : { contextLength: model.contextLength }),
    ...(model.remoteHost === undefined ? {} : { remoteHost: model.remoteHost }),
    hosts: [{ host, loaded, digest: model.digest }],
  };
}
