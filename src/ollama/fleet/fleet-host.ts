import type { Secret } from '../../shared/secret.ts';

import type { OllamaClient } from '../api/client.ts';
import type { OllamaDiscovery } from './discovery.ts';
import type { CacheType } from '../profiles/fit.ts';

/** What a configuration says of one server of Ollama. */
export type FleetHostSettings = {
  readonly name: string;
  /** Base URL without a trailing slash. */
  readonly url: string;
  readonly apiKey?: Secret;
  /** Part of the requests, relative to the other hosts; 0 is asked only where no other can be. */
  readonly weight: number;
  readonly tags: readonly string[];
  /** Requests that it serves at once per model. */
  readonly parallel: number;
  /** Memory for models, in bytes. */
  readonly memoryBytes?: number;
  /** Its OLLAMA_KV_CACHE_TYPE. */
  readonly cacheType?: CacheType;
  /** Runner options, over those of all hosts. */
  readonly hardware: Readonly<Record<string, number | boolean>>;
  /** Runner options by model name, over those of all hosts. */
  readonly modelOverrides: Readonly<Record<string, Readonly<Record<string, number | boolean>>>>;
};

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
export type FleetHost = HostSide & FleetHostSettings;

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
