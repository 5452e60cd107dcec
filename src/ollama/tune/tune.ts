import type { RunnerOptions } from '../queue/runner-options.ts';
import type { TuneJournal } from './journal.ts';
import type { TuneDimension } from './matrix.ts';
import type { Bench } from './measure.ts';
import { FEWEST_ROUNDS } from './paired-comparison.ts';
import { Sampler } from './sampler.ts';
import { NOW, settingKey } from './setting.ts';
import type { Setting } from './setting.ts';
import { compareSettings, isSample, LEAST_GAIN } from './verdict.ts';
import type { Comparison, Result, Round } from './verdict.ts';

/** What is to be tried, how often, and until when. */
export type TuneTask = {
  readonly bench: Bench;
  /** Runner options that travel with every request now. */
  readonly baseline: RunnerOptions;
  readonly dimensions: readonly TuneDimension[];
  /** Rounds of the last comparison, which decides. */
  readonly rounds: number;
  /** On the clock of the bench: no round begins that would not end before. */
  readonly deadlineMs: number;
  /** Breaks off a round that takes longer than was to be expected. */
  readonly late: AbortSignal;
  /** Whether one of prompt and answer may become slower where the whole becomes faster. */
  readonly allowsTrade: boolean;
  readonly journal: TuneJournal;
  readonly onStep: (step: TuneStep) => void;
  /** Pause before a disturbed measurement is repeated, in milliseconds. */
  readonly retryMs?: number;
};

/** One measurement that was made. */
export type TuneStep = {
  readonly stage: string;
  /** From 1. */
  readonly round: number;
  readonly rounds: number;
  readonly setting: string;
  readonly result: Result;
};

/** A setting and how it did in rounds of its own. */
export type Compared = { readonly setting: Setting; readonly comparison: Comparison };

/** What came out. */
export type TuneOutcome = {
  /** Faster than what counts now, beyond noise, and each option of it faster than without it. */
  readonly found?: Compared;
  /** What seemed faster in the search and was not in rounds of its own. */
  readonly refused: readonly Compared[];
  /** What seemed faster as a whole, but not in both parts, where that is not allowed. */
  readonly traded: readonly Compared[];
  /** False where time was up; asking again goes on. */
  readonly isComplete: boolean;
};

/** The stage in which several options together are compared with what counts now. */
export const FINAL_STAGE = 'together';
/** Rounds in which the values of an option are looked through; the one that is chosen is measured anew. */
export const SEARCH_ROUNDS = 3;
/** A value that is this much slower twice is not looked at a third time. */
const HOPELESS = 0.9;
/** A value that makes the prompt or the answer this much slower is taken only where that is allowed. */
const TRADE = 0.9;

/** The stage in which the values of an option are looked through. */
export function searchStage(option: string): string {
  return `search ${option}`;
}

/** The stage in which the chosen value of an option is compared with the best so far. */
export function checkStage(option: string): string {
  return `check ${option}`;
}

/**
 * Looks for a faster setting, one option after the other. The values of an option are looked through in
 * a few rounds, each beside the best so far; the one that seems best is then compared with the best so
 * far in fresh rounds, so that luck in the search decides nothing, and is taken only where it is faster
 * beyond noise. Several options are compared together with what counts now in the end. Everything
 * measured is in the journal, so that it goes on from the last whole round when it was broken off.
 * @throws ObeliskError `overloaded` when others use the model all the time, and of what counts now.
 */
export async function tune(task: TuneTask, signal: AbortSignal): Promise<TuneOutcome> {
  const runner = new TuneRunner(task, signal);
  const { best, refused, traded, isComplete } = await chooseAll(runner, task);
  if (best === undefined) return { refused, traded, isComplete };
  const together = await compareTogether(runner, best);
  const { compared } = together;
  const outcome = { traded, isComplete: isComplete && together.isComplete };
  if (compared === undefined) return { ...outcome, refused };
  if (isAccepted(compared, task)) return { ...outcome, refused, found: compared };
  return { ...outcome, refused: [...refused, compared] };
}

type Chosen = Omit<TuneOutcome, 'found'> & { readonly best?: Compared };

/** Goes through the options one after the other, each on top of what was accepted before. */
async function chooseAll(runner: TuneRunner, task: TuneTask): Promise<Chosen> {
  const [refused, traded]: [Compared[], Compared[]] = [[], []];
  let best: Compared | undefined;
  const chosen = (isComplete: boolean): Chosen => ({
    refused,
    traded,
    isComplete,
    ...(best === undefined ? {} : { best }),
  });
  for (const dimension of task.dimensions) {
    const choice = await runner.choose(dimension, best?.setting ?? NOW);
    const { compared } = choice;
    if (choice.traded !== undefined) traded.push(choice.traded);
    if (compared !== undefined && isAccepted(compared, task)) best = compared;
    else if (compared !== undefined) refused.push(compared);
    if (!choice.isComplete) return chosen(false);
  }
  return chosen(true);
}

/** What was compared with what counts now already needs no more rounds. */
async function compareTogether(runner: TuneRunner, best: Compared): Promise<Choice> {
  if (Object.keys(best.setting).length === 1) return { compared: best, isComplete: true };
  return runner.compare(FINAL_STAGE, NOW, best.setting);
}

function isAccepted({ comparison }: Compared, { allowsTrade }: TuneTask): boolean {
  return comparison.verdict === 'faster' || (allowsTrade && comparison.verdict === 'mixed');
}

type Choice = {
  readonly compared?: Compared;
  readonly traded?: Compared;
  readonly isComplete: boolean;
};

type Stage = { readonly name: string; readonly rounds: number };

class TuneRunner {
  readonly #task: TuneTask;
  readonly #startedMs: number;
  readonly #sampler: Sampler;
  readonly #signal: AbortSignal;

  constructor(task: TuneTask, signal: AbortSignal) {
    this.#task = task;
    this.#signal = signal;
    this.#startedMs = task.bench.nowMs();
    this.#sampler = new Sampler(task, AbortSignal.any([signal, task.late]));
  }

  /** Looks through the values of an option, and compares the best of them, where one seems better. */
  async choose({ option, values }: TuneDimension, best: Setting): Promise<Choice> {
    const settings = values.map((value): Setting => ({ ...best, [option]: value }));
    const stage = { name: searchStage(option), rounds: SEARCH_ROUNDS };
    const { rounds, isComplete } = await this.#stage(stage, (before) => [
      best,
      ...settings.filter((setting) => this.#hasHope(before, best, setting)),
    ]);
    if (!isComplete) return { isComplete };
    const { chosen, traded } = this.#bestOf(rounds, best, settings);
    const compared =
      chosen === undefined ? { isComplete } : await this.compare(checkStage(option), best, chosen);
    return { ...compared, ...(traded === undefined ? {} : { traded }) };
  }

  async compare(name: string, base: Setting, setting: Setting): Promise<Choice> {
    const keys = { base: settingKey(base), other: settingKey(setting) };
    const { workload } = this.#task.bench;
    const comparisonOf = (rounds: readonly Round[]): Comparison =>
      compareSettings(rounds, { ...keys, workload });
    const { rounds, isComplete } = await this.#stage({ name, rounds: this.#task.rounds }, (before) => {
      const { speed, verdict } = comparisonOf(before);
      // To end early for lack of hope makes no false hope; to end early for joy would.
      const isVain = verdict === 'failed' || (speed.rounds >= FEWEST_ROUNDS && speed.high <= LEAST_GAIN);
      return isVain ? [] : [base, setting];
    });
    return isComplete
      ? { compared: { setting, comparison: comparisonOf(rounds) }, isComplete }
      : { isComplete };
  }

  /** Measures the rounds of a stage that are missing, until time is up. */
  async #stage(
    stage: Stage,
    settingsAfter: (before: readonly Round[]) => readonly Setting[],
  ): Promise<{ readonly rounds: readonly Round[]; readonly isComplete: boolean }> {
    const kept = this.#task.journal.rounds(stage.name);
    const rounds: Round[] = [];
    while (rounds.length < stage.rounds) {
      const settings = settingsAfter(rounds);
      if (settings.length < 2) break;
      const before = kept[rounds.length];
      const isWhole = settings.every((setting) => before?.has(settingKey(setting)));
      if (before !== undefined && isWhole) {
        rounds.push(before);
        continue;
      }
      if (!this.#hasTime(settings.length)) return { rounds, isComplete: false };
      const round = await this.#roundInTime(stage, rounds.length, settings);
      if (round === undefined) return { rounds, isComplete: false };
      rounds.push(round);
    }
    return { rounds, isComplete: true };
  }

  /** A round, or nothing where time was up in the middle of it. */
  async #roundInTime(stage: Stage, index: number, settings: readonly Setting[]): Promise<Round | undefined> {
    try {
      return await this.#round(stage, index, settings);
    } catch (error) {
      if (this.#task.late.aborted && !this.#signal.aborted) return undefined;
      throw error;
    }
  }

  async #round(stage: Stage, index: number, settings: readonly Setting[]): Promise<Round> {
    this.#task.journal.forgetRound(stage.name, index);
    const round = new Map<string, Result>();
    // Forth and back in turns: what slowly changes on the host is then the same for all, and the first
    // of a round is loaded already.
    const order = index % 2 === 0 ? settings : settings.toReversed();
    for (const setting of order) {
      const key = settingKey(setting);
      const isBase = setting === settings[0];
      const result = await this.#sampler.sample(setting, { seed: index + 1, isBase });
      round.set(key, result);
      this.#task.journal.add({ stage: stage.name, round: index, setting: key }, result);
      this.#task.onStep({ stage: stage.name, round: index + 1, rounds: stage.rounds, setting: key, result });
    }
    return round;
  }

  #hasTime(settings: number): boolean {
    const { bench, deadlineMs } = this.#task;
    const nowMs = bench.nowMs();
    const { samples } = this.#sampler;
    const eachMs = samples === 0 ? 0 : (nowMs - this.#startedMs) / samples;
    return nowMs + settings * eachMs < deadlineMs;
  }

  #hasHope(rounds: readonly Round[], best: Setting, setting: Setting): boolean {
    const key = settingKey(setting);
    if (rounds.some((round) => round.has(key) && !isSample(round.get(key)))) return false;
    const { speed } = compareSettings(rounds, {
      base: settingKey(best),
      other: key,
      workload: this.#task.bench.workload,
    });
    return speed.rounds < 2 || speed.ratio > HOPELESS;
  }

  #bestOf(
    rounds: readonly Round[],
    best: Setting,
    settings: readonly Setting[],
  ): { readonly chosen?: Setting; readonly traded?: Compared } {
    const { workload } = this.#task.bench;
    const faster = settings
      .map((setting): Compared => {
        const keys = { base: settingKey(best), other: settingKey(setting) };
        return { setting, comparison: compareSettings(rounds, { ...keys, workload }) };
      })
      .filter(
        ({ comparison: { speed, verdict } }) =>
          verdict !== 'failed' && speed.rounds > 1 && speed.ratio > LEAST_GAIN,
      )
      .toSorted((a, b) => b.comparison.speed.ratio - a.comparison.speed.ratio);
    const isTrade = ({ comparison: { prompt, answer } }: Compared): boolean =>
      !this.#task.allowsTrade && (prompt.ratio < TRADE || answer.ratio < TRADE);
    const chosen = faster.find((one) => !isTrade(one))?.setting;
    const traded = faster.find(isTrade);
    return { ...(chosen === undefined ? {} : { chosen }), ...(traded === undefined ? {} : { traded }) };
  }
}
