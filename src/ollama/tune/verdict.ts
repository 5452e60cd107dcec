import type { Sample } from './measure.ts';
import { comparePairs, FEWEST_ROUNDS, medianOf } from './paired-comparison.ts';
import type { PairedComparison } from './paired-comparison.ts';
import type { Workload } from './workload.ts';

/** What came out for one setting in one round, or why nothing did. */
export type Result = Sample | { readonly failed: string };

/** One round: each setting once, one right after the other. By the key of the setting. */
export type Round = ReadonlyMap<string, Result>;

/** How a setting did against another in the same rounds. */
export type Comparison = {
  /** Time of the whole workload; above 1 is faster. */
  readonly speed: PairedComparison;
  /** Tokens of the prompt in a second. */
  readonly prompt: PairedComparison;
  /** Tokens of the answer in a second; no rounds where nothing is written. */
  readonly answer: PairedComparison;
  readonly verdict: Verdict;
};

/**
 * `faster`: beyond noise, and nothing is slower for it. `mixed`: faster as a whole, but the prompt or
 * the answer is slower beyond noise. `same`: no difference beyond noise. `open`: too few rounds.
 */
export type Verdict = 'faster' | 'slower' | 'same' | 'mixed' | 'failed' | 'open';

/** A gain below this is not worth a setting of one's own. */
export const LEAST_GAIN = 1.02;
/** A part that is slower than this, for certain, is a price. */
const TOLERATED_LOSS = 1 / LEAST_GAIN;

/** Whether something was measured. */
export function isSample(result: Result | undefined): result is Sample {
  return result !== undefined && !('failed' in result);
}

/** Milliseconds that a workload takes at the speed of a sample, however many tokens the sample had. */
export function workloadMs(sample: Sample, { promptTokens, answerTokens }: Workload): number {
  const perAnswerToken = sample.answerTokens === 0 ? 0 : sample.answerMs / sample.answerTokens;
  return promptTokens * perPromptToken(sample) + answerTokens * perAnswerToken;
}

function perPromptToken({ promptMs, promptTokens }: Sample): number {
  return promptMs / Math.max(1, promptTokens);
}

/** Compares a setting with another by the rounds in which both were measured. */
export function compareSettings(
  rounds: readonly Round[],
  { base, other, workload }: { readonly base: string; readonly other: string; readonly workload: Workload },
): Comparison {
  const pairs = rounds.flatMap((round): readonly (readonly [Sample, Sample])[] => {
    const [before, after] = [round.get(base), round.get(other)];
    if (!isSample(before) || !isSample(after)) return [];
    // An answer that ended before its first word was no answer.
    const isWhole = (before.answerTokens === 0) === (after.answerTokens === 0);
    return isWhole ? [[before, after]] : [];
  });
  const compare = (cost: (sample: Sample) => number): PairedComparison =>
    comparePairs(
      pairs
        .map(([before, after]) => cost(before) / cost(after))
        .filter((ratio) => Number.isFinite(ratio) && ratio > 0),
    );
  const speed = compare((sample) => workloadMs(sample, workload));
  const prompt = compare(perPromptToken);
  const answer = compare(({ answerMs, answerTokens }) => answerMs / answerTokens);
  const failed = rounds.some((round) => round.has(other) && !isSample(round.get(other)));
  return { speed, prompt, answer, verdict: failed ? 'failed' : verdictOf(speed, [prompt, answer]) };
}

function verdictOf(speed: PairedComparison, parts: readonly PairedComparison[]): Verdict {
  if (speed.rounds < FEWEST_ROUNDS) return 'open';
  if (speed.high < 1) return 'slower';
  if (speed.low <= LEAST_GAIN) return 'same';
  return parts.some(({ rounds, high }) => rounds >= FEWEST_ROUNDS && high < TOLERATED_LOSS)
    ? 'mixed'
    : 'faster';
}

/** The middle of each figure over several samples. */
export type Figures = {
  readonly samples: number;
  /** Tokens in a second. */
  readonly promptSpeed: number;
  readonly answerSpeed?: number;
  readonly firstTokenMs?: number;
  readonly loadMs?: number;
  readonly sizeBytes: number;
  readonly vramBytes: number;
};

/** Sums samples up; undefined of none. */
export function figuresOf(samples: readonly Sample[]): Figures | undefined {
  const promptSpeed = median(samples.map((sample) => 1_000 / perPromptToken(sample)));
  if (promptSpeed === undefined) return undefined;
  const answerSpeed = median(
    samples
      .filter(({ answerTokens }) => answerTokens > 0)
      .map(({ answerTokens, answerMs }) => (answerTokens * 1_000) / answerMs),
  );
  const firstTokenMs = median(samples.flatMap((sample) => sample.firstTokenMs ?? []));
  const loadMs = median(samples.flatMap((sample) => sample.loadMs ?? []));
  return {
    samples: samples.length,
    promptSpeed,
    sizeBytes: median(samples.map((sample) => sample.sizeBytes)) ?? 0,
    vramBytes: median(samples.map((sample) => sample.vramBytes)) ?? 0,
    ...(answerSpeed === undefined ? {} : { answerSpeed }),
    ...(firstTokenMs === undefined ? {} : { firstTokenMs }),
    ...(loadMs === undefined ? {} : { loadMs }),
  };
}

function median(values: readonly number[]): number | undefined {
  return medianOf(values.toSorted((a, b) => a - b));
}
