import { randomBytes, randomUUID } from 'node:crypto';
import type { LoadedConfig, Settings } from './config/settings.ts';
import { createApp } from './gateway/app.ts';
import { createInProcessClient } from './gateway/in-process-chat.ts';
import type { InProcessClient } from './gateway/in-process-chat.ts';
import { createOllamaChat } from './ollama/chat-writer.ts';
import type { OllamaDiscovery } from './ollama/discovery.ts';
import { createOllamaEmbedder } from './ollama/embedder.ts';
import type { VaultLibrary } from './rag/library.ts';
import { createVaultLibrary } from './rag/service/vault-library.ts';
import type { ConfiguredRegistry } from './router/registry.ts';
import { createModelRegistry } from './router/registry.ts';
import type { ProxyModels } from './router/proxy-models.ts';
import { createProviderFactory } from './router/provider-factory.ts';
import type { ProviderFactory } from './router/provider-factory.ts';
import { Secret } from './shared/secret.ts';
import { siteRoutes } from './site/routes.ts';
import { createSessions } from './site/sessions.ts';
import { indexGauges, readinessOf } from './house-status.ts';
import { createEmbeddingPort, createModelHosts } from './model-hosts.ts';
import type { ModelHosts } from './model-hosts.ts';
import type { Logger } from './telemetry/log.ts';
import type { BatchedLogger } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics.ts';
import type { Handler } from './wire/http.ts';
import { createUpstreamClient } from './wire/upstream-client.ts';
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
  /** A key for this machine's own command line, where a master key is set. */
  readonly localToken: Secret | undefined;
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
const CLOCK = { monotonicMs, unixMs: Date.now };
const randomId = (): string => randomUUID().replaceAll('-', '');

/**
 * Builds the object graph by hand and starts what runs by itself: the look for models and the
 * indexing of the vaults. Nothing listens yet.
 */
export function assemble({ config, logger, watch }: HouseOptions): House {
  const { settings } = config;
  const address = { url: '' };
  const key = keysOf(settings);
  const upstream = createUpstreamClient();
  const facts = { settings, upstream, logger, instanceId: randomBytes(12).toString('hex') };
  const hosts = createModelHosts(facts);
  const { discovery, proxy, serving } = hosts;
  // The library and the registry need the gateway, which needs them: it is reached through this door.
  const gateway = createInProcessClient((request, response) => handler(request, response));
  const library = createVaultLibrary({
    vaults: settings.vaults,
    dataDir: settings.dataDir,
    embed: createEmbeddingPort({ settings, gateway, discovery, registry: () => registry }),
    watch,
    logger,
  });
  const registry = createModelRegistry({ settings, ...hosts, vaultNames: () => library.names() });
  reportUnservable(registry, logger);
  const sessions = createSessions({ ...key, now: monotonicMs, random: randomBytes });
  const handler = createApp({
    ...facts,
    registry,
    writers: {
      ollama: createOllamaChat(serving),
      ...createAnswerWriters({ settings, registry, library, gateway, logger, publicUrl: () => address.url }),
    },
    embedders: { ollama: createOllamaEmbedder(serving) },
    access: { ...settings.server, ...key, sessions },
    status: () => readinessOf({ library, ...hosts }),
    metrics: createMetrics(indexGauges(library)),
    clock: CLOCK,
    randomId,
    extraRoutes: siteRoutes({ library, sessions }),
  });
  return {
    settings,
    handler,
    gateway,
    registry,
    library,
    discovery,
    proxy,
    providers: createProviders({ settings, hosts, gateway, registry }),
    logger,
    address,
    localToken: key.localToken,
    looked: startLooking(discovery, proxy),
    async close() {
      await Promise.all([hosts.stop(), library.close()]);
      await upstream.close();
      logger.flush();
    },
  };
}

function reportUnservable(registry: ConfiguredRegistry, logger: Logger): void {
  for (const { modelName, source, reason } of registry.unservable()) {
    logger.warn('a model of model_list cannot be served', { model: modelName, at: source, reason });
  }
}

async function startLooking(...hosts: readonly ({ start(): Promise<void> } | undefined)[]): Promise<void> {
  await Promise.all(hosts.map(async (host) => host?.start()));
}

/** Without a master key nothing is locked, and no second key is needed. */
function keysOf({ masterKey }: Settings): { readonly masterKey?: Secret; readonly localToken?: Secret } {
  if (masterKey === undefined) return {};
  return { masterKey, localToken: new Secret(randomBytes(32).toString('base64url')) };
}

function createProviders(from: {
  readonly settings: Settings;
  readonly hosts: ModelHosts;
  readonly gateway: InProcessClient;
  readonly registry: ConfiguredRegistry;
}): ProviderFactory {
  const { settings, hosts, gateway, registry } = from;
  return createProviderFactory({
    mode: settings.providers.mode,
    hasLitellm: hosts.proxy !== undefined,
    chat: gateway.chat,
    defaultModel: () => registry.defaultChat()?.modelName,
    management: hosts.management,
  });
}
