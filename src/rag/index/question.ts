import { editDistance } from '../../shared/nearest.ts';
import { foldLatin } from '../text/fold.ts';
import { scriptOf } from '../text/scripts.ts';
import type { QueryTerm, Tokenizer } from '../text/tokenizer.ts';
import { type Catalogue, letterBits, type NameWord } from './catalogue.ts';
import type { TermCounts } from './term-counts.ts';

/** A word of some note's name that a misspelled or unfinished word of the question may mean. */
export type Guess = { readonly term: string; /** 0–1. */ readonly likeness: number };

/** A term of a question with its weight. */
export type QuestionTerm = QueryTerm & {
  readonly idf: number;
  /** Chunks that have the term. */
  readonly chunks: number;
  /** Only for a term that no chunk has. */
  readonly guesses: readonly Guess[];
};

/** A question ready to be looked up. */
export type Question = {
  readonly terms: readonly QuestionTerm[];
  /** Sum of the terms' idf. */
  readonly mass: number;
};

/** More terms than any question has; of a pasted page the rarest count. */
const MOST_TERMS = 64;
/** A part of an identifier says less than the identifier: `end` of `ColorEndConverter` is in every chunk. */
const PART_WEIGHT = 0.25;
const SHORTEST_PREFIX = 3;
const SHORTEST_GUESS = 4;
const LONG_WORD = 8;
const MOST_GUESSES = 3;
const PREFIX_LIKENESS = 0.7;
const EDIT_COST = 0.2;

function differingLetters(left: number, right: number): number {
  let count = 0;
  for (let bits = left ^ right; bits !== 0; bits &= bits - 1) count += 1;
  return count;
}

type Typed = { readonly word: string; readonly letters: number };

function likeness(typed: Typed, name: NameWord): number {
  const { word } = typed;
  const { spelling } = name;
  if (word.length >= SHORTEST_PREFIX && spelling.startsWith(word)) return PREFIX_LIKENESS;
  if (word.length < SHORTEST_GUESS || spelling.length < SHORTEST_GUESS) return 0;
  const most = Math.min(word.length, spelling.length) >= LONG_WORD ? 2 : 1;
  // An edit changes at most two letters of the set: most words are told apart by this alone.
  if (differingLetters(typed.letters, name.letters) > 2 * most) return 0;
  const edits = editDistance(word, spelling, most);
  return edits > most ? 0 : 1 - EDIT_COST * edits;
}

/** Words of names near a word that the vault does not have: a slip in a note's name must still find it. */
function guessesFor(word: string, catalogue: Catalogue): Guess[] {
  const folded = foldLatin(word.toLowerCase());
  const typed = { word: folded, letters: letterBits(folded) };
  const best = new Map<string, number>();
  for (const name of catalogue.nameWords()) {
    const value = likeness(typed, name);
    if (value > (best.get(name.term) ?? 0)) best.set(name.term, value);
  }
  return [...best]
    .map(([term, value]) => ({ term, likeness: value }))
    .sort((a, b) => b.likeness - a.likeness || (a.term < b.term ? -1 : 1))
    .slice(0, MOST_GUESSES);
}

/** Whether a term is a gram of a script without blanks, for which being adjacent says nothing. */
export function isGram(term: string): boolean {
  const script = scriptOf(term.codePointAt(0) ?? 0);
  return script === 'ideographic' || script === 'hangul';
}

/** What a question is read with. */
export type QuestionContext = {
  readonly tokenizer: Tokenizer;
  readonly counts: TermCounts;
  readonly catalogue: Catalogue;
};

function weighTerm(term: QueryTerm, counts: TermCounts): Omit<QuestionTerm, 'guesses'> {
  const weight = term.isPart ? PART_WEIGHT : 1;
  return { ...term, idf: counts.idf(term.term) * weight, chunks: counts.count(term.term) };
}

/** Reads a question: its terms, what each weighs in this vault, and guesses for those the vault lacks. */
export function readQuestion(query: string, context: QuestionContext): Question {
  const { tokenizer, counts, catalogue } = context;
  let terms = tokenizer.queryTerms(query).map((term) => weighTerm(term, counts));
  if (terms.length > MOST_TERMS) {
    const rarest = new Set([...terms].sort((a, b) => b.idf - a.idf).slice(0, MOST_TERMS));
    terms = terms.filter((term) => rarest.has(term));
  }
  return {
    terms: terms.map((term) => ({
      ...term,
      guesses: counts.has(term.term) || isGram(term.term) ? [] : guessesFor(term.word, catalogue),
    })),
    mass: terms.reduce((sum, term) => sum + term.idf, 0),
  };
}
