import type { Result, Round } from './verdict.ts';

/** What was measured so far, kept outside of the process. */
export type TuneJournal = {
  /** Rounds of a stage in order; the last one may be incomplete. */
  rounds(stage: string): readonly Round[];
  add(at: { readonly stage: string; readonly round: number; readonly setting: string }, result: Result): void;
  /** Forgets a round that was broken off: its parts were not measured one right after the other. */
  forgetRound(stage: string, round: number): void;
};
