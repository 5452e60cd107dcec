import type { Results, Round } from './results.ts';
import { median } from './statistics.ts';
import type { Target } from './targets.ts';

/** The figure of a program over its rounds, and how far it can be believed. */
export type Summary = {
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly rounds: number;
  /** Rounds that were disturbed in every try: they count only when there is no other. */
  readonly noisy: number;
  /** Why the figure does not count, if the measured program's core was not the busy one. */
  readonly void: string | undefined;
};

/** A program's rounds of a scenario; the undisturbed ones when there are any. */
export function roundsOf(results: Results, scenario: string, program: string): readonly Round[] {
  const all = results.rounds.filter((round) => round.scenario === scenario && round.program === program);
  const quiet = all.filter((round) => round.noisy === undefined);
  return quiet.length > 0 ? quiet : all;
}

/** Summarises one figure, or nothing when it was not measured. */
export function summaryOf(
  results: Results,
  from: { readonly scenario: string; readonly program: string; readonly figure: string },
): Summary | undefined {
  const rounds = roundsOf(results, from.scenario, from.program);
  const values = rounds.flatMap((round) => round.figures[from.figure] ?? []);
  if (values.length === 0) return undefined;
  const voids = rounds.flatMap((round) => round.void ?? []);
  return {
    value: median(values),
    least: Math.min(...values),
    most: Math.max(...values),
    rounds: rounds.length,
    noisy: rounds.filter((round) => round.noisy !== undefined).length,
    // Half of the rounds make the median.
    void: voids.length * 2 >= rounds.length ? voids[0] : undefined,
  };
}

/** What became of a target. */
export type Outcome = {
  readonly value: number;
  readonly verdict: 'aim' | 'floor' | 'missed' | 'void' | 'noisy';
  readonly reason?: string;
};

/**
 * Compares a program with a target: the median over rounds of the ratio (or difference) to the other
 * program's figure of the same round, because neighbours in time meet the same machine. Rounds that
 * were disturbed, or that only one of the two has, pair with nothing.
 */
export function outcomeOf(results: Results, target: Target, program: string): Outcome | undefined {
  const own = roundsOf(results, target.scenario, program);
  const others = target.other === undefined ? own : roundsOf(results, target.scenario, target.other);
  const values = own.flatMap((round) => {
    const other = others.find((candidate) => candidate.round === round.round);
    const [mine, theirs] = [round.figures[target.figure], other?.figures[target.figure]];
    if (mine === undefined || theirs === undefined) return [];
    if (target.other === undefined) return [mine];
    return [target.by === 'difference' ? mine - theirs : mine / theirs];
  });
  if (values.length === 0) return undefined;
  const value = median(values);
  const reached = (limit: number): boolean => (target.better === 'more' ? value >= limit : value <= limit);
  const voids = [...own, ...others].flatMap((round) =>
    round.void === undefined ? [] : [`${round.program}: ${round.void}`],
  );
  if (voids.length > 0) return { value, verdict: 'void', reason: voids[0] ?? '' };
  const noisy = [...own, ...others].find((round) => round.noisy !== undefined)?.noisy;
  if (noisy !== undefined) return { value, verdict: 'noisy', reason: noisy };
  return { value, verdict: reached(target.aim) ? 'aim' : reached(target.floor) ? 'floor' : 'missed' };
}
