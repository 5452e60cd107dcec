import { ObeliskError } from '../../shared/errors.ts';
import { nearest } from '../../shared/nearest.ts';
import type { OllamaHostSettings } from '../../shared/ollama-hosts.ts';
import { ollamaModelKey } from '../../shared/ollama-model-name.ts';

import type { FleetHost, HostSide } from './fleet-host.ts';
import { createPinRule } from './model-pins.ts';
import type { PinRule } from './model-pins.ts';
import type { OllamaModel } from './model-facts.ts';

/** A model, and the hosts that may be asked for it now. */
export type FleetEntry = {
  /** As the first of the hosts has it. */
  readonly model: OllamaModel;
  /** At least one, in the order of the configuration. */
  readonly hosts: readonly FleetHost[];
};

/** Every server of Ollama that a configuration lists, as one. It answers from memory. */
export type OllamaFleet = {
  /** At least one, in the order of the configuration. */
  readonly hosts: readonly FleetHost[];
  /** Whether models that leave the machine are served. */
  readonly allowCloud: boolean;
  /** The host of a name, however its letters are written. */
  named(name: string): FleetHost | undefined;
  /** @throws ObeliskError `not_found` naming the nearest. */
  host(name: string): FleetHost;
  /** The host of a base URL. */
  at(url: string): FleetHost | undefined;
  /** The models that can be asked for now: on a host that is there, may serve them and is not drained. */
  models(): readonly FleetEntry[];
  /** Finds one of them by any spelling of its name (`llama3`, `llama3:latest`). */
  find(name: string): FleetEntry | undefined;
  /** Whether a host may serve a model, by `model_hosts`. */
  mayServe(host: OllamaHostSettings, name: string): boolean;
  /** The hosts that may serve a model and had it when they were last there. */
  knownAt(name: string): readonly FleetHost[];
  /** Where the model's text would leave the machine to, where that is not allowed. */
  refusedRemote(name: string): string | undefined;
  /** Looks at every host now. */
  refresh(): Promise<void>;
  /** Looks at every host after what has just been changed there. */
  lookAgain(): Promise<void>;
  /** Gives a host no new requests, or takes that back. @throws ObeliskError `not_found`. */
  drain(name: string, draining: boolean): FleetHost;
  /** Calls `listener` after models, or the state of a host, changed. Returns an undo. */
  onChange(listener: () => void): () => void;
  /** Takes back everything that is listened for. */
  end(): void;
};

/** What a fleet is made of. */
export type OllamaFleetOptions = {
  readonly hosts: readonly OllamaHostSettings[];
  /** What stays of the host with that address. */
  readonly sideOf: (host: OllamaHostSettings) => HostSide;
  /** Names or tags of the hosts that may serve a model, by its name. */
  readonly modelHosts: Readonly<Record<string, readonly string[]>>;
  /** Whether models that leave the machine are served. */
  readonly allowCloud: boolean;
};

/** Creates the fleet of one configuration; nothing is sent by it. */
export function createOllamaFleet(options: OllamaFleetOptions): OllamaFleet {
  return new Fleet(options);
}

class Fleet implements OllamaFleet {
  readonly hosts: readonly FleetHost[];
  readonly #byUrl: ReadonlyMap<string, FleetHost>;
  readonly #mayServe: PinRule;
  readonly allowCloud: boolean;
  readonly #listeners = new Set<() => void>();
  readonly #undos: readonly (() => void)[];
  #entries: ReadonlyMap<string, FleetEntry> | undefined;

  constructor({ hosts, sideOf, modelHosts, allowCloud }: OllamaFleetOptions) {
    this.hosts = hosts.map((host) => ({ ...host, ...sideOf(host) }));
    this.#byUrl = new Map(this.hosts.map((host) => [host.url, host]));
    this.#mayServe = createPinRule(modelHosts);
    this.allowCloud = allowCloud;
    const changed = (): void => this.#changed();
    this.#undos = this.hosts.flatMap(({ discovery, drain }) => [
      discovery.onChange(changed),
      drain.onChange(changed),
    ]);
  }

  named(name: string): FleetHost | undefined {
    return this.hosts.find((host) => host.name.toLowerCase() === name.toLowerCase());
  }

  host(name: string): FleetHost {
    const found = this.named(name);
    if (found !== undefined) return found;
    const names = this.hosts.map((host) => host.name);
    const [closest] = nearest(name, names, 1);
    const hint = closest === undefined ? `there are ${names.join(', ')}` : `did you mean ${closest}?`;
    throw new ObeliskError('not_found', `there is no host ${name} of Ollama; ${hint}`, { param: 'host' });
  }

  at(url: string): FleetHost | undefined {
    return this.#byUrl.get(url);
  }

  models(): readonly FleetEntry[] {
    return [...this.#all().values()];
  }

  find(name: string): FleetEntry | undefined {
    return this.#all().get(ollamaModelKey(name));
  }

  mayServe(host: OllamaHostSettings, model: string): boolean {
    return this.#mayServe(host, model);
  }

  knownAt(name: string): readonly FleetHost[] {
    return this.hosts.filter((host) => this.mayServe(host, name) && host.discovery.wasSeen(name));
  }

  refusedRemote(name: string): string | undefined {
    if (this.allowCloud) return undefined;
    for (const { discovery } of this.hosts) {
      const remote = discovery.model(name)?.remoteHost;
      if (remote !== undefined) return remote;
    }
    return undefined;
  }

  async refresh(): Promise<void> {
    await Promise.all(this.hosts.map(({ discovery }) => discovery.refresh()));
  }

  async lookAgain(): Promise<void> {
    await Promise.all(this.hosts.map(({ discovery }) => discovery.lookAgain()));
  }

  drain(name: string, draining: boolean): FleetHost {
    const host = this.host(name);
    host.drain.set(draining);
    return host;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  end(): void {
    for (const undo of this.#undos) undo();
    this.#listeners.clear();
  }

  #changed(): void {
    this.#entries = undefined;
    for (const listener of this.#listeners) listener();
  }

  #all(): ReadonlyMap<string, FleetEntry> {
    this.#entries ??= this.#collect();
    return this.#entries;
  }

  #collect(): ReadonlyMap<string, FleetEntry> {
    const entries = new Map<string, { readonly model: OllamaModel; readonly hosts: FleetHost[] }>();
    for (const host of this.hosts) {
      for (const model of host.drain.draining ? [] : host.discovery.models()) {
        if (!this.#isServed(host, model)) continue;
        const key = ollamaModelKey(model.name);
        const entry = entries.get(key);
        if (entry === undefined) entries.set(key, { model, hosts: [host] });
        else if (isSameModel(entry.model, model)) entry.hosts.push(host);
      }
    }
    return entries;
  }

  #isServed(host: FleetHost, { name, remoteHost }: OllamaModel): boolean {
    return this.mayServe(host, name) && (this.allowCloud || remoteHost === undefined);
  }
}

/**
 * Whether requests for one may be answered by the other. Vectors of two different models do not
 * belong in one index, whatever name they share; of a chat the name is what was asked for.
 */
function isSameModel(a: OllamaModel, b: OllamaModel): boolean {
  if ((a.remoteHost === undefined) !== (b.remoteHost === undefined)) return false;
  return (a.chat && b.chat) || a.digest === b.digest;
}
