import { ollamaModelKey } from '../shared/ollama-model-name.ts';
import type { FleetHost } from '../ollama/fleet/fleet-host.ts';
import type { OllamaFleet } from '../ollama/fleet/fleet.ts';

import type { Candidate } from './default-model.ts';
import type { Unservable } from './configured-models.ts';
import type { Deployment, Resolution } from './deployment.ts';
import { ollamaCapabilities, toOllamaDeployments } from './ollama-models.ts';
import { HostSilence, mayBeAsked } from './host-silence.ts';
import type { ProxyModels } from './proxy-models.ts';
import { LITELLM_PREFIX, withoutOllamaPrefix } from './selector.ts';
import type { Backend } from './selector.ts';

/** Where models come from. */
export type ModelSourcesOptions = {
  readonly fleet: OllamaFleet;
  readonly proxy?: ProxyModels | undefined;
  /** Deployments of `model_list`, in its order. */
  readonly deployments: readonly Deployment[];
  readonly unservable: readonly Unservable[];
  /** Tokens that a model of a host of the fleet is served with. */
  readonly servedContext?: ((deployment: Deployment) => number | undefined) | undefined;
  /** Where a change of what a model is served with is told. */
  readonly profiles?: { onChange(listener: () => void): unknown } | undefined;
  /** Milliseconds that never go back. */
  readonly monotonicMs: () => number;
};

const MAX_MATCHED = 256;

/** The models of `model_list`, Ollama and the proxy under one roof, kept in memory and rebuilt on change. */
export class ModelSources {
  readonly unservable: readonly Unservable[];
  readonly #options: ModelSourcesOptions;
  /** Deployments made from patterns, by the name they were asked by. */
  readonly #matched = new Map<string, Deployment>();
  /** Groups of one, so that each stays the same array. */
  readonly #singles = new WeakMap<Deployment, Resolution>();
  readonly #groups: ReadonlyMap<string, readonly Deployment[]>;
  /** Entries of `model_list` with a `*` in their name, the most specific first, as LiteLLM asks them. */
  readonly #patterns: readonly Deployment[];
  /** Built anew when what was found changed; deployments are compared by identity elsewhere. */
  #ollama: ReadonlyMap<string, Resolution & { readonly kind: 'found' }> | undefined;
  #configured: ReadonlyMap<Deployment, Deployment> | undefined;
  readonly #silence: HostSilence;
  /** What each name of `model_list` that can be asked now means. */
  #present = new Map<string, Resolution>();

  constructor(options: ModelSourcesOptions) {
    this.#options = options;
    this.unservable = options.unservable;
    this.#silence = new HostSilence(options);
    const named = options.deployments.filter((deployment) => !isPattern(deployment.modelName));
    this.#groups = Map.groupBy(named, (deployment) => deployment.modelName);
    this.#patterns = options.deployments
      .filter((deployment) => isPattern(deployment.modelName))
      .sort((a, b) => b.modelName.length - a.modelName.length);
    const changed = (): void => {
      this.#ollama = undefined;
      this.#configured = undefined;
      this.#present = new Map();
    };
    options.fleet.onChange(changed);
    options.profiles?.onChange(changed);
  }

  /** One deployment a name: `model_list` first, then Ollama's models, then the proxy's. */
  list(): readonly Deployment[] {
    const byName = new Map<string, Deployment>();
    const all = [
      ...this.#options.deployments.filter(
        (deployment) => !isPattern(deployment.modelName) && !this.#isAway(deployment),
      ),
      ...this.#ollamaModels(),
      ...(this.#options.proxy?.models() ?? []),
    ];
    for (const deployment of all) {
      if (!byName.has(deployment.modelName)) byName.set(deployment.modelName, this.#informed(deployment));
    }
    return [...byName.values()];
  }

  /** What may become a default; nothing that a proxy serves, which may leave the machine. */
  candidates(): readonly Candidate[] {
    const { fleet, deployments } = this.#options;
    const configured = deployments
      .filter((deployment) => !isPattern(deployment.modelName) && !this.#isAway(deployment))
      .map((deployment) => ({ deployment: this.#informed(deployment), configured: true, modifiedMs: 0 }));
    const found = this.#ollamaModels().map((deployment) => ({
      deployment,
      configured: false,
      modifiedMs: fleet.find(deployment.model)?.model.modifiedMs ?? 0,
    }));
    return [...configured, ...found];
  }

  /** Finds a model by its own name in the given backends, in their order. */
  exact(name: string, backends: readonly Backend[]): Resolution | undefined {
    for (const backend of backends) {
      const resolution = this.#inBackend(backend, name);
      if (resolution !== undefined) return resolution;
    }
    return undefined;
  }

  /** Finds what a pattern of `model_list` covers, or what is known but cannot be asked now. */
  fallback(name: string, backends: readonly Backend[]): Resolution | undefined {
    const pattern = backends.includes('configured') ? this.#byPattern(name) : undefined;
    return pattern ?? this.#away(name, backends);
  }

  #inBackend(backend: Backend, name: string): Resolution | undefined {
    if (backend === 'configured') return this.#inModelList(name);
    if (backend === 'ollama') return this.#found().get(ollamaModelKey(withoutOllamaPrefix(name)));
    const proxied = this.#options.proxy?.model(withoutPrefix(name, LITELLM_PREFIX));
    return proxied === undefined ? undefined : this.#single(proxied);
  }

  #inModelList(name: string): Resolution | undefined {
    const known = this.#present.get(name);
    if (known !== undefined) return known;
    const entries = this.#groups.get(name);
    if (entries === undefined) return this.#unservable(name);
    const there = entries.filter((deployment) => !this.#isAway(deployment));
    // A host without the model is asked where none has it: it says what is wrong in its own words.
    const having = there.filter((deployment) => !this.#isMissing(deployment));
    const group = (having.length > 0 ? having : there).map((deployment) => this.#informed(deployment));
    const [deployment] = group;
    if (deployment === undefined) return this.#silence.ofEntries(name, entries);
    const resolution: Resolution = { kind: 'found', deployment, group };
    this.#present.set(name, resolution);
    return resolution;
  }

  #single(deployment: Deployment): Resolution {
    let resolution = this.#singles.get(deployment);
    if (resolution === undefined) {
      resolution = { kind: 'found', deployment, group: [deployment] };
      this.#singles.set(deployment, resolution);
    }
    return resolution;
  }

  /** The first deployment of each model of the fleet. */
  #ollamaModels(): readonly Deployment[] {
    return [...this.#found().values()].map(({ deployment }) => deployment);
  }

  /** What the name of each model of the fleet means, by its key. */
  #found(): ReadonlyMap<string, Resolution & { readonly kind: 'found' }> {
    this.#ollama ??= new Map(
      this.#options.fleet.models().flatMap((entry) => {
        const several = this.#options.fleet.hosts.length > 1;
        const group = toOllamaDeployments(entry, several).map((one) => this.#withContext(one));
        const [deployment] = group;
        const key = ollamaModelKey(entry.model.name);
        return deployment === undefined ? [] : [[key, { kind: 'found', deployment, group }] as const];
      }),
    );
    return this.#ollama;
  }

  /** A `model_list` entry of a host of the fleet can do what its model can. */
  #informed(deployment: Deployment): Deployment {
    const { deployments } = this.#options;
    this.#configured ??= new Map(
      deployments.map((configured) => {
        const model = this.#hostOf(configured)?.discovery.model(configured.model);
        if (model === undefined) return [configured, configured];
        const capabilities = { ...ollamaCapabilities(model), ...configured.capabilities };
        const local = configured.local && model.remoteHost === undefined;
        return [configured, this.#withContext({ ...configured, capabilities, local })];
      }),
    );
    return this.#configured.get(deployment) ?? deployment;
  }

  #withContext(deployment: Deployment): Deployment {
    const servedContext = this.#options.servedContext?.(deployment);
    if (servedContext === undefined) return deployment;
    return { ...deployment, capabilities: { ...deployment.capabilities, servedContext } };
  }

  /** The host of the fleet that an entry leads to. */
  #hostOf({ dialect, baseUrl }: Deployment): FleetHost | undefined {
    return dialect === 'ollama' ? this.#options.fleet.at(baseUrl) : undefined;
  }

  /** Whether a host of the fleet cannot be asked for it now, or must not be. */
  #isAway(deployment: Deployment): boolean {
    const host = this.#hostOf(deployment);
    if (host === undefined) return false;
    return !mayBeAsked(host) || this.#options.fleet.refusedRemote(deployment.model) !== undefined;
  }

  #isMissing(deployment: Deployment): boolean {
    const host = this.#hostOf(deployment);
    if (host === undefined || host.discovery.state().kind !== 'up') return false;
    return host.discovery.model(deployment.model) === undefined;
  }

  #byPattern(name: string): Resolution | undefined {
    const known = this.#matched.get(name);
    if (known) return this.#single(known);
    for (const deployment of this.#patterns) {
      const matched = matchPattern(deployment.modelName, name);
      // A pattern is no name itself, and one that is handed on must stand for something.
      const isName = matched !== undefined && !name.includes('*');
      if (!isName || (matched === '' && deployment.model.includes('*'))) continue;
      const model = deployment.model.replace('*', () => matched);
      const made = { ...deployment, modelName: name, model };
      // Names come from outside: what is remembered of them is bounded.
      if (this.#matched.size >= MAX_MATCHED) this.#matched.clear();
      this.#matched.set(name, made);
      return this.#single(made);
    }
    return undefined;
  }

  #away(name: string, backends: readonly Backend[]): Resolution | undefined {
    const { proxy } = this.#options;
    const atOllama = backends.includes('ollama') ? this.#silence.ofName(name) : undefined;
    if (atOllama !== undefined) return atOllama;
    const proxied = withoutPrefix(name, LITELLM_PREFIX);
    const trouble = proxy?.trouble();
    if (proxy === undefined || trouble === undefined || !backends.includes('litellm')) return undefined;
    if (proxied === name && !proxy.wasSeen(name)) return undefined;
    return { kind: 'away', model: name, host: `litellm ${proxy.url}`, remedy: trouble };
  }

  #unservable(name: string): Resolution | undefined {
    const entry = this.unservable.find((candidate) => candidate.modelName === name);
    return entry && { kind: 'unservable', model: name, place: entry.source, reason: entry.reason };
  }
}

function withoutPrefix(name: string, prefix: string): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

function isPattern(name: string): boolean {
  return name.includes('*');
}

/** What the one `*` of a pattern stands for in a name; undefined when it does not match. */
function matchPattern(pattern: string, name: string): string | undefined {
  const star = pattern.indexOf('*');
  if (star < 0) return undefined;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  const fits = name.length >= before.length + after.length && name.startsWith(before) && name.endsWith(after);
  return fits ? name.slice(before.length, name.length - after.length) : undefined;
}
