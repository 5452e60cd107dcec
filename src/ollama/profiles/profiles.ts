import { ObeliskError } from '../../shared/errors.ts';
import { ollamaModelKey, ollamaModelName } from '../../shared/ollama-model-name.ts';
import { isLoopbackUrl } from '../../shared/local-host.ts';
import type { OllamaHostSettings } from '../../shared/ollama-hosts.ts';

import type { HostMemory, ModelPlace, ProfilePatch, ProfileView } from '../control-plane.ts';
import type { OllamaTarget } from '../fleet/hosts.ts';
import type { OllamaModel } from '../fleet/model-facts.ts';
import { profileValues, runnerProfile } from './profile.ts';
import type { ProfileFacts, RunnerProfile } from './profile.ts';
import { runnerOptionsOf } from '../queue/runner-options.ts';
import type { RunnerOptions } from '../queue/runner-options.ts';

import { patchedValues } from './patch.ts';
import { valuesOfHardware } from './profile-values.ts';
import type { ProfileLayer, ProfileValues } from './profile-values.ts';
import { toProfileView } from './profile-view.ts';
import { findTwins } from './profile-twins.ts';
import type { ProfileTwin } from './profile-twins.ts';
import type { ProfileAtHost } from './profile-view.ts';
import type { ProfileScope, ProfileStore } from './store.ts';

/** Name of the profile that holds for every model. A model of that name is reached as `default:latest`. */
export const DEFAULT_PROFILE = 'default';

/** What of a host's configuration a profile follows from. */
export type ProfileHost = Pick<
  OllamaHostSettings,
  'name' | 'url' | 'parallel' | 'memoryBytes' | 'cacheType' | 'hardware' | 'modelOverrides'
>;

/** What of the configuration profiles follow from. */
export type ProfileSettings = {
  readonly hosts: readonly ProfileHost[];
  readonly hardware: RunnerOptions;
  /** By model name as written in the configuration. */
  readonly modelOverrides: Readonly<Record<string, RunnerOptions>>;
  /** Runner options that a request may set itself. */
  readonly requestOptions: readonly string[];
};

/** The profiles of all models, as one configuration and what was set at run time have them. */
export type OllamaProfiles = {
  /** What requests for a model are served with; `model` is what is known of it. */
  of(target: OllamaTarget, model: OllamaModel | undefined): RunnerProfile;
  /** The default profile, that of each model, and those of models on hosts that differ. */
  views(): readonly ProfileView[];
  /** @throws ObeliskError `not_found` for a host that is not configured. */
  view(model: string, at?: ModelPlace): ProfileView;
  /**
   * Changes a profile at run time and keeps the change across restarts.
   * @throws ObeliskError `invalid_request` naming the option and what to use instead, `not_found` for a
   *   host that is not configured, `store_failed`.
   */
  patch(model: string, patch: ProfilePatch, at?: ModelPlace): ProfileView;
  memoryOf(host: Pick<ProfileHost, 'url' | 'memoryBytes'>): HostMemory;
  /** Calls `listener` after a profile changed. Returns an undo. */
  onChange(listener: () => void): () => void;
};

/** What profiles are made of. */
export type OllamaProfilesOptions = {
  readonly settings: ProfileSettings;
  readonly store: ProfileStore;
  /** What is known of a model on a host, by the host's URL. */
  readonly installed: (baseUrl: string, model: string) => OllamaModel | undefined;
  /** Names of every installed model. */
  readonly names: () => readonly string[];
  /** Memory of this machine, in bytes: what a host on it has. */
  readonly machineBytes: number;
};

/** Creates the profiles of one configuration. */
export function createOllamaProfiles(options: OllamaProfilesOptions): OllamaProfiles {
  return new Profiles(options);
}

type HostFacts = Pick<ProfileFacts, 'memoryBytes' | 'parallel' | 'cacheType'>;

/** The scope of every model on every host. */
const EVERYWHERE: ProfileScope = { model: '', host: '' };

class Profiles implements OllamaProfiles {
  readonly #options: OllamaProfilesOptions;
  readonly #listeners = new Set<() => void>();

  constructor(options: OllamaProfilesOptions) {
    this.#options = options;
  }

  of(target: OllamaTarget, model: OllamaModel | undefined): RunnerProfile {
    const host = this.#options.settings.hosts.find(({ url }) => url === target.baseUrl);
    const layers = [...this.#layers(target.model, host), deploymentLayer(target.defaults)];
    const facts = host === undefined ? this.#strangerFacts(target.baseUrl) : this.#hostFacts(host);
    return runnerProfile({ ...facts, model, layers });
  }

  views(): readonly ProfileView[] {
    const { settings, store } = this.#options;
    const stored = store.all();
    // The last spelling of a name is the one that is shown: Ollama's own.
    const named = [
      ...stored.map(({ model }) => model).filter((model) => model !== ''),
      ...settings.hosts.flatMap((host) => Object.keys(host.modelOverrides)),
      ...Object.keys(settings.modelOverrides),
      ...this.#options.names(),
    ];
    const names = [...new Map(named.map((name) => [ollamaModelKey(name), ollamaModelName(name)])).values()];
    return [DEFAULT_PROFILE, ...names.toSorted()].flatMap((name) => [
      this.view(name),
      ...settings.hosts
        .filter((host) => this.#saysOfItsOwn(name, host))
        .map((host) => this.view(name, { host: host.name })),
    ]);
  }

  view(model: string, at: ModelPlace = {}): ProfileView {
    const name = model === DEFAULT_PROFILE ? undefined : ollamaModelName(requireModelName(model));
    const { settings } = this.#options;
    const host = at.host === undefined ? undefined : this.#hostNamed(at.host);
    // Where there is one host, what holds for all is what is sent to it.
    const placed = host ?? (settings.hosts.length === 1 ? settings.hosts[0] : undefined);
    const known = name === undefined ? undefined : this.#modelAt(name, placed);
    const layers = this.#layers(name, placed);
    return toProfileView({
      model: name ?? DEFAULT_PROFILE,
      host: host?.name,
      isDefault: name === undefined,
      known,
      values: profileValues({ ...this.#hostFacts(placed), model: known, layers }),
      asked: layers,
      twins: name === undefined ? [] : this.#twins(name, placed),
      elsewhere: placed === undefined ? this.#atHosts(name) : [],
      room: placed && { ...placed, ...this.memoryOf(placed) },
    });
  }

  patch(model: string, patch: ProfilePatch, at: ModelPlace = {}): ProfileView {
    const scope: ProfileScope = {
      model: model === DEFAULT_PROFILE ? '' : ollamaModelKey(requireModelName(model)),
      host: at.host === undefined ? '' : this.#hostNamed(at.host).name,
    };
    // What is wrong with it is told before anything is opened.
    patchedValues({ options: {} }, patch);
    this.#options.store.change(scope, (before) => patchedValues(before, patch));
    for (const listener of this.#listeners) listener();
    return this.view(model, at);
  }

  memoryOf(host: Pick<ProfileHost, 'url' | 'memoryBytes'>): HostMemory {
    if (host.memoryBytes !== undefined) {
      return { memoryBytes: host.memoryBytes, memorySource: 'configured' };
    }
    // Of another machine's memory nothing is known: Ollama tells none.
    if (!isLoopbackUrl(host.url)) return { memorySource: 'unknown' };
    return { memoryBytes: this.#options.machineBytes, memorySource: 'this machine' };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What holds on each host. */
  #atHosts(name: string | undefined): readonly ProfileAtHost[] {
    return this.#options.settings.hosts.map((host) => {
      // A host that has it not yet would get the same model.
      const model = name === undefined ? undefined : (this.#modelAt(name, host) ?? this.#modelAt(name));
      const layers = this.#layers(name, host);
      return { host: host.name, values: profileValues({ ...this.#hostFacts(host), model, layers }) };
    });
  }

  /** Other names of the same weights that are loaded with something else. */
  #twins(name: string, placed: ProfileHost | undefined): readonly ProfileTwin[] {
    const { names, installed, settings } = this.#options;
    const hosts = placed === undefined ? settings.hosts : [placed];
    return findTwins(name, hosts, {
      names,
      installed,
      sent: ({ url }, model) => this.of({ baseUrl: url, model: model.name, defaults: {} }, model).runner,
    });
  }

  #hostFacts(host: ProfileHost | undefined): HostFacts {
    if (host === undefined) return {};
    const { parallel, cacheType } = host;
    return { memoryBytes: this.memoryOf(host).memoryBytes, parallel, cacheType };
  }

  /** A host that only a deployment names: all that is known of it is whether it is this machine. */
  #strangerFacts(url: string): HostFacts {
    return isLoopbackUrl(url) ? { memoryBytes: this.#options.machineBytes } : {};
  }

  /**
   * What is said of a model on a host, the weakest first: of all, of the host, of the model, of the
   * model on the host; in each of these, what was set at run time wins over the configuration.
   */
  #layers(model: string | undefined, host: ProfileHost | undefined): readonly ProfileLayer[] {
    const { settings, store } = this.#options;
    const key = model === undefined ? undefined : ollamaModelKey(model);
    const { requestOptions } = settings;
    const layers = [
      configured({ ...valuesOfHardware(settings.hardware), requestOptions }),
      ...setAtRunTime(store.of(EVERYWHERE)),
    ];
    if (host !== undefined) {
      layers.push(configured(valuesOfHardware(host.hardware)));
      layers.push(...setAtRunTime(store.of({ model: '', host: host.name })));
    }
    if (key !== undefined) {
      layers.push(configured(overrideOf(settings.modelOverrides, key)));
      layers.push(...setAtRunTime(store.of({ model: key, host: '' })));
    }
    if (key !== undefined && host !== undefined) {
      layers.push(configured(overrideOf(host.modelOverrides, key)));
      layers.push(...setAtRunTime(store.of({ model: key, host: host.name })));
    }
    return layers;
  }

  #saysOfItsOwn(model: string, { name, hardware, modelOverrides }: ProfileHost): boolean {
    const { store } = this.#options;
    if (model === DEFAULT_PROFILE) {
      return Object.keys(hardware).length > 0 || store.of({ model: '', host: name }) !== undefined;
    }
    const key = ollamaModelKey(model);
    const own = Object.keys(overrideOf(modelOverrides, key).options).length > 0;
    return own || store.of({ model: key, host: name }) !== undefined;
  }

  #hostNamed(name: string): ProfileHost {
    const { hosts } = this.#options.settings;
    const host = hosts.find((one) => one.name.toLowerCase() === name.toLowerCase());
    if (host !== undefined) return host;
    const names = hosts.map((one) => one.name).join(', ');
    throw new ObeliskError('not_found', `no host is called ${name}; the hosts are: ${names}`, {
      param: 'host',
    });
  }

  #modelAt(name: string, host?: ProfileHost): OllamaModel | undefined {
    const { settings, installed } = this.#options;
    const hosts = host === undefined ? settings.hosts : [host];
    for (const { url } of hosts) {
      const model = installed(url, name);
      if (model !== undefined) return model;
    }
    return undefined;
  }
}

function configured(values: ProfileValues): ProfileLayer {
  return { source: 'configured', values };
}

function setAtRunTime(values: ProfileValues | undefined): readonly ProfileLayer[] {
  return values === undefined ? [] : [{ source: 'run time', values }];
}

function overrideOf(overrides: Readonly<Record<string, RunnerOptions>>, key: string): ProfileValues {
  const found = Object.entries(overrides).find(([name]) => ollamaModelKey(name) === key);
  return found === undefined ? { options: {} } : valuesOfHardware(found[1]);
}

/** Runner options of `litellm_params`. Its `keep_alive` is a default of requests, not of the profile. */
function deploymentLayer(defaults: Readonly<Record<string, unknown>>): ProfileLayer {
  return configured({ options: runnerOptionsOf(defaults) });
}

const MODEL_NAME = /^[^\s\p{Cc}]{1,250}$/u;

function requireModelName(model: string): string {
  if (MODEL_NAME.test(model)) return model;
  throw new ObeliskError('invalid_request', 'the name of a model has no spaces and at most 250 characters', {
    param: 'model',
  });
}
