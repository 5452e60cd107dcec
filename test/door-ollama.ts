/** A gateway in front of a scripted Ollama, for tests of Ollama's own API with everything real in between. */
import { createOllamaChat } from '../src/ollama/chat-writer.ts';
import { createOllamaEmbedder } from '../src/ollama/embedder.ts';
import { createOllamaLoader } from '../src/ollama/loader.ts';
import { deployment, startGateway } from './gateway.ts';
import type { TestGateway } from './gateway.ts';
import { servingAt } from './ollama-serving.ts';
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
  const served = await servingAt(ollama.url);
  const { serving } = served;
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
      ollamaClient: (url) => serving.hosts.client(url),
    },
  );
  return {
    ollama,
    gateway,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await served[Symbol.asyncDispose]();
      await ollama[Symbol.asyncDispose]();
    },
  };
}
