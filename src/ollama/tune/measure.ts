import { answerTiming, embeddingTiming } from '../../providers/ollama/timing.ts';
import { ObeliskError } from '../../shared/errors.ts';
import type { AnswerTiming } from '../../providers/chat.ts';
import type { OllamaFigures } from '../api/api-types.ts';
import type { OllamaClient } from '../api/client.ts';
import type { RunnerOptions } from '../queue/runner-options.ts';
import { promptOf, TEXTS_PER_REQUEST } from './workload.ts';
import type { Workload } from './workload.ts';

/** What one setting took, once. Times in milliseconds. */
export type Sample = {
  /** Loading the model; absent where it was loaded so already. */
  readonly loadMs?: number;
  /** From the request to the first of the answer; absent where texts are embedded. */
  readonly firstTokenMs?: number;
  readonly promptTokens: number;
  readonly promptMs: number;
  readonly answerTokens: number;
  readonly answerMs: number;
  /** All memory of the loaded model, and the part of it that is video memory. */
  readonly sizeBytes: number;
  readonly vramBytes: number;
};

/** What is measured, and where. */
export type Bench = {
  readonly client: OllamaClient;
  readonly model: string;
  readonly workload: Workload;
  readonly nowMs: () => number;
};

/** How long Ollama keeps a model between two measurements: a crash of ours leaves it no longer. */
const KEEP_ALIVE = '5m';
/** Of an answer that tells no time. */
const NO_TIME: AnswerTiming = { totalMs: 0, loadMs: 0, promptMs: 0, generationMs: 0 };
/** A wait that is longer than all the work means that someone else was served. */
const FOREIGN_WAIT_MS = 1_000;
const SHORT_LOAD_MS = 100;
/** An answer that ends by itself after a word or two tells little. */
const MOST_REQUESTS = 3;

/** Loads a model with options, as the gateway does; the time that it took in milliseconds. */
export async function loadWith(
  { client, model, nowMs }: Bench,
  options: RunnerOptions,
  signal: AbortSignal,
): Promise<number> {
  const startedMs = nowMs();
  await client.load({ model, options, keep_alive: KEEP_ALIVE }, signal);
  return nowMs() - startedMs;
}

/** Memory of the loaded model. */
export async function memoryOf(
  { client, model }: Bench,
  signal: AbortSignal,
): Promise<Pick<Sample, 'sizeBytes' | 'vramBytes'>> {
  const running = (await client.ps(signal)).find(({ name }) => name === model);
  return { sizeBytes: running?.size ?? 0, vramBytes: running?.size_vram ?? 0 };
}

/** One request to measure. */
export type Asked = { readonly options: RunnerOptions; readonly seed: number; readonly loadMs: number };

/**
 * Asks a model that was just loaded with these options, several times where its answers are short.
 * @throws ObeliskError `overloaded` when someone else loaded it anew or was served in between.
 */
export async function measure(
  bench: Bench,
  asked: Asked,
  signal: AbortSignal,
): Promise<Omit<Sample, 'loadMs' | 'sizeBytes' | 'vramBytes'>> {
  const wanted = bench.workload.answerTokens / 2;
  const turns: Turn[] = [];
  do {
    const seed = asked.seed * MOST_REQUESTS + turns.length;
    turns.push(await askOnce(bench, { ...asked, seed }, signal));
  } while (turns.length < MOST_REQUESTS && sum(turns, 'answerTokens') < wanted);
  const firsts = turns.flatMap(({ firstTokenMs }) => (firstTokenMs === undefined ? [] : [firstTokenMs]));
  return {
    ...(firsts.length === 0 ? {} : { firstTokenMs: Math.min(...firsts) }),
    promptTokens: sum(turns, 'promptTokens'),
    promptMs: sum(turns, 'promptMs'),
    answerTokens: sum(turns, 'answerTokens'),
    answerMs: sum(turns, 'answerMs'),
  };
}

/** Tokens of a prompt of `words` words, and the wake-up of a runner that was just started. */
export async function countTokens(
  bench: Bench,
  { options, words }: { readonly options: RunnerOptions; readonly words: number },
  signal: AbortSignal,
): Promise<number> {
  const { figures } = await ask(bench, { options, prompts: [promptOf(words, 0)], answerTokens: 1 }, signal);
  return figures.prompt_eval_count ?? 0;
}

type Turn = Omit<Sample, 'loadMs' | 'sizeBytes' | 'vramBytes'>;

function sum(
  turns: readonly Turn[],
  what: 'promptTokens' | 'promptMs' | 'answerTokens' | 'answerMs',
): number {
  return turns.reduce((total, turn) => total + turn[what], 0);
}

async function askOnce(bench: Bench, { options, seed, loadMs }: Asked, signal: AbortSignal): Promise<Turn> {
  const { kind, promptTokens, answerTokens, wordsPerToken } = bench.workload;
  const count = kind === 'chat' ? 1 : TEXTS_PER_REQUEST;
  const words = Math.max(4, Math.floor((promptTokens * wordsPerToken) / count));
  const prompts = Array.from({ length: count }, (_, index) => promptOf(words, seed * count + index + 1));
  const { figures, firstMs } = await ask(bench, { options, prompts, answerTokens }, signal);
  const timing = (kind === 'chat' ? answerTiming(figures) : embeddingTiming(figures)) ?? NO_TIME;
  requireUndisturbed(bench, timing, loadMs);
  return {
    ...(firstMs === undefined ? {} : { firstTokenMs: firstMs }),
    promptTokens: figures.prompt_eval_count ?? 0,
    promptMs: timing.promptMs,
    answerTokens: figures.eval_count ?? 0,
    answerMs: timing.generationMs,
  };
}

/** Nobody else may have loaded the model with other options, or been served before us. */
function requireUndisturbed({ workload }: Bench, timing: AnswerTiming, askedLoadMs: number): void {
  const { totalMs, loadMs, promptMs, generationMs } = timing;
  const workedMs = promptMs + generationMs;
  const waitedMs = totalMs - loadMs - workedMs;
  const isForeign = workload.kind === 'chat' && waitedMs > Math.max(FOREIGN_WAIT_MS, workedMs);
  if (loadMs <= Math.max(SHORT_LOAD_MS, askedLoadMs / 2) && !isForeign) return;
  throw new ObeliskError('overloaded', 'someone else used the model in between');
}

type Request = {
  readonly options: RunnerOptions;
  readonly prompts: readonly string[];
  readonly answerTokens: number;
};

type Reply = { readonly figures: OllamaFigures; readonly firstMs?: number };

function ask(bench: Bench, request: Request, signal: AbortSignal): Promise<Reply> {
  return bench.workload.kind === 'chat' ? generate(bench, request, signal) : embed(bench, request, signal);
}

async function generate(bench: Bench, request: Request, signal: AbortSignal): Promise<Reply> {
  const { client, model, nowMs } = bench;
  const startedMs = nowMs();
  let firstMs: number | undefined;
  let figures: OllamaFigures = {};
  const body = {
    model,
    prompt: request.prompts[0] ?? '',
    // Templates and thinking belong to the model, not to what is measured.
    raw: true,
    truncate: false,
    shift: false,
    keep_alive: KEEP_ALIVE,
    options: { ...request.options, num_predict: request.answerTokens, temperature: 0.8, seed: 7 },
  };
  for await (const line of client.generate(body, signal)) {
    firstMs ??= nowMs() - startedMs;
    if (line.done) figures = line;
  }
  return { figures, ...(firstMs === undefined ? {} : { firstMs }) };
}

async function embed({ client, model }: Bench, request: Request, signal: AbortSignal): Promise<Reply> {
  const body = {
    model,
    input: request.prompts,
    truncate: false,
    keep_alive: KEEP_ALIVE,
    options: request.options,
  } as const;
  return { figures: await client.embed(body, signal) };
}
