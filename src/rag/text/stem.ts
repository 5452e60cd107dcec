import { foldArabic, foldHebrew, foldLatin, foldPrefixScript, withoutMarks } from './fold.ts';
import { porterStem } from './porter.ts';
import type { ScriptRun } from './scripts.ts';

const LATIN_LETTERS = 8;
const PREFIX_LETTERS = 5;
const GRAM = 4;
const BIGRAM = 2;
const LONGEST_TERM = 32;
const ONLY_DIGITS = /^\d+$/;

/** Stems a folded Latin word: Porter for English, then a cut that serves every other language. */
export function stemLatin(folded: string): string {
  if (ONLY_DIGITS.test(folded)) return folded.slice(0, LONGEST_TERM);
  return porterStem(folded).slice(0, LATIN_LETTERS);
}

function grams(word: string, size: number): string[] {
  const letters = Array.from(word);
  if (letters.length <= size) return letters.length === 0 ? [] : [word];
  return letters.slice(0, letters.length - size + 1).map((_, at) => letters.slice(at, at + size).join(''));
}

/** The article, with the conjunctions and prepositions that are written together with it. */
const ARABIC_ARTICLE = /^(?:[وفبك]?ال|و?لل)(?=\p{L}{3})/u;

function arabicTerms(word: string): string[] {
  return grams(foldArabic(word).replace(ARABIC_ARTICLE, ''), GRAM);
}

/** Letters that Hebrew writes together with the next word: and, the, in, to, from, that, as. */
const HEBREW_PREFIX = /^[והבלמשכ](?=\p{L}{3})/u;

/**
 * Grams as for Arabic. A word of four letters that may begin with a prefix also gives its rest, else
 * the commonest nouns, of three letters, would not be found behind an article.
 */
function hebrewTerms(word: string): string[] {
  const folded = foldHebrew(word);
  const terms = grams(folded, GRAM);
  return folded.length === GRAM && HEBREW_PREFIX.test(folded) ? [...terms, folded.slice(1)] : terms;
}

/** Cuts a run into the words of its dictionary. */
export type WordBreaker = (text: string) => string[];

/**
 * Turns a run of one script, in lower case, into index terms. Measured on twelve languages without a
 * dictionary (Lao, Burmese and Hebrew follow the nearest measured script). `other` stays whole.
 */
export function stemRun(run: ScriptRun, breakWords: WordBreaker): string[] {
  switch (run.script) {
    case 'latin':
      return nonEmpty(stemLatin(foldLatin(run.text)));
    case 'prefix':
      return nonEmpty(Array.from(foldPrefixScript(run.text)).slice(0, PREFIX_LETTERS).join(''));
    case 'arabic':
      return arabicTerms(run.text);
    case 'hebrew':
      return hebrewTerms(run.text);
    case 'indic':
      return nonEmpty(withoutMarks(run.text).slice(0, LONGEST_TERM));
    case 'ideographic':
    case 'hangul':
      return grams(run.text.normalize('NFC'), BIGRAM);
    case 'segmented':
      return breakWords(run.text);
    default:
      return nonEmpty(run.text.slice(0, LONGEST_TERM));
  }
}

function nonEmpty(term: string): string[] {
  return term === '' ? [] : [term];
}
