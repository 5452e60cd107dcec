import type { Results, Round } from './results.ts';
import { median } from './statistics.ts';
import type { Target } from './targets.ts';

/** The figure of a program over the rounds that count. */
export type Summary = {
  /** The median. */
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly rounds: number;
};

/** A program's rounds of a scenario: those that count when there are any, else all. */
export function roundsOf(results: Results, scenario: string, program: string): readonly Round[] {
  const all = results.rounds.filter((round) => round.scenario === scenario && round.program === program);
  const counting = all.filter((round) => !round.noisy && !round.void && !round.failed);
  return counting.length > 0 ? counting : all;
}

/** Summarises one figure, or nothing when it was not measured. */
export function summaryOf(
  results: Results,
  from: { readonly scenario: string; readonly program: string; readonly figure: string },
): Summary | undefined {
  const rounds = roundsOf(results, from.scenario, from.program);
  const values = rounds.flatMap((round) => round.figures[from.figure] ?? []);
  if (values.length === 0) return undefined;
  return {
    value: median(values),
    least: Math.min(...values),
    most: Math.max(...values),
    rounds: rounds.length,
  };
}

/** What became of a target. */
export type Outcome = {
  readonly value: number;
  readonly verdict: 'aim' | 'floor' | 'missed' | 'void' | 'noisy' | 'failed';
  readonly reason?: string;
};

/**
 * Compares a program with a target: the median over rounds of the ratio (or difference) to the other
 * program's figure of the same round, because neighbours in time meet the same machine. Where no
 * round of both counts, the medians are compared.
 */
export function outcomeOf(results: Results, target: Target, program: string): Outcome | undefined {
  const own = roundsOf(results, target.scenario, program);
  const others = target.other === undefined ? [] : roundsOf(results, target.scenario, target.other);
  const failed = own.find((round) => round.failed !== undefined)?.failed;
  if (failed !== undefined) return { value: Number.NaN, verdict: 'failed', reason: failed };
  const value = target.other === undefined ? median(figures(own, target)) : compared(own, others, target);
  if (Number.isNaN(value)) return undefined;
  const reached = (limit: number): boolean => (target.better === 'more' ? value >= limit : value <= limit);
  const voided = [...own, ...others].find((round) => round.void !== undefined);
  if (voided !== undefined && target.evenIfVoid !== true)
    return { value, verdict: 'void', reason: `${voided.program}: ${voided.void}` };
  const noisy = [...own, ...others].find((round) => round.noisy !== undefined);
  if (noisy !== undefined) return { value, verdict: 'noisy', reason: `${noisy.program}: ${noisy.noisy}` };
  return { value, verdict: reached(target.aim) ? 'aim' : reached(target.floor) ? 'floor' : 'missed' };
}

function figures(rounds: readonly Round[], { figure }: Target): readonly number[] {
  return rounds.flatMap((round) => round.figures[figure] ?? []);
}

/** NaN when one of the two was not measured. */
function compared(own: readonly Round[], others: readonly Round[], target: Target): number {
  const compare = (mine: number, theirs: number): number =>
    target.by === 'difference' ? mine - theirs : mine / theirs;
  const pairs = own.flatMap((round) => {
    const other = others.find((candidate) => candidate.round === round.round);
    const [mine, theirs] = [round.figures[target.figure], other?.figures[target.figure]];
    return mine === undefined || theirs === undefined ? [] : [compare(mine, theirs)];
  });
  if (pairs.length > 0) return median(pairs);
  return compare(median(figures(own, target)), median(figures(others, target)));
}
