/** What the scripted Ollama has loaded: loads, reloads, slots, waiting, eviction, and what runners say. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { ScriptedCall } from './scripted-ollama-answers.ts';
import { BUSY, sendJson, sendLines } from './scripted-ollama-faults.ts';
import { layersOf, nameOf } from './scripted-ollama-models.ts';
import type { ScriptedModel } from './scripted-ollama-models.ts';
import { Slots } from './scripted-ollama-slots.ts';
import { vectorOf } from './upstream-scripts.ts';

/** How runners behave. */
export type RunnerSettings = {
  /** Its OLLAMA_NUM_PARALLEL; 1. */
  readonly parallel: number;
  /** Its OLLAMA_MAX_LOADED_MODELS; 3. */
  readonly maxLoaded: number;
  /** Its OLLAMA_MAX_QUEUE: requests that wait for a load; 512. */
  readonly maxQueue: number;
  /** Milliseconds of a load, in silence; 0. */
  readonly loadMs: number;
  /** Milliseconds before each word of an answer; 0. */
  readonly wordMs: number;
  /** What is answered. */
  readonly words: readonly string[];
};

/** One load of a model. */
export type ScriptedLoad = {
  readonly model: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** It was loaded with others. */
  readonly reload: boolean;
};

/** A model that is loaded. */
export type ScriptedRunning = {
  readonly name: string;
  readonly expiresMs: number;
  readonly sizeVram: number;
  readonly contextLength: number;
};

type Runner = {
  readonly model: ScriptedModel;
  readonly options: Readonly<Record<string, unknown>>;
  readonly slots: Slots;
  expiresMs: number;
  users: number;
};

/** The options that a runner is started with. */
export const RUNNER_OPTIONS: ReadonlySet<string> = new Set([
  'num_ctx',
  'num_batch',
  'num_gpu',
  'main_gpu',
  'num_thread',
  'use_mmap',
  'draft_num_predict',
]);
const FIVE_MINUTES_MS = 300_000;
/** A year that shows as for ever. */
const FOR_EVER_MS = 9_000_000_000_000;
const NANOSECONDS = 1e6;

/** The runners of one server. */
export class ScriptedRunners {
  readonly loads: ScriptedLoad[] = [];
  readonly #settings: RunnerSettings;
  readonly #loaded = new Map<string, Runner>();
  /** Loads happen one at a time. */
  readonly #loading = new Slots(1);

  constructor(settings: Partial<RunnerSettings>) {
    const defaults = { parallel: 1, maxLoaded: 3, maxQueue: 512, loadMs: 0, wordMs: 0 };
    this.#settings = { ...defaults, words: ['Hello', ' there', '!'], ...withoutUndefined(settings) };
  }

  running(): readonly ScriptedRunning[] {
    for (const [name, runner] of this.#loaded)
      if (runner.users === 0 && runner.expiresMs <= Date.now()) this.#loaded.delete(name);
    return [...this.#loaded].map(([name, { model, options, expiresMs }]) => ({
      name,
      expiresMs,
      sizeVram: layersOf(model).reduce((sum, { bytes }) => sum + bytes, 0),
      contextLength: Number(options['num_ctx'] ?? Math.min(4096, model.contextLength ?? 8192)),
    }));
  }

  crash(name: string): void {
    this.#loaded.delete(nameOf(name));
  }

  crashAll(): void {
    this.#loaded.clear();
  }

  async run(call: ScriptedCall, model: ScriptedModel): Promise<void> {
    const { request, response, text } = call;
    const body = request.body ?? {};
    const asks = isAsking(request.path, body);
    if (!asks && body['keep_alive'] === 0) {
      this.crash(model.name);
      sendJson(response, 200, { model: text('model'), response: '', done: true, done_reason: 'unload' });
      return;
    }
    const onlyEmbeds = model.capabilities?.includes('completion') === false;
    if (onlyEmbeds && request.path !== '/api/embed') {
      const what = request.path.slice('/api/'.length);
      sendJson(response, 400, { error: `"${text('model')}" does not support ${what}` });
      return;
    }
    const startedMs = performance.now();
    const runner = await this.#runnerFor(model, optionsOf(body), call);
    if (runner === undefined) return;
    const loadMs = performance.now() - startedMs;
    try {
      if (asks) await this.#answer(call, runner, loadMs);
      else sendJson(response, 200, loadedAnswer(call));
    } finally {
      this.#leave(runner, body['keep_alive']);
    }
  }

  async #runnerFor(
    model: ScriptedModel,
    options: Readonly<Record<string, unknown>>,
    { response }: ScriptedCall,
  ): Promise<Runner | undefined> {
    const name = nameOf(model.name);
    const fits = (): Runner | undefined => {
      const runner = this.#loaded.get(name);
      return runner !== undefined && sameOptions(runner.options, options) ? runner : undefined;
    };
    const enter = (runner: Runner): Runner => {
      runner.users += 1;
      return runner;
    };
    const ready = fits();
    if (ready !== undefined) return enter(ready);
    if (this.#loading.waiting >= this.#settings.maxQueue) {
      sendJson(response, 503, { error: BUSY });
      return undefined;
    }
    await this.#loading.enter();
    try {
      const meanwhile = fits();
      if (meanwhile !== undefined) return enter(meanwhile);
      return enter(await this.#load(model, options));
    } finally {
      this.#loading.leave();
    }
  }

  async #load(model: ScriptedModel, options: Readonly<Record<string, unknown>>): Promise<Runner> {
    const name = nameOf(model.name);
    const before = this.#loaded.get(name);
    if (before !== undefined) await idle(before);
    this.#loaded.delete(name);
    await this.#makeRoom();
    await sleep(this.#settings.loadMs);
    this.loads.push({ model: name, options, reload: before !== undefined });
    const slots = new Slots(this.#settings.parallel);
    const runner = { model, options, slots, expiresMs: Date.now() + FIVE_MINUTES_MS, users: 0 };
    this.#loaded.set(name, runner);
    return runner;
  }

  /** The idle model with the shortest time left goes; where all are busy, the load waits. */
  async #makeRoom(): Promise<void> {
    while (this.#loaded.size >= this.#settings.maxLoaded) {
      const [first] = [...this.#loaded]
        .filter(([, { users }]) => users === 0)
        .sort(([, a], [, b]) => a.expiresMs - b.expiresMs);
      if (first === undefined) await sleep(1);
      else this.#loaded.delete(first[0]);
    }
  }

  #leave(runner: Runner, keepAlive: unknown): void {
    runner.users -= 1;
    runner.expiresMs = expiryOf(keepAlive);
    if (keepAlive === 0 && this.#loaded.get(nameOf(runner.model.name)) === runner)
      this.crash(runner.model.name);
  }

  async #answer(call: ScriptedCall, runner: Runner, loadMs: number): Promise<void> {
    const startedMs = performance.now();
    await runner.slots.enter();
    try {
      const figures = (): object => ({
        total_duration: Math.round((loadMs + performance.now() - startedMs) * NANOSECONDS),
        load_duration: Math.round(Math.max(loadMs, 0.001) * NANOSECONDS),
        prompt_eval_count: 9,
        prompt_eval_duration: NANOSECONDS,
        eval_count: this.#settings.words.length,
        eval_duration: NANOSECONDS,
      });
      if (call.request.path === '/api/embed') this.#embed(call, figures);
      else await this.#say(call, figures);
    } finally {
      runner.slots.leave();
    }
  }

  #embed({ request, response, text }: ScriptedCall, figures: () => object): void {
    const input = request.body?.['input'];
    const texts = (Array.isArray(input) ? input : [input]).map(String);
    const { total_duration, load_duration } = { total_duration: 0, load_duration: 0, ...figures() };
    const embeddings = texts.map(vectorOf);
    sendJson(response, 200, {
      model: text('model'),
      embeddings,
      total_duration,
      load_duration,
      prompt_eval_count: 4,
    });
  }

  async #say({ request, response, text }: ScriptedCall, figures: () => object): Promise<void> {
    const { words, wordMs } = this.#settings;
    const base = { model: text('model'), created_at: new Date().toISOString() };
    const part = (content: string): object =>
      request.path === '/api/chat' ? { message: { role: 'assistant', content } } : { response: content };
    const end = (content: string): object => ({
      ...base,
      ...part(content),
      done: true,
      done_reason: 'stop',
      ...figures(),
    });
    if (request.body?.['stream'] === false) {
      await sleep(wordMs * words.length);
      sendJson(response, 200, end(words.join('')));
      return;
    }
    for (const word of words) {
      await sleep(wordMs);
      if (!(await sendLines(response, [{ ...base, ...part(word), done: false }]))) return;
    }
    response.end(`${JSON.stringify(end(''))}\n`);
  }
}

function isAsking(path: string, body: Readonly<Record<string, unknown>>): boolean {
  if (path === '/api/chat') return Array.isArray(body['messages']) && body['messages'].length > 0;
  if (path === '/api/generate') return typeof body['prompt'] === 'string' && body['prompt'] !== '';
  return body['input'] !== '' && !(Array.isArray(body['input']) && body['input'].length === 0);
}

function loadedAnswer({ request, text }: ScriptedCall): object {
  if (request.path === '/api/embed') return { model: text('model'), embeddings: [] };
  return { model: text('model'), response: '', done: true, done_reason: 'load' };
}

/** A runner that answers is not ended. */
async function idle(runner: Runner): Promise<void> {
  for (; runner.users > 0;) await sleep(1);
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}

function optionsOf(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const options = body['options'];
  const given = Object.entries(typeof options === 'object' && options !== null ? options : {});
  return Object.fromEntries(given.filter(([name]) => RUNNER_OPTIONS.has(name)).sort(byName));
}

function sameOptions(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Seconds, or Go's `5m` and `1h`; as long as it likes where it is negative. */
function expiryOf(keepAlive: unknown): number {
  if (keepAlive === undefined) return Date.now() + FIVE_MINUTES_MS;
  const seconds = typeof keepAlive === 'number' ? keepAlive : secondsOf(keepAlive);
  return seconds < 0 ? FOR_EVER_MS : Date.now() + seconds * 1000;
}

function secondsOf(value: unknown): number {
  const text = typeof value === 'string' ? value : '5m';
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
  return Number.parseFloat(text) * (units[text.at(-1) ?? ''] ?? 1);
}

function withoutUndefined<T extends object>(from: T): T {
  return Object.fromEntries(Object.entries(from).filter(([, value]) => value !== undefined)) as T;
}
