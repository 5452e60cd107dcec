/** A gateway in front of a scripted Ollama, for tests of Ollama's own API with everything real in between. */
import { createOllamaChat } from '../src/ollama/chat-writer.ts';
import type { OllamaServing } from '../src/ollama/chat-writer.ts';
import { createOllamaClient } from '../src/ollama/api/client.ts';
import { createOllamaDiscovery } from '../src/ollama/fleet/discovery.ts';
import { createOllamaEmbedder } from '../src/ollama/embedder.ts';
import { createOllamaHosts } from '../src/ollama/fleet/hosts.ts';
import { createOllamaLoader } from '../src/ollama/loader.ts';
import { silentLogger } from '../src/telemetry/log.ts';
import { createUpstreamClient } from '../src/wire/upstream-client.ts';
import { fleetOfOne } from './fleet-of-one.ts';
import { deployment, startGateway } from './gateway.ts';
import type { TestGateway } from './gateway.ts';
import { profilesOf } from './ollama-profiles.ts';
import { seatsForTests } from './ollama-serving.ts';
import { startScriptedOllama } from './scripted-ollama.ts';
import type { ScriptedOllama } from './scripted-ollama.ts';

/** The running setting. */
export type DoorOllama = AsyncDisposable & {
  readonly ollama: ScriptedOllama;
  readonly gateway: TestGateway;
};

/**
 * Starts an Ollama with `able:latest`, which chats, and `embed:latest`, and a gateway that has `mock`
 * beside them and calls the first of them `alias` too.
 */
export async function startDoorOllama(): Promise<DoorOllama> {
  const ollama = await startScriptedOllama({
    models: [
      { name: 'able', capabilities: ['completion', 'tools', 'insert', 'thinking'] },
      { name: 'embed', capabilities: ['embedding'], contextLength: 512 },
    ],
  });
  const upstream = createUpstreamClient();
  const client = createOllamaClient({ url: ollama.url, upstream });
  const discovery = createOllamaDiscovery({ client, pollMs: 60_000, logger: silentLogger });
  await discovery.refresh();
  const hosts = createOllamaHosts({ upstream, fleet: fleetOfOne({ client, discovery }) });
  const serving: OllamaServing = {
    hosts,
    seats: seatsForTests(),
    logger: silentLogger,
    newToolCallId: () => 'call_new',
    profiles: profilesOf(),
  };
  const at = { dialect: 'ollama', baseUrl: ollama.url } as const;
  const able = { ...at, model: 'able:latest', capabilities: { chat: true, embedding: false, tools: true } };
  const gateway = await startGateway(
    [
      deployment({ ...able, id: 'able', modelName: 'able:latest' }),
      deployment({ ...able, id: 'alias', modelName: 'alias' }),
      deployment({
        ...at,
        id: 'embed',
        modelName: 'embed:latest',
        model: 'embed:latest',
        capabilities: { chat: false, embedding: true },
      }),
      deployment({
        id: 'mock',
        modelName: 'mock',
        mockResponse: 'Hello.',
        capabilities: { chat: true, contextLength: 8_192 },
      }),
    ],
    {
      writers: {
        ollama: createOllamaChat(serving),
        vault: () => createOllamaChat(serving)(deployment(able)),
        extractive: createOllamaChat(serving)(deployment(able)),
      },
      embedders: { ollama: createOllamaEmbedder(serving) },
      loaders: { ollama: createOllamaLoader(serving) },
      ollamaClient: (url) => hosts.client(url),
    },
  );
  return {
    ollama,
    gateway,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await upstream.close();
      await ollama[Symbol.asyncDispose]();
    },
  };
}
