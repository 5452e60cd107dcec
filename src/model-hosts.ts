import { randomUUID } from 'node:crypto';
import { totalmem } from 'node:os';
import type { Settings } from './config/settings.ts';
import type { OllamaHostSettings } from './shared/ollama-hosts.ts';
import { HOP_HEADER } from './gateway/hops.ts';
import type { InProcessClient } from './gateway/in-process-chat.ts';
import { seatsFor } from './host-records.ts';
import type { HostRecords } from './host-records.ts';
import type { OllamaServing } from './ollama/chat-writer.ts';
import { createOllamaClient } from './ollama/api/client.ts';
import { createOllamaDiscovery } from './ollama/fleet/discovery.ts';
import { createDrainSwitch } from './ollama/fleet/fleet-host.ts';
import type { HostSide } from './ollama/fleet/fleet-host.ts';
import { createOllamaFleet } from './ollama/fleet/fleet.ts';
import type { OllamaFleet } from './ollama/fleet/fleet.ts';
import type { HostBooks } from './ollama/queue/host-books.ts';
import { watchHost } from './ollama/fleet/host-watch.ts';
import { createOllamaHosts } from './ollama/fleet/hosts.ts';
import { createHostPlacement } from './ollama/placement/placement.ts';
import type { HostPlacement } from './ollama/placement/placement.ts';
import { loadWanted } from './ollama/loader.ts';
import { createPreloader } from './ollama/fleet/preload.ts';
import type { Preloader } from './ollama/fleet/preload.ts';
import { createOllamaManagement } from './ollama/management.ts';
import type { OllamaManagement } from './ollama/management.ts';
import { createOllamaProfiles } from './ollama/profiles/profiles.ts';
import type { OllamaProfiles } from './ollama/profiles/profiles.ts';
import type { ProfileStore } from './ollama/profiles/store.ts';
import type { EmbeddingPort } from './rag/service/query-embedding.ts';
import { createProxyModels } from './router/proxy-models.ts';
import type { ProxyModels } from './router/proxy-models.ts';
import type { ConfiguredRegistry } from './router/registry.ts';
import type { SeenModels } from './seen-models.ts';
import type { Logger } from './telemetry/log.ts';
import type { Headers } from './wire/http.ts';
import type { UpstreamClient } from './wire/upstream.ts';

/** The hosts that models are found on, as one configuration has them. */
export type ModelHosts = {
  readonly fleet: OllamaFleet;
  readonly proxy: ProxyModels | undefined;
  readonly serving: OllamaServing;
  /** Chooses the host of a request. */
  readonly placement: HostPlacement;
  readonly management: OllamaManagement;
  readonly profiles: OllamaProfiles;
  /** Tokens that a model of a host of the fleet is served with. */
  readonly servedContext: OllamaManagement['contextWindow'];
  /** What the next configuration goes on with where it names the same hosts. */
  readonly shared: {
    readonly sides: ReadonlyMap<string, HostSide>;
    readonly proxy: ProxyModels | undefined;
  };
  /** Begins to look where nobody does yet; resolves after the first looks. */
  start(): Promise<void>;
  /** Stops looking for what `heir` does not go on with. */
  stop(heir?: ModelHosts): Promise<void>;
  /** Takes back what was listened for; call it when nothing of this configuration is asked any more. */
  end(): void;
};

/** What hosts are created from. */
export type ModelHostsOptions = {
  readonly settings: Settings;
  readonly upstream: UpstreamClient;
  readonly logger: Logger;
  readonly instanceId: string;
  readonly seen: SeenModels;
  /** Queues and books of the models; they are those of every configuration. */
  readonly records: HostRecords;
  /** What was set of profiles at run time. */
  readonly profiles: ProfileStore;
  /** Those of the configuration before. */
  readonly previous?: { readonly settings: Settings; readonly hosts: ModelHosts } | undefined;
};

/**
 * Creates the look-outs for Ollama and the proxy, or takes those of the configuration before where
 * they would be the same; nothing is sent before they are started.
 */
export function createModelHosts(options: ModelHostsOptions): ModelHosts {
  const { settings, logger, upstream, instanceId, records, previous } = options;
  const { ollama } = settings.providers;
  const before = previous?.hosts.shared;
  const { fleet, sides } = createFleet(options);
  const reusedProxy = isSameProxy(settings, previous?.settings) ? before?.proxy : undefined;
  const proxy = reusedProxy ?? createProxy(options);
  const hosts = createOllamaHosts({ upstream, fleet, headers: hopHeaders(instanceId) });
  const profiles = createOllamaProfiles({
    settings: ollama,
    store: options.profiles,
    installed: (baseUrl, model) => fleet.at(baseUrl)?.discovery.model(model),
    names: () => fleet.hosts.flatMap(({ discovery }) => discovery.models().map(({ name }) => name)),
    machineBytes: totalmem(),
  });
  const serving: OllamaServing = {
    hosts,
    seats: seatsFor(settings, records.books),
    logger,
    newToolCallId: () => `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`,
    profiles,
  };
  const placement = placementOf(settings, { fleet, profiles, books: records.books });
  const preloader = preloaderOf(settings, { fleet, serving, logger });
  const management = createOllamaManagement({ fleet, hosts, profiles, rules: ollama });
  const own = <T>(now: ReadonlyMap<string, T>, other: ReadonlyMap<string, T> | undefined): readonly T[] =>
    [...now].flatMap(([key, side]) => (other?.get(key) === side ? [] : [side]));
  return {
    fleet,
    proxy,
    serving,
    placement,
    management,
    profiles,
    servedContext: management.contextWindow,
    shared: { sides, proxy },
    async start() {
      preloader.start();
      await Promise.all([
        ...own(sides, before?.sides).map(({ discovery }) => discovery.start()),
        reusedProxy === undefined ? proxy?.start() : undefined,
      ]);
    },
    async stop(heir) {
      await Promise.all([
        preloader.stop(),
        ...own(sides, heir?.shared.sides).map(({ discovery }) => discovery.stop()),
        heir?.shared.proxy === proxy ? undefined : proxy?.stop(),
      ]);
    },
    end: () => fleet.end(),
  };
}

function createFleet(options: ModelHostsOptions): {
  readonly fleet: OllamaFleet;
  readonly sides: ReadonlyMap<string, HostSide>;
} {
  const { settings } = options;
  const sides = new Map<string, HostSide>();
  const fleet = createOllamaFleet({
    ...settings.providers.ollama,
    sideOf(host) {
      const side = hostSide(host, options);
      sides.set(sideKey(host, settings), side);
      return side;
    },
  });
  return { fleet, sides };
}

type PlacementParts = Pick<ModelHosts, 'fleet' | 'profiles'> & { readonly books: HostBooks };

function placementOf({ providers }: Settings, { fleet, profiles, books }: PlacementParts): HostPlacement {
  const { placement, modelPlacement } = providers.ollama;
  return createHostPlacement({
    kind: placement,
    ofModel: modelPlacement,
    fleet,
    books,
    optionsOf: (target) =>
      profiles.of(target, fleet.at(target.baseUrl)?.discovery.model(target.model)).runner,
    memoryOf: (host) => profiles.memoryOf(host).memoryBytes,
  });
}

function preloaderOf(
  { providers }: Settings,
  { fleet, serving, logger }: Pick<ModelHosts, 'fleet' | 'serving'> & { readonly logger: Logger },
): Preloader {
  return createPreloader({
    entries: providers.ollama.preload,
    fleet,
    logger,
    now: () => new Date(),
    load: ({ url }, entry, signal) => loadWanted(serving, { ...entry, url }, signal),
  });
}

/** What must be the same for a new configuration to go on with a host. */
function sideKey({ name, url, apiKey }: OllamaHostSettings, { providers }: Settings): string {
  return JSON.stringify([name, url, apiKey?.reveal(), providers.ollama.pollMs]);
}

/** A host of the configuration before where it is the same, else a new one. */
function hostSide(host: OllamaHostSettings, options: ModelHostsOptions): HostSide {
  const { settings, upstream, logger, instanceId, seen, records, previous } = options;
  const kept = previous?.hosts.shared.sides.get(sideKey(host, settings));
  if (kept !== undefined) return kept;
  const { url, apiKey } = host;
  const key = apiKey === undefined ? {} : { apiKey };
  const client = createOllamaClient({ url, upstream, headers: hopHeaders(instanceId), ...key });
  const { pollMs } = settings.providers.ollama;
  const onLook = (): ReturnType<HostBooks['look']> => records.books.look(url);
  const discovery = createOllamaDiscovery({
    client,
    pollMs,
    logger,
    onLook,
    ...remembered(seen, url),
  });
  watchHost({ ...host, discovery }, { events: records.events, logger });
  return { client, discovery, drain: createDrainSwitch() };
}

function createProxy({
  settings,
  upstream,
  logger,
  instanceId,
  seen,
}: ModelHostsOptions): ProxyModels | undefined {
  const { litellm: proxy, ollama } = settings.providers;
  if (proxy === undefined) return undefined;
  const headers = hopHeaders(instanceId);
  const { pollMs } = ollama;
  return createProxyModels({ proxy, upstream, pollMs, logger, headers, ...remembered(seen, proxy.apiBase) });
}

function isSameProxy(settings: Settings, before: Settings | undefined): boolean {
  return before !== undefined && proxyIdentity(settings) === proxyIdentity(before);
}

function proxyIdentity({ providers: { litellm, ollama } }: Settings): string {
  return JSON.stringify([litellm?.apiBase, litellm?.apiKey?.reveal(), ollama.pollMs]);
}

/** Every look carries our mark, so that an address that leads back to us is recognised. */
function hopHeaders(instanceId: string): Headers {
  return { [HOP_HEADER]: instanceId };
}

function remembered(
  seen: SeenModels,
  url: string,
): { seen: readonly string[]; onSeen(names: readonly string[]): void } {
  return { seen: seen.of(url), onSeen: (names) => seen.note(url, names) };
}

/** What vectors are made with: parts of the configuration that is in force when they are wanted. */
export type Embedding = {
  readonly settings: Settings;
  readonly gateway: InProcessClient;
  readonly hosts: Pick<ModelHosts, 'fleet'>;
  readonly registry: ConfiguredRegistry;
};

/** Makes vectors through the gateway, with the configured embedding model or the default local one. */
export function createEmbeddingPort(current: () => Embedding): EmbeddingPort {
  const deployment = (): ReturnType<ConfiguredRegistry['defaultEmbedding']> => {
    const { settings, registry } = current();
    const named = settings.rag.embeddingModel;
    if (named === undefined) return registry.defaultEmbedding();
    const resolution = registry.resolve(named);
    return resolution.kind === 'found' ? resolution.deployment : undefined;
  };
  return {
    model() {
      const found = deployment();
      if (found === undefined) return undefined;
      // Elsewhere than at Ollama nothing tells two models of one name apart but where they are.
      const { fleet } = current().hosts;
      const digest = fleet.at(found.baseUrl)?.discovery.model(found.model)?.digest;
      return { name: found.modelName, digest: digest ?? `${found.baseUrl} ${found.model}` };
    },
    async embed(texts, signal) {
      const { settings, gateway } = current();
      const model = deployment()?.modelName ?? settings.rag.embeddingModel ?? '';
      return (await gateway.embed({ model, input: texts, options: {} }, signal)).vectors;
    },
  };
}
