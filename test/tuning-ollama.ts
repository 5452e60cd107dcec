/**
 * An Ollama for tests of tuning: how fast it is follows from the options that a model is loaded with,
 * and from noise that is the same in every run. Durations are told, not waited for.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RUNNER_OPTIONS } from './scripted-ollama-runners.ts';

/** What a runner makes in a second. */
export type Speed = { readonly prompt: number; readonly answer: number };

/** What the server is like. */
export type TuningOllamaOptions = {
  readonly speed: (options: Readonly<Record<string, unknown>>) => Speed;
  /** Each duration is longer or shorter by up to this share; 0.05 unless told. */
  readonly noise?: number;
  /** Its OLLAMA_MAX_LOADED_MODELS; 3 unless told. */
  readonly maxLoaded?: number;
  /** Video memory of 1,000,000 bytes of model; 0 unless told. */
  readonly vramBytes?: number;
  /** Refuses to load with these options. */
  readonly refuses?: (options: Readonly<Record<string, unknown>>) => boolean;
};

/** A running one. */
export type TuningOllama = AsyncDisposable & {
  readonly url: string;
  /** Every load, in order. */
  readonly loads: readonly { readonly model: string; readonly options: Readonly<Record<string, unknown>> }[];
  /** What is loaded: options and the end of its time. */
  readonly loaded: ReadonlyMap<
    string,
    { readonly options: Readonly<Record<string, unknown>>; readonly expiresMs: number }
  >;
  /** Loads a model as someone else does. */
  load(model: string, options: Readonly<Record<string, unknown>>, keepAliveSeconds: number): void;
  /** As many answers from now on say that the model was loaded anew for them. */
  disturb(answers: number): void;
  /** The next prompt is never answered. */
  stall(): void;
};

const MODELS = ['tiny:latest', 'other:latest', 'embed:latest'];
const NANOSECONDS = 1e9;
const FOR_EVER_MS = Date.UTC(2318, 0, 1);

type Loaded = { options: Readonly<Record<string, unknown>>; expiresMs: number };
type Body = Readonly<Record<string, unknown>>;

class Server {
  readonly loads: { model: string; options: Readonly<Record<string, unknown>> }[] = [];
  readonly loaded = new Map<string, Loaded>();
  disturbed = 0;
  stalls = false;
  readonly #options: TuningOllamaOptions;
  #state = 1;

  constructor(options: TuningOllamaOptions) {
    this.#options = options;
  }

  answer(path: string, body: Body): readonly [status: number, answer: unknown] {
    const model = typeof body['model'] === 'string' ? body['model'] : '';
    if (path === '/api/version') return [200, { version: '0.24.0' }];
    if (path === '/api/tags')
      return [200, { models: MODELS.map((name) => ({ name, digest: `sha256:${name}`, size: 1_000_000 })) }];
    if (path === '/api/show') return [200, describe(model)];
    if (path === '/api/ps') return [200, { models: this.#running() }];
    if (path === '/api/generate' && model === 'embed:latest' && body['keep_alive'] !== 0)
      return [400, { error: `"${model}" does not support generate` }];
    if (path === '/api/generate' || path === '/api/embed' || path === '/api/chat')
      return this.#run(path, model, body);
    return [404, { error: 'not found' }];
  }

  load(model: string, options: Readonly<Record<string, unknown>>, keepAlive: unknown): boolean {
    const before = this.loaded.get(model);
    const isNew = before === undefined || JSON.stringify(before.options) !== JSON.stringify(options);
    if (isNew) {
      this.loads.push({ model, options });
      this.loaded.delete(model);
      const [oldest] = [...this.loaded].toSorted(([, a], [, b]) => a.expiresMs - b.expiresMs);
      if (oldest !== undefined && this.loaded.size >= (this.#options.maxLoaded ?? 3))
        this.loaded.delete(oldest[0]);
    }
    this.loaded.set(model, { options, expiresMs: expiryOf(keepAlive) });
    return isNew;
  }

  #run(path: string, model: string, body: Body): readonly [number, unknown] {
    const asks =
      path === '/api/embed'
        ? listOf(body['input']).length > 0
        : (body['prompt'] ?? body['messages']) !== undefined;
    if (!asks && body['keep_alive'] === 0) {
      this.loaded.delete(model);
      return [200, { done: true, done_reason: 'unload' }];
    }
    const options = Object.fromEntries(
      Object.entries(objectOf(body['options']))
        .filter(([name]) => RUNNER_OPTIONS.has(name))
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    );
    if (this.#options.refuses?.(options) === true)
      return [500, { error: 'model requires more system memory' }];
    const isNew = this.load(model, options, body['keep_alive']);
    if (!asks) return [200, path === '/api/embed' ? { embeddings: [] } : { done: true, done_reason: 'load' }];
    const isDisturbed = this.disturbed > 0;
    if (isDisturbed) this.disturbed -= 1;
    const figures = this.#figures(options, body, isNew || isDisturbed);
    const words =
      path === '/api/chat' ? { message: { role: 'assistant', content: 'word' } } : { response: 'word' };
    return [
      200,
      path === '/api/embed'
        ? { embeddings: [[1]], ...figures }
        : { ...words, done: true, done_reason: 'length', ...figures },
    ];
  }

  #figures(
    options: Readonly<Record<string, unknown>>,
    body: Body,
    isNew: boolean,
  ): Readonly<Record<string, number>> {
    const texts = [body['prompt'], ...listOf(body['input'])].filter((text) => typeof text === 'string');
    const promptTokens = texts.join(' ').split(' ').length * 2;
    const answerTokens = Number(objectOf(body['options'])['num_predict'] ?? 0);
    const speed = this.#options.speed(options);
    const nanoseconds = (tokens: number, perSecond: number): number =>
      Math.round((tokens / perSecond) * NANOSECONDS * this.#noise());
    const [load, prompt, answer] = [
      isNew ? 5 * NANOSECONDS : 1,
      nanoseconds(promptTokens, speed.prompt),
      nanoseconds(answerTokens, speed.answer),
    ];
    return {
      total_duration: load + prompt + answer,
      load_duration: load,
      prompt_eval_count: promptTokens,
      prompt_eval_duration: prompt,
      eval_count: answerTokens,
      eval_duration: answer,
    };
  }

  /** A share around 1 that is the same in every run (a linear congruential generator). */
  #noise(): number {
    this.#state = (this.#state * 1_103_515_245 + 12_345) % 2 ** 31;
    return 1 + (this.#options.noise ?? 0.05) * ((2 * this.#state) / 2 ** 31 - 1);
  }

  #running(): readonly unknown[] {
    return [...this.loaded].map(([name, { options, expiresMs }]) => ({
      name,
      size: 1_000_000,
      size_vram: this.#options.vramBytes ?? 0,
      expires_at: new Date(expiresMs).toISOString(),
      context_length: options['num_ctx'] ?? 4096,
    }));
  }
}

function expiryOf(keepAlive: unknown): number {
  if (typeof keepAlive !== 'number') return Date.now() + 300_000;
  return keepAlive < 0 ? FOR_EVER_MS : Date.now() + keepAlive * 1_000;
}

function describe(model: string): unknown {
  const isEmbedding = model === 'embed:latest';
  return {
    capabilities: [isEmbedding ? 'embedding' : 'completion'],
    model_info: {
      'general.architecture': 'llama',
      'llama.context_length': 4096,
      'llama.block_count': 20,
      'llama.embedding_length': 64,
      'llama.attention.head_count': 4,
    },
  };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Starts one on a loopback port. */
export async function startTuningOllama(options: TuningOllamaOptions): Promise<TuningOllama> {
  const state = new Server(options);
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const text = Buffer.concat(parts).toString();
      if (state.stalls && text.includes('"prompt"')) {
        state.stalls = false;
        return;
      }
      const [status, answer] = state.answer(request.url ?? '', text === '' ? {} : objectOf(JSON.parse(text)));
      response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(answer)}\n`);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    // A TCP server's address is never a pipe's name.
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    loads: state.loads,
    loaded: state.loaded,
    load: (model, given, seconds) => void state.load(model, given, seconds),
    disturb: (answers) => {
      state.disturbed = answers;
    },
    stall: () => {
      state.stalls = true;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
