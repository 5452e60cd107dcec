import { randomUUID } from 'node:crypto';
import { totalmem } from 'node:os';
import type { Settings } from './config/settings.ts';
import { HOP_HEADER } from './gateway/hops.ts';
import type { InProcessClient } from './gateway/in-process-chat.ts';
import type { OllamaServing } from './ollama/chat-writer.ts';
import { createOllamaClient } from './ollama/client.ts';
import type { OllamaClient } from './ollama/client.ts';
import { createOllamaDiscovery } from './ollama/discovery.ts';
import type { OllamaDiscovery } from './ollama/discovery.ts';
import { createOllamaHosts } from './ollama/hosts.ts';
import type { OllamaHosts } from './ollama/hosts.ts';
import { createOllamaManagement } from './ollama/management.ts';
import type { OllamaManagement } from './ollama/management.ts';
import { scopeDiscovery } from './ollama/scoped-discovery.ts';
import type { EmbeddingPort } from './rag/service/query-embedding.ts';
import { createProxyModels } from './router/proxy-models.ts';
import type { ProxyModels } from './router/proxy-models.ts';
import type { ConfiguredRegistry } from './router/registry.ts';
import type { SeenModels } from './seen-models.ts';
import { isLoopbackUrl } from './shared/local-host.ts';
import type { Logger } from './telemetry/log.ts';
import type { Headers } from './wire/http.ts';
import type { UpstreamClient } from './wire/upstream.ts';

/** The Ollama that is looked for, and the other Ollamas that deployments name. */
type OllamaSide = {
  readonly client: OllamaClient;
  readonly discovery: OllamaDiscovery;
  readonly hosts: OllamaHosts;
};

/** The hosts that models are found on, as one configuration has them. */
export type ModelHosts = {
  readonly discovery: OllamaDiscovery;
  readonly proxy: ProxyModels | undefined;
  readonly serving: OllamaServing;
  readonly management: OllamaManagement;
  /** Tokens that a model of the Ollama that was found is served with. */
  readonly servedContext: OllamaManagement['contextWindow'];
  /** What the next configuration goes on with where it names the same hosts. */
  readonly shared: { readonly ollama: OllamaSide; readonly proxy: ProxyModels | undefined };
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
  /** Those of the configuration before. */
  readonly previous?: { readonly settings: Settings; readonly hosts: ModelHosts } | undefined;
};

/**
 * Creates the look-outs for Ollama and the proxy, or takes those of the configuration before where
 * they would be the same; nothing is sent before they are started.
 */
export function createModelHosts(options: ModelHostsOptions): ModelHosts {
  const { settings, logger, previous } = options;
  const { ollama } = settings.providers;
  const before = previous?.settings.providers;
  const sameOllama = before?.ollama.url === ollama.url && before.ollama.pollMs === ollama.pollMs;
  const reusedOllama = sameOllama ? previous?.hosts.shared.ollama : undefined;
  const reusedProxy = isSameProxy(settings, previous?.settings) ? previous?.hosts.shared.proxy : undefined;
  const side = reusedOllama ?? createOllamaSide(options);
  const proxy = reusedProxy ?? createProxy(options);
  const { discovery, end } = scopeDiscovery(side.discovery);
  const serving: OllamaServing = {
    hosts: side.hosts,
    logger,
    newToolCallId: () => `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`,
    hardware: ollama.hardware,
    modelOverrides: ollama.modelOverrides,
    // Of another machine's memory nothing is known.
    ...(isLoopbackUrl(ollama.url) ? { memoryBytes: totalmem() } : {}),
  };
  const { client, hosts } = side;
  const management = createOllamaManagement({ client, discovery, hosts, hardware: serving });
  return {
    discovery,
    proxy,
    serving,
    management,
    servedContext: management.contextWindow,
    shared: { ollama: side, proxy },
    async start() {
      await Promise.all([
        reusedOllama === undefined ? side.discovery.start() : undefined,
        reusedProxy === undefined ? proxy?.start() : undefined,
      ]);
    },
    async stop(heir) {
      await Promise.all([
        heir?.shared.ollama === side ? undefined : side.discovery.stop(),
        heir?.shared.proxy === proxy ? undefined : proxy?.stop(),
      ]);
    },
    end,
  };
}

function createOllamaSide({ settings, upstream, logger, instanceId, seen }: ModelHostsOptions): OllamaSide {
  const { url, pollMs } = settings.providers.ollama;
  const headers = hopHeaders(instanceId);
  const client = createOllamaClient({ url, upstream, headers });
  const discovery = createOllamaDiscovery({ client, pollMs, logger, ...remembered(seen, url) });
  return { client, discovery, hosts: createOllamaHosts({ upstream, discovery, client, headers }) };
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
  readonly discovery: OllamaDiscovery;
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
      const digest = current().discovery.model(found.model)?.digest ?? `${found.baseUrl} ${found.model}`;
      return { name: found.modelName, digest };
    },
    async embed(texts, signal) {
      const { settings, gateway } = current();
      const model = deployment()?.modelName ?? settings.rag.embeddingModel ?? '';
      return (await gateway.embed({ model, input: texts, options: {} }, signal)).vectors;
    },
  };
}
