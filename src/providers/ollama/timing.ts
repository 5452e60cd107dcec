import type { AnswerTiming } from '../chat.ts';

/** Durations as Ollama sends them, in nanoseconds; zeros are left out. */
export type OllamaDurations = {
  readonly total_duration?: number | undefined;
  readonly load_duration?: number | undefined;
  readonly prompt_eval_duration?: number | undefined;
  readonly eval_duration?: number | undefined;
};

const NANOSECONDS_PER_MS = 1_000_000;

/** Writes a duration as Ollama has it, in whole nanoseconds. */
export function toNanoseconds(ms: number): number {
  return Math.round(ms * NANOSECONDS_PER_MS);
}

/** Where the time of an answer went; a server that measures nothing (another one of its protocol) says nothing. */
export function answerTiming(durations: OllamaDurations): AnswerTiming | undefined {
  const { total_duration: total, load_duration: load = 0 } = durations;
  if (total === undefined) return undefined;
  return {
    totalMs: total / NANOSECONDS_PER_MS,
    loadMs: load / NANOSECONDS_PER_MS,
    promptMs: (durations.prompt_eval_duration ?? 0) / NANOSECONDS_PER_MS,
    generationMs: (durations.eval_duration ?? 0) / NANOSECONDS_PER_MS,
  };
}

/** Of embeddings Ollama says how long all of it took and the load alone: the rest is the reading of the texts. */
export function embeddingTiming(durations: OllamaDurations): AnswerTiming | undefined {
  const timing = answerTiming(durations);
  if (timing === undefined) return undefined;
  return { ...timing, promptMs: Math.max(0, timing.totalMs - timing.loadMs) };
}

/** One time for answers that followed each other. */
export function addTimings(
  a: AnswerTiming | undefined,
  b: AnswerTiming | undefined,
): AnswerTiming | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    queueMs: (a.queueMs ?? 0) + (b.queueMs ?? 0),
    totalMs: a.totalMs + b.totalMs,
    loadMs: a.loadMs + b.loadMs,
    promptMs: a.promptMs + b.promptMs,
    generationMs: a.generationMs + b.generationMs,
  };
}
