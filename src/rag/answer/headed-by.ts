import type { AskedQuestion } from './asked-question.ts';
import { hasTerm } from './asked-terms.ts';
import type { Unit } from './units.ts';

/** For the first block below a heading, the second, the third. */
const PLACE_SHARES = [1, 0.6, 0.3];
/** A name or heading counts as what is asked where they share at least so much. */
const LEAST_LIKENESS = 0.25;
/** How much what stands above a heading helps it to say what is asked. */
const ABOVE_SHARE = 0.5;
/** The opening of a note says what it is about, seldom how it is done. */
const OPENING_OF_A_WAY = 0.5;

/**
 * How well the heading that a unit stands first under, or the name of the note that it opens, is what is
 * asked, 0–1. Whoever wrote that heading wrote below it what this question wants, in words of its own.
 */
export function headedBy(unit: Unit, asked: AskedQuestion): number {
  const { title } = unit.passage.source;
  const place = unit.place === undefined ? 0 : (PLACE_SHARES[unit.place] ?? 0);
  const above = [title, ...unit.headings.slice(0, -1)].join(' ');
  const byHeading = place === 0 ? 0 : place * likeness(unit.headings.at(-1) ?? '', above, asked);
  const byTitle = unit.opening ? (asked.kind.way ? OPENING_OF_A_WAY : 1) * likeness(title, '', asked) : 0;
  return Math.max(byHeading, byTitle);
}

/** The share of the question that a name and what stands above it say, times the share of the name that the question says. */
function likeness(name: string, above: string, asked: AskedQuestion): number {
  const { terms, total, massOf, termsOf, tokenizer } = asked;
  const words = termsOf(name);
  const content = [...words].filter((term) => !tokenizer.isStopTerm(term));
  const own = content.length > 0 ? content : [...words];
  if (own.length === 0) return 0;
  const known = new Set(terms.flatMap(({ term, forms }) => [term, ...forms]));
  const inName = terms.filter((term) => hasTerm(words, term));
  const inAbove = terms.filter((term) => !inName.includes(term) && hasTerm(termsOf(above), term));
  const said = (massOf(inName) + ABOVE_SHARE * massOf(inAbove)) / total;
  const like = (said * own.filter((term) => known.has(term)).length) / own.length;
  return like < LEAST_LIKENESS ? 0 : like;
}
