import type { Judgement } from './metrics.ts';

/** A note of a collection, as it is written into the temporary vault. */
export type CollectionNote = { readonly path: string; readonly markdown: string };

/** A question with what it should find. */
export type CollectionQuestion = {
  readonly text: string;
  readonly category: string;
  readonly judgement: Judgement;
};

/** A figure that is printed: its name and how it is computed from one ranking. */
export type Metric = {
  readonly name: string;
  readonly of: (ranking: readonly string[], judgement: Judgement) => number;
};

/** The least that a metric over all questions must reach, without and with an embedding model. */
export type Gate = { readonly metric: string; readonly words: number; readonly vectors?: number };

/** Notes, questions and what is asked of the answers. */
export type Collection = {
  readonly name: string;
  /** Notes to write into a temporary vault, or the folder of a vault that is there. */
  readonly vault: { readonly notes: readonly CollectionNote[] } | { readonly folder: string };
  readonly questions: readonly CollectionQuestion[];
  readonly metrics: readonly Metric[];
  readonly gates: readonly Gate[];
};

/** A judgement where everything listed is fully relevant. */
export function binaryJudgement(paths: readonly string[]): Judgement {
  return { gains: new Map(paths.map((path) => [path, 1])), relevant: new Set(paths) };
}
