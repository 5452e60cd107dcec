import type { SearchResult } from '../types.ts';

/** Whether retrieval found something that an answer can rest on. */
export type Support = {
  readonly supported: boolean;
  /** The largest share of the question's idf mass in one passage and its note's name, 0–1. */
  readonly coverage: number;
  /** The largest cosine of a passage with the question, where there are vectors. */
  readonly cosine?: number;
};

/** Share of a question's idf mass that one passage must have. */
const ENOUGH_COVERAGE = 0.5;
/** The same for a follow-up that was joined with the turns before it. */
const ENOUGH_OF_JOINED = 0.35;

/** What decides beside what was found. */
export type SupportOptions = {
  /** Whether the query is several turns of a conversation: no one passage holds them all. */
  readonly followUp?: boolean;
};

/** TODO */
export function decideSupport(
  result: Pick<SearchResult, 'hits' | 'terms'>,
  options: SupportOptions = {},
): Support {
  const coverage = Math.max(0, ...result.hits.map((hit) => hit.coverage));
  return {
    supported: coverage >= (options.followUp === true ? ENOUGH_OF_JOINED : ENOUGH_COVERAGE),
    coverage,
  };
}
