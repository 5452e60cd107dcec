import type { Tokenizer } from '../text/tokenizer.ts';
import { askedTerms, hasTerm, type AskedTerm } from './asked-terms.ts';
import { questionKind, type QuestionKind } from './question-kind.ts';

/** A question as units are compared with it. */
export type AskedQuestion = {
  readonly text: string;
  readonly kind: QuestionKind;
  readonly terms: readonly AskedTerm[];
  /** What all its terms weigh together. */
  readonly total: number;
  /** What terms of it weigh. */
  readonly massOf: (terms: Iterable<AskedTerm>) => number;
  /** Terms of a heading or a title, remembered: many units stand under the same one. */
  readonly termsOf: (text: string) => ReadonlySet<string>;
  readonly tokenizer: Tokenizer;
};

/** What weighs the terms of a question. */
export type WeighingOptions = {
  readonly tokenizer: Tokenizer;
  /** Rarity of the terms in the whole index; where it has none for a term, that among the units counts. */
  readonly weights?: ReadonlyMap<string, number>;
  /** Terms of each unit. */
  readonly units: readonly ReadonlySet<string>[];
};

/** Reads a question and weighs its terms. */
export function readAskedQuestion(
  text: string,
  { tokenizer, weights, units }: WeighingOptions,
): AskedQuestion {
  const terms = askedTerms(text, tokenizer);
  const own = new Map(terms.map((term) => [term.term, weights?.get(term.term) ?? localWeight(term, units)]));
  const massOf = (some: Iterable<AskedTerm>): number => {
    let sum = 0;
    for (const { term } of some) sum += own.get(term) ?? 0;
    return sum;
  };
  const remembered = new Map<string, ReadonlySet<string>>();
  const termsOf = (name: string): ReadonlySet<string> => {
    const known = remembered.get(name) ?? new Set(tokenizer.documentTerms(name));
    remembered.set(name, known);
    return known;
  };
  return { text, kind: questionKind(text), terms, total: massOf(terms), massOf, termsOf, tokenizer };
}

/** How rare a term of the question is among the units: ln(1 + N/df), the idf of a small collection. */
function localWeight(term: AskedTerm, units: readonly ReadonlySet<string>[]): number {
  const found = units.filter((terms) => hasTerm(terms, term)).length;
  return Math.log(1 + units.length / Math.max(1, found));
}
