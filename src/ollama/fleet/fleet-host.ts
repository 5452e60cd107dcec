import type { OllamaHostSettings } from '../../shared/ollama-hosts.ts';

import type { OllamaClient } from '../api/client.ts';
import type { OllamaDiscovery } from './discovery.ts';

/** Whether a host is given new requests; it outlives a reload of the configuration. */
export type DrainSwitch = {
  readonly draining: boolean;
  set(draining: boolean): void;
  /** Calls `listener` after it was turned. Returns an undo. */
  onChange(listener: () => void): () => void;
};

/** What stays of a host as long as its address does, whatever else a new configuration says of it. */
export type HostSide = {
  readonly client: OllamaClient;
  readonly discovery: OllamaDiscovery;
  readonly drain: DrainSwitch;
};

/** One server of Ollama, as one configuration has it. */
export type FleetHost = HostSide & OllamaHostSettings;

/** Creates a switch that is off. */
export function createDrainSwitch(): DrainSwitch {
  const listeners = new Set<() => void>();
  let draining = false;
  return {
    get draining() {
      return draining;
    },
    set(wanted) {
      if (wanted === draining) return;
      draining = wanted;
      for (const listener of listeners) listener();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
