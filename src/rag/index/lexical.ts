import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { numberColumn, textColumn } from '../../store/row.ts';
import { COVERAGE_EXPONENT } from './names.ts';
import { isGram, type Question, type QuestionTerm } from './question.ts';

/** A chunk that has words of the question. */
export type LexicalMatch = {
  readonly chunkId: number;
  readonly noteId: number;
  readonly ordinal: number;
  /** 1 for the best chunk of the list before what adjacent terms add. */
  readonly score: number;
  /** Share (0–1) of the question's idf mass in the chunk, its headings and its note's names. */
  readonly coverage: number;
};

/** Chunks that the full-text index hands over to be scored again. */
const CANDIDATES = 200;
const WEIGHTS = '1, 2, 2, 2, 2';
const ADJACENT_WEIGHT = 0.2;
/** Farthest that two terms adjacent in the question may be apart, in tokens that are not function words. */
const ADJACENT_DISTANCE = 3;

const CANDIDATE_COLUMNS = `
  SELECT chunk.id AS id, chunk.note_id AS note_id, chunk.ordinal AS ordinal, chunk.terms AS terms,
    chunk.heading_terms || ' ' || note.title_terms || ' ' || note.alias_terms || ' ' || note.description_terms
      AS context_terms
  FROM chunk JOIN note ON note.id = chunk.note_id`;

/** Places in the index that one question may read to choose candidates: about 10 ms. */
const MOST_POSTINGS = 30_000;

/**
 * The terms that choose candidates: all of them, but in a large vault the commonest are left out once the
 * rarer ones are enough to read. They weigh least, and the scoring afterwards counts them all the same.
 */
function candidateTerms(question: Question): QuestionTerm[] {
  let postings = 0;
  return question.terms
    .filter((term) => term.chunks > 0)
    .sort((a, b) => a.chunks - b.chunks)
    .filter((term, index) => {
      postings += term.chunks;
      return index === 0 || postings <= MOST_POSTINGS;
    });
}

/** Text of one chunk as the scoring reads it. */
type Candidate = { readonly terms: string; readonly context: string };

type Pair = { readonly left: number; readonly right: number; readonly weight: number };

function adjacentPairs(terms: readonly QuestionTerm[]): Pair[] {
  return terms.slice(1).flatMap((right, index) => {
    const left = terms[index];
    if (left === undefined || isGram(left.term) || isGram(right.term)) return [];
    return [{ left: index, right: index + 1, weight: left.idf + right.idf }];
  });
}

/** Measures chunks against one question. */
class ChunkMeter {
  readonly #question: Question;
  readonly #isStopTerm: (term: string) => boolean;
  readonly #slots = new Map<string, number>();
  readonly #guesses = new Map<string, { readonly slot: number; readonly likeness: number }>();
  readonly #pairs: readonly Pair[];
  readonly #pairMass: number;

  constructor(question: Question, isStopTerm: (term: string) => boolean) {
    this.#question = question;
    this.#isStopTerm = isStopTerm;
    question.terms.forEach(({ term, guesses }, slot) => {
      this.#slots.set(term, slot);
      for (const guess of guesses) this.#guesses.set(guess.term, { slot, likeness: guess.likeness });
    });
    this.#pairs = adjacentPairs(question.terms);
    this.#pairMass = this.#pairs.reduce((sum, pair) => sum + pair.weight, 0);
  }

  measure(candidate: Candidate): { coverage: number; adjacency: number } {
    const presence = new Float64Array(this.#question.terms.length);
    const positions: number[][] = this.#question.terms.map(() => []);
    this.#scan(candidate.terms, presence, positions);
    this.#scan(candidate.context, presence);
    let found = 0;
    this.#question.terms.forEach((term, slot) => {
      found += term.idf * (presence[slot] ?? 0);
    });
    return {
      coverage: this.#question.mass > 0 ? found / this.#question.mass : 0,
      adjacency: this.#adjacency(positions),
    };
  }

  #scan(terms: string, presence: Float64Array, positions?: number[][]): void {
    let position = 0;
    for (const term of terms.split(' ')) {
      const slot = this.#slots.get(term);
      if (slot === undefined) {
        const guess = this.#guesses.get(term);
        if (guess !== undefined) presence[guess.slot] = Math.max(presence[guess.slot] ?? 0, guess.likeness);
        if (positions !== undefined && this.#isStopTerm(term)) continue;
      } else {
        presence[slot] = 1;
        positions?.[slot]?.push(position);
      }
      position += 1;
    }
  }

  #adjacency(positions: readonly (readonly number[])[]): number {
    if (this.#pairMass === 0) return 0;
    let found = 0;
    for (const { left, right, weight } of this.#pairs) {
      const lefts = positions[left] ?? [];
      const rights = positions[right] ?? [];
      const near = lefts.some((at) => rights.some((other) => Math.abs(at - other) <= ADJACENT_DISTANCE));
      if (near) found += weight;
    }
    return found / this.#pairMass;
  }
}

/** The list by words: FTS5's BM25 chooses candidates, this scores them again. */
export class LexicalSearch {
  readonly #match: StatementSync;
  readonly #matchWithin: StatementSync;
  readonly #rows: StatementSync;
  readonly #isStopTerm: (term: string) => boolean;

  constructor(database: DatabaseSync, isStopTerm: (term: string) => boolean) {
    const match = `SELECT rowid AS id, bm25(chunk_words, ${WEIGHTS}) AS rank FROM chunk_words
      WHERE chunk_words MATCH ?`;
    const best = `ORDER BY rank LIMIT ${CANDIDATES}`;
    this.#match = database.prepare(`${match} ${best}`);
    // The plus keeps SQLite from asking the full-text index once for every row of the list.
    this.#matchWithin = database.prepare(
      `${match} AND +rowid IN (
         SELECT id FROM chunk WHERE note_id IN (SELECT value FROM json_each(?))) ${best}`,
    );
    this.#rows = database.prepare(`${CANDIDATE_COLUMNS} WHERE chunk.id IN (SELECT value FROM json_each(?))`);
    this.#isStopTerm = isStopTerm;
  }

  /** Finds and scores the chunks that have words of the question, best first, within `allowed` notes. */
  search(question: Question, allowed?: ReadonlySet<number>): LexicalMatch[] {
    const ranks = this.#ranks(question, allowed);
    if (ranks.size === 0) return [];
    const measured = this.#measure(question, [...ranks.keys()]);
    const raw = measured.map(
      (match) => (ranks.get(match.chunkId) ?? 0) * match.coverage ** COVERAGE_EXPONENT,
    );
    const best = Math.max(...raw, Number.MIN_VALUE);
    return measured
      .map(({ adjacency, ...match }, index) => ({
        ...match,
        score: (raw[index] ?? 0) / best + ADJACENT_WEIGHT * adjacency,
      }))
      .sort((a, b) => b.score - a.score);
  }

  /** Coverage of chunks that came from elsewhere. */
  coverages(question: Question, chunkIds: readonly number[]): Map<number, number> {
    return new Map(this.#measure(question, chunkIds).map((match) => [match.chunkId, match.coverage]));
  }

  #ranks(question: Question, allowed: ReadonlySet<number> | undefined): Map<number, number> {
    const terms = candidateTerms(question);
    if (terms.length === 0) return new Map();
    const expression = terms.map(({ term }) => `"${term}"`).join(' OR ');
    const rows =
      allowed === undefined
        ? this.#match.all(expression)
        : this.#matchWithin.all(expression, JSON.stringify([...allowed]));
    return new Map(rows.map((row) => [numberColumn(row, 'id'), -numberColumn(row, 'rank')]));
  }

  #measure(
    question: Question,
    chunkIds: readonly number[],
  ): (Omit<LexicalMatch, 'score'> & { adjacency: number })[] {
    const meter = new ChunkMeter(question, this.#isStopTerm);
    return this.#rows.all(JSON.stringify(chunkIds)).map((row) => ({
      chunkId: numberColumn(row, 'id'),
      noteId: numberColumn(row, 'note_id'),
      ordinal: numberColumn(row, 'ordinal'),
      ...meter.measure({ terms: textColumn(row, 'terms'), context: textColumn(row, 'context_terms') }),
    }));
  }
}
