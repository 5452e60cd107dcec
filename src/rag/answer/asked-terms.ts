import type { QueryTerm, Tokenizer } from '../text/tokenizer.ts';
import { irregularForms } from './irregular-forms.ts';

/** A term of a question as a writer looks for it. */
export type AskedTerm = QueryTerm & {
  /** Terms of other forms of the same word, which the index does not bring together with it. */
  readonly forms: readonly string[];
};

/** `how often`, `how many`: what is asked for, not what it is asked of. */
const ASKS_A_QUANTITY =
  /(?<!\p{L})(how)\s+(?:often|many|much|long|far|old|big|large|small|tall|high|deep|wide|heavy|fast|soon)(?!\p{L})/giu;

/** Reads the terms of a question, each once: no function words, and no words that only say which kind of answer is wanted. */
export function askedTerms(question: string, tokenizer: Tokenizer): AskedTerm[] {
  const asked = tokenizer.queryTerms(question.replaceAll(ASKS_A_QUANTITY, '$1'));
  const own = new Set(asked.map(({ term }) => term));
  return asked.map((read) => {
    const forms = irregularForms(read.word).flatMap((form) => tokenizer.documentTerms(form));
    return { ...read, forms: [...new Set(forms)].filter((form) => !own.has(form)) };
  });
}

/** Whether a text with these terms has the word, in any of its forms. */
export function hasTerm(terms: ReadonlySet<string>, { term, forms }: AskedTerm): boolean {
  return terms.has(term) || forms.some((form) => terms.has(form));
}
