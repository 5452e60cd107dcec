/** A registry against scripted servers: an Ollama, a LiteLLM proxy, and a `model_list` of the test's own. */
import { defaultFleet } from '../src/config/default-fleet.ts';
import type { ModelEntry, ProviderMode, Settings } from '../src/config/settings.ts';
import { createOllamaClient } from '../src/ollama/api/client.ts';
import { createOllamaDiscovery } from '../src/ollama/fleet/discovery.ts';
import type { OllamaDiscovery } from '../src/ollama/fleet/discovery.ts';
import { Secret } from '../src/shared/secret.ts';
import { silentLogger } from '../src/telemetry/log.ts';
import { createUpstreamClient } from '../src/wire/upstream-client.ts';
import { fleetOfOne } from './fleet-of-one.ts';
import { json, ollama, routes } from './upstream-scripts.ts';
import type { OllamaModel } from './upstream-scripts.ts';
import { startUpstream } from './upstream.ts';
import type { TestUpstream } from './upstream.ts';
import type { Resolution } from '../src/router/deployment.ts';
import { createProxyModels } from '../src/router/proxy-models.ts';
import type { ProxyModels } from '../src/router/proxy-models.ts';
import { createModelRegistry } from '../src/router/registry.ts';
import type { ConfiguredRegistry } from '../src/router/registry.ts';

/** What runs, and the servers it runs against. */
export type RegistrySetting = AsyncDisposable & {
  readonly registry: ConfiguredRegistry;
  readonly server: TestUpstream;
  readonly discovery: OllamaDiscovery;
  readonly proxy: ProxyModels | undefined;
  readonly proxyServer: TestUpstream;
  /** Moves the registry's clock. */
  passMs(ms: number): void;
};

/** What the servers and the configuration have. */
export type RegistryWanted = {
  readonly models?: readonly OllamaModel[];
  readonly modelList?: readonly (Partial<ModelEntry> & { readonly modelName: string })[];
  readonly mode?: ProviderMode;
  readonly proxied?: readonly string[];
  readonly vaults?: readonly string[];
  readonly allowCloud?: boolean;
  readonly defaults?: { readonly defaultModel?: string; readonly defaultEmbeddingModel?: string };
};

/** Starts the servers and looks at them once. */
export async function startRegistry(wanted: RegistryWanted = {}): Promise<RegistrySetting> {
  const server = await startUpstream(ollama(wanted.models ?? []));
  const proxyServer = await startUpstream(
    routes({ 'GET /models': [json({ object: 'list', data: (wanted.proxied ?? []).map((id) => ({ id })) })] }),
  );
  const upstream = createUpstreamClient();
  const client = createOllamaClient({ url: server.origin, upstream });
  const discovery = createOllamaDiscovery({ client, pollMs: 60_000, logger: silentLogger });
  const litellm = { apiBase: proxyServer.origin, apiKey: new Secret('sk-proxy') };
  const proxy =
    wanted.proxied && createProxyModels({ proxy: litellm, upstream, pollMs: 60_000, logger: silentLogger });
  await discovery.refresh();
  await proxy?.refresh();
  const settings = settingsOf(server.origin, wanted);
  let nowMs = 0;
  const registry = createModelRegistry({
    settings,
    fleet: fleetOfOne({ client, discovery }, settings.providers.ollama),
    proxy,
    vaultNames: () => wanted.vaults ?? [],
    monotonicMs: () => nowMs,
  });
  return {
    passMs: (ms) => {
      nowMs += ms;
    },
    registry,
    server,
    discovery,
    proxy,
    proxyServer,
    async [Symbol.asyncDispose]() {
      await upstream.close();
      await server.close();
      await proxyServer.close();
    },
  };
}

function settingsOf(url: string, wanted: RegistryWanted): Settings {
  return {
    server: {
      host: '127.0.0.1',
      port: 0,
      allowedHosts: [],
      allowedOrigins: [],
      transport: 'codec',
      timeouts: { headersMs: 10_000, bodyMs: 60_000, keepAliveMs: 65_000, stalledMs: 60_000 },
      drainMs: 30_000,
    },
    inferenceKeys: [],
    modelList: (wanted.modelList ?? []).map(entryOf),
    routing: { strategy: 'simple-shuffle', retries: 2, retryAfterMs: 0, timeouts: {} },
    providers: {
      mode: wanted.mode ?? 'operation',
      ollama: {
        url,
        hardware: {},
        modelOverrides: {},
        pollMs: 5000,
        ...defaultFleet(url),
        allowCloud: wanted.allowCloud ?? false,
        ...wanted.defaults,
      },
    },
    vaults: [],
    rag: {},
    dataDir: '/nowhere',
    log: { level: 'info', format: 'auto' },
  };
}

function entryOf(entry: Partial<ModelEntry> & { readonly modelName: string }): ModelEntry {
  return { model: 'openai/m', params: {}, modelInfo: {}, ...entry };
}

/** What a name means, in one line. */
export function meaning(resolution: Resolution): string {
  if (resolution.kind === 'found') {
    const { dialect, modelName, model } = resolution.deployment;
    return `${dialect} ${modelName} -> ${model}`;
  }
  if (resolution.kind === 'away') return `away ${resolution.host}: ${resolution.remedy}`;
  if (resolution.kind === 'unservable') return `unservable ${resolution.place}: ${resolution.reason}`;
  return `unknown, nearest ${resolution.nearest.join(' ')}`;
}
