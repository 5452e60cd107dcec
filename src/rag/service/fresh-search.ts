import type { SearchRequest, SearchResult } from '../types.ts';
import type { NoteCheck } from './index-sync.ts';

/** How many notes of one search are re-indexed for it; the rest is left to the next pass. */
const MOST_UPDATES = 20;
const MOST_ROUNDS = 2;

/** What a checked search needs. */
export type FreshSearch = {
  readonly search: (request: SearchRequest) => SearchResult;
  /** Compares a note with its file now, re-indexing it when it differs. */
  readonly check: (path: string) => NoteCheck;
};

/** What a checked search found. */
export type FreshResult = {
  readonly result: SearchResult;
  /** Whether notes were left out because their file is not what was indexed. */
  readonly stale: boolean;
  /** Whether one of them is no longer where it was: it may have been moved. */
  readonly gone: boolean;
};

/**
 * Searches, and looks at the file of every note that would be shown: one that changed is re-indexed
 * and the search repeated, one that is gone or unreadable is left out. So no answer cites what is no
 * longer there, even before the watcher has said anything.
 */
export function searchFresh(request: SearchRequest, { search, check }: FreshSearch): FreshResult {
  const dropped = new Set<string>();
  let gone = false;
  const checked = new Set<string>();
  let updates = 0;
  for (let round = 0; ; round += 1) {
    const result = search(request);
    const before = updates;
    for (const path of pathsOf(result)) {
      if (checked.has(path) || updates >= MOST_UPDATES) continue;
      checked.add(path);
      const state = check(path);
      if (state === 'updated') updates += 1;
      else if (state !== 'same') dropped.add(path);
      if (state === 'gone') gone = true;
    }
    if (updates > before && round < MOST_ROUNDS) continue;
    return { result: without(result, dropped), stale: dropped.size > 0, gone };
  }
}

function pathsOf(result: SearchResult): Set<string> {
  return new Set([...result.hits, ...result.notes].map(({ path }) => path));
}

function without(result: SearchResult, dropped: ReadonlySet<string>): SearchResult {
  if (dropped.size === 0) return result;
  return {
    ...result,
    notes: result.notes.filter(({ path }) => !dropped.has(path)),
    hits: result.hits.filter(({ path }) => !dropped.has(path)),
  };
}
