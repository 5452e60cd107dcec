import type { AskedQuestion } from './asked-question.ts';
import type { Unit } from './units.ts';

/** Shorter than this, in terms, a unit is a label more than a statement; longer, it is hard to read. */
const SHORT_TERMS = 4;
const LONG_TERMS = 45;
const LONG_FACTOR = 0.8;
/** Labels, prose that looks like code, and code, which explains nothing by itself. */
const BARE_FACTOR = 0.6;
/** A question in a note is what its next sentence answers; it says nothing itself. */
const QUESTION_FACTOR = 0.4;
/** A question is recognised in a text from this many characters on. */
const LEAST_REPEATED = 12;
/** Signs that make up code more than prose. */
const CODE_SIGNS = /[{}<>=;$\\|()[\]"]/g;
const CODE_SHARE = 0.08;
/** To a question for a way, what announces steps is the answer; to one for a number, what has one. */
const STEPS_FACTOR = 1.3;
const NUMBER_FACTOR = 1.3;
const TELLS_A_WAY = /^(?:to|um|pour|para)\s|[:：]\s*$/iu;
const HAS_NUMBER = /\p{Nd}|[一二三四五六七八九十百千万萬]{2}/u;
const ENDS_AS_QUESTION = /[?？؟]["'”’»)]*\s*$/u;

/** How far the form of a unit makes it an answer, whatever it speaks of: a factor for its score. */
export function shapeFactor(unit: Unit, terms: ReadonlySet<string>, asked: AskedQuestion): number {
  return lengthFactor(unit, terms) * kindFactor(unit, asked);
}

function lengthFactor({ kind, text }: Unit, terms: ReadonlySet<string>): number {
  if (kind === 'code') return BARE_FACTOR;
  const signs = text.match(CODE_SIGNS)?.length ?? 0;
  const looksLikeCode = signs > text.length * CODE_SHARE ? BARE_FACTOR : 1;
  if (terms.size < SHORT_TERMS) return looksLikeCode * BARE_FACTOR;
  return terms.size > LONG_TERMS ? looksLikeCode * LONG_FACTOR : looksLikeCode;
}

function kindFactor({ text }: Unit, { kind }: AskedQuestion): number {
  if (ENDS_AS_QUESTION.test(text)) return QUESTION_FACTOR;
  const way = kind.way && TELLS_A_WAY.test(text) ? STEPS_FACTOR : 1;
  return kind.number && HAS_NUMBER.test(text) ? way * NUMBER_FACTOR : way;
}

/** Whether a unit has no word of its own, or holds the question itself, to the letter. */
export function repeatsQuestion({ text }: Unit, terms: ReadonlySet<string>, asked: AskedQuestion): boolean {
  const known = new Set(asked.terms.flatMap(({ term, forms }) => [term, ...forms]));
  if ([...terms].every((term) => known.has(term) || asked.tokenizer.isStopTerm(term))) return true;
  const question = bare(asked.text);
  return question.length >= LEAST_REPEATED && bare(text).includes(question);
}

function bare(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
