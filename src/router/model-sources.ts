import { setTimeout as sleep } from 'node:timers/promises';

import type { OllamaDiscovery } from '../ollama/discovery.ts';

import type { Candidate } from './default-model.ts';
import type { Unservable } from './configured-models.ts';
import type { Deployment, Resolution } from './deployment.ts';
import { ollamaCapabilities, toOllamaDeployment } from './ollama-models.ts';
import type { ProxyModels } from './proxy-models.ts';
import { isOllamaPrefixed, LITELLM_PREFIX } from './selector.ts';
import type { Backend } from './selector.ts';

/** Where models come from. */
export type ModelSourcesOptions = {
  readonly discovery: OllamaDiscovery;
  readonly proxy?: ProxyModels | undefined;
  /** Deployments of `model_list`, in its order. */
  readonly deployments: readonly Deployment[];
  readonly unservable: readonly Unservable[];
  /** Tokens that a model of the Ollama that was found is served with. */
  readonly servedContext?: ((deployment: Deployment) => number | undefined) | undefined;
  /** Milliseconds that never go back. */
  readonly monotonicMs: () => number;
};

const MAX_MATCHED = 256;
/** Shortest pause between two looks that requests cause: an outage must not be looked at by each of them. */
const LOOK_PAUSE_MS = 500;
/** Longest that a request waits for a look. */
const LOOK_WAIT_MS = 1_000;

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
  #ollama: ReadonlyMap<string, Deployment> | undefined;
  #configured: ReadonlyMap<Deployment, Deployment> | undefined;
  #lookedMs = -Infinity;
  #looking: Promise<void> | undefined;
  /** What each name of `model_list` that can be asked now means. */
  #present = new Map<string, Resolution>();

  constructor(options: ModelSourcesOptions) {
    this.#options = options;
    this.unservable = options.unservable;
    const named = options.deployments.filter((deployment) => !isPattern(deployment.modelName));
    this.#groups = Map.groupBy(named, (deployment) => deployment.modelName);
    this.#patterns = options.deployments
      .filter((deployment) => isPattern(deployment.modelName))
      .sort((a, b) => b.modelName.length - a.modelName.length);
    options.discovery.onChange(() => {
      this.#ollama = undefined;
      this.#configured = undefined;
      this.#present = new Map();
    });
  }

  /** One deployment a name: `model_list` first, then Ollama's models, then the proxy's. */
  list(): readonly Deployment[] {
    const byName = new Map<string, Deployment>();
    const all = [
      ...this.#options.deployments.filter(
        (deployment) => !isPattern(deployment.modelName) && !this.#isAway(deployment),
      ),
      ...this.#ollamaModels().values(),
      ...(this.#options.proxy?.models() ?? []),
    ];
    for (const deployment of all) {
      if (!byName.has(deployment.modelName)) byName.set(deployment.modelName, this.#informed(deployment));
    }
    return [...byName.values()];
  }

  /** What may become a default; nothing that a proxy serves, which may leave the machine. */
  candidates(): readonly Candidate[] {
    const { discovery, deployments } = this.#options;
    const configured = deployments
      .filter((deployment) => !isPattern(deployment.modelName) && !this.#isAway(deployment))
      .map((deployment) => ({ deployment: this.#informed(deployment), configured: true, modifiedMs: 0 }));
    const found = [...this.#ollamaModels().values()].map((deployment) => ({
      deployment,
      configured: false,
      modifiedMs: discovery.model(deployment.model)?.modifiedMs ?? 0,
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
    const found =
      backend === 'ollama'
        ? this.#ollamaModel(name)
        : this.#options.proxy?.model(withoutPrefix(name, LITELLM_PREFIX));
    return found === undefined ? undefined : this.#single(found);
  }

  #inModelList(name: string): Resolution | undefined {
    const known = this.#present.get(name);
    if (known !== undefined) return known;
    const entries = this.#groups.get(name);
    if (entries === undefined) return this.#unservable(name);
    const group = entries
      .filter((deployment) => !this.#isAway(deployment))
      .map((deployment) => this.#informed(deployment));
    const [deployment] = group;
    if (deployment === undefined) return this.#awayOllama(name);
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

  #ollamaModel(name: string): Deployment | undefined {
    const model = this.#options.discovery.model(ollamaName(name));
    return model === undefined ? undefined : this.#ollamaModels().get(model.name);
  }

  #ollamaModels(): ReadonlyMap<string, Deployment> {
    const { discovery } = this.#options;
    this.#ollama ??= new Map(
      discovery
        .models()
        .map((model) => [model.name, this.#withContext(toOllamaDeployment(model, discovery.url))]),
    );
    return this.#ollama;
  }

  /** A `model_list` entry of the Ollama that was found can do what its model can. */
  #informed(deployment: Deployment): Deployment {
    const { discovery, deployments } = this.#options;
    this.#configured ??= new Map(
      deployments.map((configured) => {
        const model = isOn(configured, discovery.url) ? discovery.model(configured.model) : undefined;
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

  #isAway(deployment: Deployment): boolean {
    const { discovery } = this.#options;
    const state = discovery.state().kind;
    return isOn(deployment, discovery.url) && (state === 'away' || state === 'wrong');
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
    const { discovery, proxy } = this.#options;
    const known = isOllamaPrefixed(name) || discovery.wasSeen(ollamaName(name));
    if (backends.includes('ollama') && known && discovery.state().kind !== 'up')
      return this.#awayOllama(name);
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

  #awayOllama(name: string): Resolution {
    const { discovery } = this.#options;
    const state = discovery.state();
    const remedy =
      state.kind === 'wrong'
        ? state.reason
        : 'start it with "ollama serve", or correct providers.ollama.url (OLLAMA_HOST)';
    const away = { kind: 'away', model: name, host: `ollama ${discovery.url}`, remedy } as const;
    return state.kind === 'wrong' || !this.#mayLook() ? away : { ...away, look: () => this.#look() };
  }

  #mayLook(): boolean {
    return this.#looking !== undefined || this.#options.monotonicMs() - this.#lookedMs >= LOOK_PAUSE_MS;
  }

  /** Between two looks of the discovery's own lie seconds, in which somebody has started Ollama and waits. */
  #look(): Promise<void> {
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    this.#lookedMs = this.#options.monotonicMs();
    const over = new AbortController();
    const end = sleep(LOOK_WAIT_MS, undefined, { ref: false, signal: over.signal }).catch(() => undefined);
    await Promise.race([this.#options.discovery.refresh(), end]);
    over.abort();
  }
}

function isOn(deployment: Deployment, url: string): boolean {
  return deployment.dialect === 'ollama' && deployment.baseUrl === url;
}

function ollamaName(name: string): string {
  return name.replace(/^ollama(?:_chat)?\//, '');
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
