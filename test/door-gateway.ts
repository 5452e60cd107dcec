/** A gateway with a model of every kind, for tests of Ollama's own API with the clients that speak it. */
import type { ServerResponse } from 'node:http';
import type { ChatEvent, ChatRequest, ChatWriter } from '../src/providers/chat.ts';
import { Secret } from '../src/shared/secret.ts';
import { deployment, startGateway, startUpstream } from './gateway.ts';
import type { Received, TestGateway, TestUpstream } from './gateway.ts';

/** The key of the gateway. */
export const DOOR_KEY = 'sk-door-0123456789abcdef';

/** What the models of every kind answer with. */
export const ANSWER = 'It is ready.';

const USAGE = { promptTokens: 7, completionTokens: 3 };
const TIMING = { totalMs: 40, loadMs: 10, promptMs: 5, generationMs: 20 };

/** A model and where it is served. */
export const DOOR_MODELS: readonly string[] = ['local', 'remote', 'vault/notes'];

/** The running setting. */
export type DoorSetting = AsyncDisposable & {
  readonly gateway: TestGateway;
  readonly upstream: TestUpstream;
  /** What the writers of Ollama and of the vault were asked. */
  readonly asked: ChatRequest[];
};

/** What a test decides. */
export type DoorOptions = {
  /** Events in place of the text. */
  readonly events?: (request: ChatRequest) => AsyncIterable<ChatEvent> | Iterable<ChatEvent>;
  /** How the OpenAI-compatible upstream answers. */
  readonly script?: (response: ServerResponse, request: Received) => void;
  readonly key?: string;
};

/** Starts a gateway with `local` (Ollama), `remote` (OpenAI-compatible) and `vault/notes`. */
export async function startDoor(options: DoorOptions = {}): Promise<DoorSetting> {
  const upstream = await startUpstream(options.script ?? streamAnswer);
  const asked: ChatRequest[] = [];
  const write: ChatWriter = async function* (request) {
    asked.push(request);
    yield* options.events?.(request) ?? eventsOf(ANSWER);
  };
  const chat = { chat: true, tools: true, thinking: true, vision: true, contextLength: 4096 };
  const gateway = await startGateway(
    [
      deployment({ id: 'local', modelName: 'local', dialect: 'ollama', capabilities: chat }),
      deployment({ id: 'remote', modelName: 'remote', baseUrl: upstream.baseUrl, capabilities: chat }),
      deployment({ id: 'notes', modelName: 'vault/notes', dialect: 'vault', capabilities: { chat: true } }),
      deployment({ id: 'mock', modelName: 'mock', mockResponse: ANSWER }),
      deployment({
        id: 'embedder',
        modelName: 'embedder',
        dialect: 'ollama',
        capabilities: { chat: false, embedding: true },
      }),
    ],
    {
      writers: { ollama: () => write, vault: () => write, extractive: write },
      access: {
        allowedHosts: [],
        allowedOrigins: [],
        ...(options.key === undefined ? {} : { masterKey: new Secret(options.key) }),
      },
      heartbeat: { firstMs: 40, everyMs: 40 },
    },
  );
  return {
    gateway,
    upstream,
    asked,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** The events of a text, word by word. */
export function* eventsOf(text: string): Generator<ChatEvent> {
  for (const word of text.match(/\S+\s*/g) ?? []) yield { type: 'text-delta', text: word };
  yield { type: 'finish', reason: 'stop', usage: USAGE, timing: TIMING };
}

/** One of OpenAI's stream events. */
export function chunkOf(delta: object, finish: string | null = null): string {
  return `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
}

function streamAnswer(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const word of ANSWER.match(/\S+\s*/g) ?? []) response.write(chunkOf({ content: word }));
  response.write(chunkOf({}, 'stop'));
  const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };
  response.end(`data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`);
}
