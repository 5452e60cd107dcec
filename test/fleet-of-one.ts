/** A fleet of the one host that a test has made itself. */
import { createDrainSwitch } from '../src/ollama/fleet/fleet-host.ts';
import type { HostSide } from '../src/ollama/fleet/fleet-host.ts';
import { createOllamaFleet } from '../src/ollama/fleet/fleet.ts';
import type { OllamaFleet } from '../src/ollama/fleet/fleet.ts';

/** Makes the fleet; `allowCloud` unless told: models that leave the machine are served. */
export function fleetOfOne(
  side: Pick<HostSide, 'client' | 'discovery'>,
  { allowCloud = true }: { readonly allowCloud?: boolean } = {},
): OllamaFleet {
  const { url } = side.client;
  const own = { weight: 1, tags: [], parallel: 1, hardware: {}, modelOverrides: {} };
  return createOllamaFleet({
    hosts: [{ name: new URL(url).host, url, ...own }],
    sideOf: () => ({ ...side, drain: createDrainSwitch() }),
    modelHosts: {},
    allowCloud,
  });
}
