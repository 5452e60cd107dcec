import type { FaultRow } from '../row.ts';
import type { Arena, Lane } from './arena.ts';

/** Whether the client asked for a stream or for one body. */
export type Mode = 'stream' | 'whole';

/** Where a case is tried. */
export type Trial = {
  readonly arena: Arena;
  readonly lane: Lane;
  readonly mode: Mode;
};

/** A fault with the check that the program does as the row says. */
export type ClientCase = FaultRow & {
  /** Modes that the fault exists in; absent: it strikes before either is known, so it is tried once and on one lane. */
  readonly modes?: readonly Mode[];
  check(trial: Trial): Promise<void>;
};

/** Both ways to ask. */
export const BOTH: readonly Mode[] = ['stream', 'whole'];
