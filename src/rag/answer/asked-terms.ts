import type { QueryTerm, Tokenizer } from '../text/tokenizer.ts';
import { irregularForms } from './irregular-forms.ts';

/** A term of a question as a writer looks for it. */
export type AskedTerm = QueryTerm & {
  /** Terms of other forms of the same word, which the index does not bring together with it. */
  readonly forms: readonly string[];
  /** Whether it is a word that fits any question (`use`, `happen`), and which an answer need not have. */
  readonly light: boolean;
};

/** `how often`, `how many`: what is asked for, not what it is asked of. */
const ASKS_A_QUANTITY =
  /(?<!\p{L})(how)\s+(?:often|many|much|long|far|old|big|large|small|tall|high|deep|wide|heavy|fast|soon)(?!\p{L})/giu;

/** English words that say how a thing is asked about more than which thing. In a small vault they are as rare as any. */
const LIGHT_WORDS: ReadonlySet<string> = new Set(
  (
    'use uses used using get gets got getting make makes made making go goes went going take takes took taken ' +
    'give gives gave given put puts need needs needed want wants wanted have keep keeps kept work works ' +
    'say says said call calls called tell tells told mean means meant happen happens happened know known ' +
    'find finds found become became come came exist exists kind kinds type types sort sorts way ways ' +
    'thing things example examples often many much long first last now main different current currently'
  ).split(' '),
);

/** Reads the terms of a question, each once: no function words, and no words that only say which kind of answer is wanted. */
export function askedTerms(question: string, tokenizer: Tokenizer): AskedTerm[] {
  const asked = tokenizer.queryTerms(question.replaceAll(ASKS_A_QUANTITY, '$1'));
  const own = new Set(asked.map(({ term }) => term));
  return asked.map((read) => {
    const forms = irregularForms(read.word).flatMap((form) => tokenizer.documentTerms(form));
    return {
      ...read,
      forms: [...new Set(forms)].filter((form) => !own.has(form)),
      light: LIGHT_WORDS.has(read.word.toLowerCase()),
    };
  });
}

/** Whether a text with these terms has the word, in any of its forms. */
export function hasTerm(terms: ReadonlySet<string>, { term, forms }: AskedTerm): boolean {
  return terms.has(term) || forms.some((form) => terms.has(form));
}
