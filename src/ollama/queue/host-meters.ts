import { createMetricRegistry } from '../../telemetry/metric-registry.ts';
import type { GaugeSample } from '../../telemetry/metric-registry.ts';

import type { RequestTiming } from '../control-plane.ts';
import type { ModelBook } from './model-book.ts';

/** A model by a name, at a host by its name. */
export type AskedModel = { readonly host: string; readonly model: string };

/** What is measured per host and model, in Prometheus' form. */
export type HostMeters = {
  /** A request was done, for a model by the name that was asked for. */
  ended(asked: AskedModel, timing: RequestTiming): void;
  /** A load was done. */
  loaded(book: ModelBook, loadMs: number): void;
  /** Text exposition format 0.0.4. */
  render(): string;
};

/** Seconds; from a turn of the queue that costs nothing to a cold load of minutes. */
const BOUNDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

const LABELS = ['host', 'model'];

type Reading = { readonly name: string; readonly help: string; value(book: ModelBook): number | undefined };

const GAUGES: readonly Reading[] = [
  {
    name: 'obelisk_ollama_model_loaded',
    help: '1 where the model is loaded, 0 where it is not, as of the last look.',
    value: (book) => (book.loaded === undefined ? 0 : 1),
  },
  {
    name: 'obelisk_ollama_model_loading',
    help: '1 while the model is being loaded for a request of ours.',
    value: (book) => (book.loading ? 1 : 0),
  },
  {
    name: 'obelisk_ollama_model_memory_bytes',
    help: 'Memory that the loaded model takes.',
    value: (book) => book.loaded?.sizeBytes ?? 0,
  },
  {
    name: 'obelisk_ollama_model_vram_bytes',
    help: 'Part of it that is on GPUs.',
    value: (book) => book.loaded?.vramBytes ?? 0,
  },
  {
    name: 'obelisk_ollama_in_flight',
    help: 'Requests that the host is answering for us.',
    value: (book) => book.inFlight,
  },
  {
    name: 'obelisk_ollama_parallel',
    help: 'Requests that pass to the host at once: as configured, or as many as it was seen to serve.',
    value: (book) => finite(book.queue.parallel),
  },
  {
    name: 'obelisk_ollama_queue_length',
    help: 'Requests that wait for a slot of the host.',
    value: (book) => book.queued,
  },
  {
    name: 'obelisk_ollama_queue_expected_wait_seconds',
    help: 'What a request that came now would wait; absent before a first answer was measured.',
    value: (book) => inSeconds(book.queue.expectedWaitMs()),
  },
];

const COUNTERS: readonly Reading[] = [
  { name: 'obelisk_ollama_loads_total', help: 'Loads of the model.', value: (book) => book.counts.loads },
  {
    name: 'obelisk_ollama_reloads_total',
    help: 'Loads of a model that was loaded already, because of other runner options.',
    value: (book) => book.counts.reloads,
  },
  {
    name: 'obelisk_ollama_evictions_total',
    help: 'Times that Ollama unloaded the model before its time, to make room for another.',
    value: (book) => book.counts.evictions,
  },
  {
    name: 'obelisk_ollama_queue_refused_total',
    help: 'Requests that found the queue full or waited in it for all the time they had.',
    value: (book) => book.queue.refused,
  },
  {
    name: 'obelisk_ollama_busy_total',
    help: 'Times that Ollama said "server busy" and was asked again.',
    value: (book) => book.counts.busy,
  },
];

/** Creates the meters. @param books The books as they are when scraped. */
export function createHostMeters(books: () => readonly ModelBook[]): HostMeters {
  const registry = createMetricRegistry();
  for (const { value, ...about } of GAUGES) registry.gauge(about, () => samples(books(), value));
  for (const { value, ...about } of COUNTERS) registry.alias(about, () => samples(books(), value));
  const seconds = (name: string, help: string) => registry.histogram({ name, help, labels: LABELS }, BOUNDS);
  const total = (name: string, help: string) => registry.counter({ name, help, labels: LABELS });
  const queueWait = seconds('obelisk_ollama_queue_wait_seconds', 'What requests waited for a slot.');
  const load = seconds('obelisk_ollama_load_seconds', 'What loads of the model took.');
  const promptTokens = total(
    'obelisk_ollama_prompt_tokens_total',
    'Tokens of prompts, those that Ollama had kept included; divide by obelisk_ollama_prompt_seconds_total.',
  );
  const promptSeconds = total('obelisk_ollama_prompt_seconds_total', 'Seconds of reading prompts.');
  const generationTokens = total(
    'obelisk_ollama_generation_tokens_total',
    'Tokens of answers; divide by obelisk_ollama_generation_seconds_total.',
  );
  const generationSeconds = total('obelisk_ollama_generation_seconds_total', 'Seconds of writing answers.');
  const speeds = new Map<string, AskedModel & Speeds>();
  const speed = (kind: keyof Speeds) => () => samples([...speeds.values()], (one) => one[kind]);
  registry.gauge(
    { name: 'obelisk_ollama_prompt_tokens_per_second', help: 'Of the last request that read a prompt.' },
    speed('prompt'),
  );
  registry.gauge(
    { name: 'obelisk_ollama_generation_tokens_per_second', help: 'Of the last answer of several tokens.' },
    speed('generation'),
  );
  return {
    ended(asked, timing) {
      const labels = labelsOf(asked);
      queueWait.cell(labels).observe(timing.queueMs / 1_000);
      promptTokens.cell(labels).value += timing.promptTokens;
      promptSeconds.cell(labels).value += timing.promptMs / 1_000;
      generationTokens.cell(labels).value += timing.completionTokens;
      generationSeconds.cell(labels).value += timing.generationMs / 1_000;
      const { host, model } = asked;
      const key = labels.join(' ');
      speeds.set(key, { host, model, ...speedsOf(timing, speeds.get(key)) });
    },
    loaded: (book, loadMs) => load.cell(labelsOf(book)).observe(loadMs / 1_000),
    render: () => registry.render(),
  };
}

type Speeds = { readonly prompt: number | undefined; readonly generation: number | undefined };

function speedsOf(timing: RequestTiming, before: Speeds | undefined): Speeds {
  const { promptTokens, promptMs, completionTokens, generationMs } = timing;
  return {
    prompt: promptTokens > 0 && promptMs > 0 ? (promptTokens * 1_000) / promptMs : before?.prompt,
    generation:
      completionTokens > 1 && generationMs > 0
        ? (completionTokens * 1_000) / generationMs
        : before?.generation,
  };
}

function samples<T extends AskedModel>(
  ones: readonly T[],
  value: (one: T) => number | undefined,
): readonly GaugeSample[] {
  return ones.flatMap((one) => {
    const read = value(one);
    return read === undefined ? [] : [{ labels: { host: one.host, model: one.model }, value: read }];
  });
}

function labelsOf({ host, model }: AskedModel): readonly string[] {
  return [host, model];
}

/** A model of the cloud has no queue with us. */
function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

function inSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1_000;
}
