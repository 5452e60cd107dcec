import { randomBytes, randomUUID } from 'node:crypto';
import { totalmem } from 'node:os';
import type { LoadedConfig, Settings } from './config/settings.ts';
import { createApp } from './gateway/app.ts';
import type { Readiness } from './gateway/health-routes.ts';
import { HOP_HEADER } from './gateway/hops.ts';
import { createInProcessClient } from './gateway/in-process-chat.ts';
import type { InProcessClient } from './gateway/in-process-chat.ts';
import { createOllamaChat } from './ollama/chat-writer.ts';
import type { OllamaServing } from './ollama/chat-writer.ts';
import { createOllamaClient } from './ollama/client.ts';
import { createOllamaDiscovery } from './ollama/discovery.ts';
import type { OllamaDiscovery } from './ollama/discovery.ts';
import { createOllamaEmbedder } from './ollama/embedder.ts';
import { createOllamaHosts } from './ollama/hosts.ts';
import { createOllamaManagement } from './ollama/management.ts';
import type { VaultLibrary } from './rag/library.ts';
import type { EmbeddingPort } from './rag/service/query-embedding.ts';
import { createVaultLibrary } from './rag/service/vault-library.ts';
import type { ConfiguredRegistry } from './router/registry.ts';
import { createModelRegistry } from './router/registry.ts';
import { createProxyModels } from './router/proxy-models.ts';
import type { ProxyModels } from './router/proxy-models.ts';
import { createProviderFactory } from './router/provider-factory.ts';
import type { ProviderFactory } from './router/provider-factory.ts';
import { isLoopbackUrl } from './shared/local-host.ts';
import { siteRoutes } from './site/routes.ts';
import { createSessions } from './site/sessions.ts';
import type { BatchedLogger } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics.ts';
import type { Handler } from './wire/http.ts';
import { createUpstreamClient } from './wire/upstream-client.ts';
import type { UpstreamClient } from './wire/upstream.ts';
import { createAnswerWriters } from './writers.ts';

/** The whole program, wired: what the library and the command line stand on. */
export type House = {
  readonly settings: Settings;
  /** Serves every request, from a socket or from inside. */
  readonly handler: Handler;
  readonly gateway: InProcessClient;
  readonly registry: ConfiguredRegistry;
  readonly library: VaultLibrary;
  readonly discovery: OllamaDiscovery;
  readonly proxy: ProxyModels | undefined;
  readonly providers: ProviderFactory;
  readonly logger: BatchedLogger;
  /** Where the house is reached once it listens; answers name notes by it. */
  readonly address: { url: string };
  /** Resolves after the first look at every host of models. */
  readonly looked: Promise<void>;
  close(): Promise<void>;
};

/** What a house is built from. */
export type HouseOptions = {
  readonly config: LoadedConfig;
  readonly logger: BatchedLogger;
  /** Whether the vaults are followed as they change. */
  readonly watch: boolean;
};

const monotonicMs = (): number => performance.now();

/**
 * Builds the object graph by hand and starts what runs by itself: the look for models and the
 * indexing of the vaults. Nothing listens yet.
 */
export function assemble({ config, logger, watch }: HouseOptions): House {
  const { settings } = config;
  const upstream = createUpstreamClient();
  const instanceId = randomBytes(12).toString('hex');
  const hosts = createHosts({ settings, upstream, logger, instanceId });
  const { discovery, proxy } = hosts;
  const address = { url: '' };
  // The library and the registry need the gateway, which needs them: it is reached through this door.
  const gateway = createInProcessClient((request, response) => handler(request, response));
  const library = createVaultLibrary({
    vaults: settings.vaults,
    dataDir: settings.dataDir,
    embed: embeddingPort({ settings, gateway, discovery, registry: () => registry }),
    watch,
    logger,
  });
  const registry = createModelRegistry({ settings, discovery, proxy, vaultNames: () => library.names() });
  const sessions = createSessions({
    ...(settings.masterKey === undefined ? {} : { masterKey: settings.masterKey }),
    now: monotonicMs,
    random: randomBytes,
  });
  const handler = createApp({
    registry,
    upstream,
    writers: {
      ollama: createOllamaChat(hosts.serving),
      ...createAnswerWriters({ settings, registry, library, gateway, logger, publicUrl: () => address.url }),
    },
    embedders: { ollama: createOllamaEmbedder(hosts.serving) },
    access: {
      ...settings.server,
      ...(settings.masterKey === undefined ? {} : { masterKey: settings.masterKey }),
      sessions,
    },
    status: () => readiness({ library, discovery, proxy }),
    metrics: createMetrics(indexGauges(library)),
    logger,
    clock: { monotonicMs, unixMs: Date.now },
    instanceId,
    randomId: () => randomUUID().replaceAll('-', ''),
    extraRoutes: siteRoutes({ library, sessions }),
  });
  const looked = Promise.all([discovery.start(), proxy?.start()]).then(() => undefined);
  return {
    settings,
    handler,
    gateway,
    registry,
    library,
    discovery,
    proxy,
    providers: createProviderFactory({
      mode: settings.providers.mode,
      hasLitellm: proxy !== undefined,
      chat: gateway.chat,
      defaultModel: () => registry.defaultChat()?.modelName,
      management: hosts.management,
    }),
    logger,
    address,
    looked,
    async close() {
      await Promise.all([discovery.stop(), proxy?.stop(), library.close()]);
      await upstream.close();
      logger.flush();
    },
  };
}

type Hosts = {
  readonly discovery: OllamaDiscovery;
  readonly proxy: ProxyModels | undefined;
  readonly serving: OllamaServing;
  readonly management: ReturnType<typeof createOllamaManagement>;
};

function createHosts(from: {
  readonly settings: Settings;
  readonly upstream: UpstreamClient;
  readonly logger: BatchedLogger;
  readonly instanceId: string;
}): Hosts {
  const { settings, upstream, logger, instanceId } = from;
  const { ollama, litellm } = settings.providers;
  // Every look carries our mark, so that an address that leads back to us is recognised.
  const headers = { [HOP_HEADER]: instanceId };
  const client = createOllamaClient({ url: ollama.url, upstream, headers });
  const discovery = createOllamaDiscovery({ client, pollMs: ollama.pollMs, logger });
  const serving: OllamaServing = {
    hosts: createOllamaHosts({ upstream, discovery, client, headers }),
    logger,
    newToolCallId: () => `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`,
    hardware: ollama.hardware,
    modelOverrides: ollama.modelOverrides,
    // Of another machine's memory nothing is known.
    ...(isLoopbackUrl(ollama.url) ? { memoryBytes: totalmem() } : {}),
  };
  const proxy =
    litellm === undefined
      ? undefined
      : createProxyModels({ proxy: litellm, upstream, pollMs: ollama.pollMs, logger, headers });
  return {
    discovery,
    proxy,
    serving,
    management: createOllamaManagement({ client, discovery, hosts: serving.hosts, hardware: serving }),
  };
}

function embeddingPort(from: {
  readonly settings: Settings;
  readonly gateway: InProcessClient;
  readonly discovery: OllamaDiscovery;
  readonly registry: () => ConfiguredRegistry;
}): EmbeddingPort {
  const { settings, gateway, discovery, registry } = from;
  const deployment = (): ReturnType<ConfiguredRegistry['defaultEmbedding']> => {
    const named = settings.rag.embeddingModel;
    if (named === undefined) return registry().defaultEmbedding();
    const resolution = registry().resolve(named);
    return resolution.kind === 'found' ? resolution.deployment : undefined;
  };
  return {
    model() {
      const found = deployment();
      if (found === undefined) return undefined;
      // Elsewhere than at Ollama nothing tells two models of one name apart but where they are.
      const digest = discovery.model(found.model)?.digest ?? `${found.baseUrl} ${found.model}`;
      return { name: found.modelName, digest };
    },
    async embed(texts, signal) {
      const model = deployment()?.modelName ?? settings.rag.embeddingModel ?? '';
      return (await gateway.embed({ model, input: texts, options: {} }, signal)).vectors;
    },
  };
}

function readiness(from: {
  readonly library: VaultLibrary;
  readonly discovery: OllamaDiscovery;
  readonly proxy: ProxyModels | undefined;
}): Readiness {
  const { library, discovery, proxy } = from;
  const vaults = library.status().map(({ warnings, path: _path, ...status }) => ({
    ...status,
    warnings: warnings.length,
  }));
  const details = {
    ollama: { url: discovery.url, ...discovery.state(), models: discovery.models().length },
    ...(proxy === undefined ? {} : { litellm: { url: proxy.url, trouble: proxy.trouble() ?? null } }),
    vaults,
  };
  // The gateway serves as soon as it listens; indexing goes on behind it and is told here.
  return { ready: true, details };
}

function indexGauges(library: VaultLibrary): Parameters<typeof createMetrics>[0] {
  const gauge = (
    name: string,
    help: string,
    value: 'notes' | 'chunks' | 'pendingNotes' | 'embeddedChunks',
  ) => ({
    name,
    help,
    read: () => library.status().map((vault) => ({ labels: { vault: vault.name }, value: vault[value] })),
  });
  return [
    gauge('obelisk_index_notes', 'Notes in the index.', 'notes'),
    gauge('obelisk_index_chunks', 'Passages in the index.', 'chunks'),
    gauge('obelisk_index_pending_notes', 'Notes still to be read.', 'pendingNotes'),
    gauge('obelisk_index_embedded_chunks', 'Passages with a vector.', 'embeddedChunks'),
  ];
}
