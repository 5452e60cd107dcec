import type { SearchResult } from '../types.ts';

/** Whether retrieval found something that an answer can rest on. */
export type Support = {
  readonly supported: boolean;
  /** The largest share of the question's idf mass in one passage and its note's name, 0–1. */
  readonly coverage: number;
  /** The largest cosine of a passage with the question, where there are vectors. */
  readonly cosine?: number;
};

const ENOUGH_COVERAGE = 0.5;

/** TODO */
export function decideSupport(result: Pick<SearchResult, 'hits' | 'terms'>): Support {
  const coverage = Math.max(0, ...result.hits.map((hit) => hit.coverage));
  return { supported: coverage >= ENOUGH_COVERAGE, coverage };
}
