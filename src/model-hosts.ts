import { randomUUID } from 'node:crypto';
import { totalmem } from 'node:os';
import type { Settings } from './config/settings.ts';
import { HOP_HEADER } from './gateway/hops.ts';
import type { InProcessClient } from './gateway/in-process-chat.ts';
import type { OllamaServing } from './ollama/chat-writer.ts';
import { createOllamaClient } from './ollama/client.ts';
import { createOllamaDiscovery } from './ollama/discovery.ts';
import type { OllamaDiscovery } from './ollama/discovery.ts';
import { createOllamaHosts } from './ollama/hosts.ts';
import { createOllamaManagement } from './ollama/management.ts';
import type { OllamaManagement } from './ollama/management.ts';
import type { EmbeddingPort } from './rag/service/query-embedding.ts';
import { createProxyModels } from './router/proxy-models.ts';
import type { ProxyModels } from './router/proxy-models.ts';
import type { ConfiguredRegistry } from './router/registry.ts';
import { openSeenModels } from './seen-models.ts';
import { isLoopbackUrl } from './shared/local-host.ts';
import type { Logger } from './telemetry/log.ts';
import type { UpstreamClient } from './wire/upstream.ts';

/** The hosts that models are found on. */
export type ModelHosts = {
  readonly discovery: OllamaDiscovery;
  readonly proxy: ProxyModels | undefined;
  readonly serving: OllamaServing;
  readonly management: OllamaManagement;
  /** Tokens that a model of the Ollama that was found is served with. */
  readonly servedContext: OllamaManagement['contextWindow'];
  /** Stops looking; resolves when what was seen is on disk. */
  stop(): Promise<void>;
};

/** Creates the look-outs for Ollama and the proxy; nothing is sent before they are started. */
export function createModelHosts(from: {
  readonly settings: Settings;
  readonly upstream: UpstreamClient;
  readonly logger: Logger;
  readonly instanceId: string;
}): ModelHosts {
  const { settings, upstream, logger, instanceId } = from;
  const { ollama, litellm } = settings.providers;
  // Every look carries our mark, so that an address that leads back to us is recognised.
  const headers = { [HOP_HEADER]: instanceId };
  const client = createOllamaClient({ url: ollama.url, upstream, headers });
  const seen = openSeenModels(settings.dataDir, logger);
  const remembered = (url: string): { seen: readonly string[]; onSeen(names: readonly string[]): void } => ({
    seen: seen.of(url),
    onSeen: (names) => seen.note(url, names),
  });
  const discovery = createOllamaDiscovery({
    client,
    pollMs: ollama.pollMs,
    logger,
    ...remembered(ollama.url),
  });
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
      : createProxyModels({
          proxy: litellm,
          upstream,
          pollMs: ollama.pollMs,
          logger,
          headers,
          ...remembered(litellm.apiBase),
        });
  const management = createOllamaManagement({ client, discovery, hosts: serving.hosts, hardware: serving });
  return {
    discovery,
    proxy,
    serving,
    management,
    servedContext: management.contextWindow,
    async stop() {
      await Promise.all([discovery.stop(), proxy?.stop()]);
      await seen.written();
    },
  };
}

/** Makes vectors through the gateway, with the configured embedding model or the default local one. */
export function createEmbeddingPort(from: {
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
