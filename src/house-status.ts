import type { Readiness } from './gateway/health-routes.ts';
import type { OllamaFleet } from './ollama/fleet/fleet.ts';
import type { FleetHost } from './ollama/fleet/fleet-host.ts';
import type { VaultLibrary } from './rag/library.ts';
import type { ProxyModels } from './router/proxy-models.ts';
import type { ExtraGauge } from './telemetry/metrics.ts';

/** Says how the hosts and the vaults are, for `/health/readiness`. */
export function readinessOf(from: {
  readonly library: VaultLibrary;
  readonly fleet: OllamaFleet;
  readonly proxy: ProxyModels | undefined;
  readonly trouble: Readiness['trouble'];
}): Readiness {
  const { library, fleet, proxy, trouble } = from;
  const vaults = library.status().map(({ warnings, path: _path, ...status }) => ({
    ...status,
    warnings: warnings.length,
  }));
  const details = {
    ollama: ollamaStatus(fleet),
    ...(proxy === undefined ? {} : { litellm: { url: proxy.url, trouble: proxy.trouble() ?? null } }),
    vaults,
  };
  // The gateway serves as soon as it listens; indexing goes on behind it and is told here.
  return { ready: true, trouble, details };
}

/** Of one host, how it is; of several, each by its name. */
function ollamaStatus({ hosts }: OllamaFleet): Readonly<Record<string, unknown>> {
  const [first, second] = hosts;
  if (first !== undefined && second === undefined) return hostStatus(first);
  return { hosts: hosts.map((host) => ({ name: host.name, ...hostStatus(host) })) };
}

function hostStatus({ url, discovery, drain }: FleetHost): Readonly<Record<string, unknown>> {
  return {
    url,
    ...discovery.state(),
    models: discovery.models().length,
    ...(drain.draining ? { draining: true } : {}),
  };
}

/** The size of each index, for `/metrics`. */
export function indexGauges(library: () => VaultLibrary): readonly ExtraGauge[] {
  const gauge = (
    name: string,
    help: string,
    value: 'notes' | 'chunks' | 'pendingNotes' | 'embeddedChunks',
  ) => ({
    name,
    help,
    read: () =>
      library()
        .status()
        .map((vault) => ({ labels: { vault: vault.name }, value: vault[value] })),
  });
  return [
    gauge('obelisk_index_notes', 'Notes in the index.', 'notes'),
    gauge('obelisk_index_chunks', 'Passages in the index.', 'chunks'),
    gauge('obelisk_index_pending_notes', 'Notes still to be read.', 'pendingNotes'),
    gauge('obelisk_index_embedded_chunks', 'Passages with a vector.', 'embeddedChunks'),
  ];
}
