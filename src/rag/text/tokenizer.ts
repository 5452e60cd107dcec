import { foldLatin, isAscii, normalizeText, withoutMarks } from './fold.ts';
import { identifierParts } from './identifier.ts';
import { scriptRuns } from './scripts.ts';
import { stemLatin, stemRun, type WordBreaker } from './stem.ts';
import { CHINESE_QUESTION_WORDS, STOP_WORDS } from './stop-words.ts';

/** A word of a text and the terms it is indexed under. */
export type Word = {
  /** As it stands in the text, after NFKC. */
  readonly text: string;
  readonly terms: readonly string[];
  /** A second reading: the parts of an identifier, the bare letters of a Vietnamese word. */
  readonly alternates: readonly string[];
  /** Whether a question asks for the second reading too: for an identifier, not for a word typed with its marks. */
  readonly asksAlternates: boolean;
};

/** A term to look for, and the typed word it comes from. */
export type QueryTerm = {
  readonly term: string;
  readonly word: string;
  /** Whether the term is a part of an identifier that is asked for as a whole too. */
  readonly isPart: boolean;
};

/** Cuts texts into words and words into index terms; one per index, it remembers words it has seen. */
export type Tokenizer = {
  words(text: string): Word[];
  /** Every term of a text in order, second readings included. */
  documentTerms(text: string): string[];
  /** Terms of a question, each once: without function words unless nothing else is there. */
  queryTerms(query: string): QueryTerm[];
  /** Whether a term is what a function word becomes in the index. */
  isStopTerm(term: string): boolean;
};

const WORD = /[\p{L}\p{N}\p{M}\p{Co}_]+(?:['’](?:s|t|re|ve|ll|d|m)(?![\p{L}\p{N}]))?/gu;
const ENGLISH_ENDING = /['’][a-z]+$/u;
const HAS_IDENTIFIER_SHAPE = /_|\p{Ll}\p{Nd}*\p{Lu}|\p{Lu}{2}\p{Ll}{2}/u;
/** Letters that no other language of Latin script uses in running text. */
const VIETNAMESE = /[ơưƠƯ\u1ea0-\u1ef9]/u;
/** Words of a vault repeat (Zipf): this many cover nearly all of its text in about 5 MB. */
const REMEMBERED_WORDS = 20_000;
const VIETNAMESE_LETTERS = 8;
const LONGEST_WORD = 256;

function plainTerms(text: string, breakWords: WordBreaker): string[] {
  const runs = scriptRuns(text.toLowerCase());
  if (runs.length === 1 && runs[0] !== undefined) return stemRun(runs[0], breakWords);
  return runs.flatMap((run) => stemRun(run, breakWords));
}

function identifierWord(text: string, breakWords: WordBreaker): Word {
  const parts = identifierParts(text);
  const terms = plainTerms(text.replaceAll('_', ''), breakWords);
  if (parts.length < 2) return { text, terms, alternates: [], asksAlternates: false };
  const alternates = parts.flatMap((part) => plainTerms(part, breakWords));
  return { text, terms, alternates, asksAlternates: true };
}

function vietnameseWord(text: string): Word {
  const lower = text.toLowerCase();
  const bare = stemLatin(foldLatin(lower));
  const marked = lower.normalize('NFC').slice(0, VIETNAMESE_LETTERS);
  return { text, terms: [marked], alternates: [bare], asksAlternates: false };
}

function isMarkedLatin(text: string): boolean {
  return !isAscii(text) && /^\p{Script=Latin}+$/u.test(text) && withoutMarks(text) !== text;
}

function readWord(match: string, vietnamese: boolean, breakWords: WordBreaker): Word {
  const text = match.replace(ENGLISH_ENDING, '').slice(0, LONGEST_WORD);
  if (vietnamese && isMarkedLatin(text)) return vietnameseWord(text);
  if (HAS_IDENTIFIER_SHAPE.test(text)) return identifierWord(text, breakWords);
  return { text, terms: plainTerms(text, breakWords), alternates: [], asksAlternates: false };
}

function uniqueTerms(words: readonly Word[]): QueryTerm[] {
  const seen = new Map<string, QueryTerm>();
  const take = (word: Word, terms: readonly string[], isPart: boolean): void => {
    for (const term of terms) if (!seen.has(term)) seen.set(term, { term, word: word.text, isPart });
  };
  for (const word of words) {
    take(word, word.terms, false);
    if (word.asksAlternates) take(word, word.alternates, true);
  }
  return [...seen.values()];
}

function createReader(): (text: string) => Word[] {
  const segmenter = new Intl.Segmenter('und', { granularity: 'word' });
  const breakWords: WordBreaker = (text) => {
    const terms: string[] = [];
    for (const part of segmenter.segment(text)) if (part.isWordLike === true) terms.push(part.segment);
    return terms;
  };
  const remembered = { plain: new Map<string, Word>(), vietnamese: new Map<string, Word>() };
  return (text) => {
    const normal = normalizeText(text);
    const vietnamese = VIETNAMESE.test(normal);
    const known = vietnamese ? remembered.vietnamese : remembered.plain;
    const words: Word[] = [];
    for (const match of normal.match(WORD) ?? []) {
      let word = known.get(match);
      if (word === undefined) {
        word = readWord(match, vietnamese, breakWords);
        if (known.size >= REMEMBERED_WORDS) known.clear();
        known.set(match, word);
      }
      if (word.terms.length > 0) words.push(word);
    }
    return words;
  };
}

/** Creates a tokenizer (`reference` for its rules: `stemRun`). It never throws on any string. */
export function createTokenizer(): Tokenizer {
  const words = createReader();
  const stopTerms = new Set([...STOP_WORDS].flatMap((word) => words(word).flatMap((read) => read.terms)));
  return {
    words,
    documentTerms: (text) => {
      const terms: string[] = [];
      for (const word of words(text)) terms.push(...word.terms, ...word.alternates);
      return terms;
    },
    queryTerms: (query) => {
      const content = words(query.replace(CHINESE_QUESTION_WORDS, ' ')).filter(
        (word) => !STOP_WORDS.has(word.text.toLowerCase()),
      );
      return uniqueTerms(content.length > 0 ? content : words(query));
    },
    isStopTerm: (term) => stopTerms.has(term),
  };
}
