import type { Tokenizer } from '../text/tokenizer.ts';
import type { Unit } from './units.ts';

/** A unit with what it has of the question. */
export type ScoredUnit = {
  readonly unit: Unit;
  readonly score: number;
  /** Terms of the question in the unit itself. */
  readonly matched: ReadonlySet<string>;
  /** All terms, for telling repetitions. */
  readonly terms: ReadonlySet<string>;
};

/** How much of the question a unit may be credited for that only its headings or its note's title say. */
const HEADING_SHARE = 0.5;
const TITLE_SHARE = 0.4;
/** Of a note whose whole title is asked for, every sentence is about it. */
const ASKED_TITLE_SHARE = 0.85;
/** Query terms side by side in the unit: up to this much on top. */
const ADJACENCY_SHARE = 0.1;
/** Each place further down in the ranking costs this share. */
const RANK_DECAY = 0.08;
/** Shorter than this, in terms, a unit is a label more than a statement. */
const SHORT_TERMS = 4;
const LONG_TERMS = 45;
/** A note named in the question says in its first sentences what it is about. */
const LEAD_FACTOR = 1.35;
const NAMED_SHARE = 0.5;
/** To a question for a way, what announces steps (or is one) is the answer. */
const STEPS_FACTOR = 1.3;
const ASKS_A_WAY =
  /^\s*(?:how\b(?!\s+(?:much|many|old|long|far|often))|wie\b|comment\b|¿?c[óo]mo\b|как\b|如何|怎)/iu;
const TELLS_A_WAY = /^(?:to|um|pour|para)\s|[:：]\s*$/iu;
/** Signs that make up code more than prose. */
const CODE_SIGNS = /[{}<>=;$\\|()[\]"]/g;
const CODE_SHARE = 0.08;

/** How rare each term of the question is among the units: ln(1 + N/df), the idf of a small collection. */
function localWeights(
  question: readonly string[],
  units: readonly ReadonlySet<string>[],
): Map<string, number> {
  return new Map(
    question.map((term) => {
      const found = units.filter((terms) => terms.has(term)).length;
      return [term, Math.log(1 + units.length / Math.max(1, found))];
    }),
  );
}

function mass(terms: Iterable<string>, weights: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const term of terms) sum += weights.get(term) ?? 0;
  return sum;
}

/** Share of neighbouring query terms that stand within three terms of each other in the unit. */
function adjacency(question: readonly string[], terms: readonly string[]): number {
  if (question.length < 2) return 0;
  let near = 0;
  for (let at = 1; at < question.length; at += 1) {
    const first = terms.indexOf(question[at - 1] ?? '');
    const second = terms.indexOf(question[at] ?? '', Math.max(0, first - 3));
    if (first >= 0 && second >= 0 && Math.abs(second - first) <= 3) near += 1;
  }
  return near / (question.length - 1);
}

function shapeFactor(unit: Unit, length: number, asksAWay: boolean): number {
  let factor = 1 / (1 + RANK_DECAY * unit.rank);
  const signs = unit.text.match(CODE_SIGNS)?.length ?? 0;
  if (unit.kind !== 'code' && signs > unit.text.length * CODE_SHARE) factor *= 0.6;
  if (asksAWay && TELLS_A_WAY.test(unit.text)) factor *= STEPS_FACTOR;
  if (unit.kind !== 'code' && length < SHORT_TERMS) factor *= 0.6;
  if (length > LONG_TERMS) factor *= 0.8;
  // A question in a note is what its next sentence answers; it says nothing itself.
  if (/[?？؟]\s*$/u.test(unit.text)) factor *= 0.4;
  if (unit.kind === 'code') factor *= 0.6;
  return factor;
}

/**
 * Scores every unit against a question: the idf share of the question that it contains, credit for
 * what its headings say, neighbouring terms, and the rank of its passage. Weights of the whole index
 * are better than those of the passages alone, which are used where a term has none.
 */
export function scoreUnits(
  question: string,
  units: readonly Unit[],
  { tokenizer, weights }: { readonly tokenizer: Tokenizer; readonly weights?: ReadonlyMap<string, number> },
): ScoredUnit[] {
  const asked = tokenizer.queryTerms(question).map(({ term }) => term);
  const read = units.map((unit) => tokenizer.documentTerms(unit.text));
  const sets = read.map((terms) => new Set(terms));
  const local = localWeights(asked, sets);
  const weight = new Map(asked.map((term) => [term, weights?.get(term) ?? local.get(term) ?? 0]));
  const total = mass(asked, weight);
  if (total === 0) return [];
  const asksAWay = ASKS_A_WAY.test(question);
  return units.map((unit, at) => {
    const terms = sets[at] ?? new Set<string>();
    const matched = new Set(asked.filter((term) => terms.has(term)));
    const heading = new Set(tokenizer.documentTerms(unit.heading));
    const title = new Set(tokenizer.documentTerms(unit.passage.source.title));
    const titleAsked =
      title.size > 0 && [...title].every((term) => weight.has(term) || tokenizer.isStopTerm(term));
    const titleShare = titleAsked ? ASKED_TITLE_SHARE : TITLE_SHARE;
    const rest = asked.filter((term) => !matched.has(term));
    const inTitle = rest.filter((term) => title.has(term));
    const inHeading = rest.filter((term) => !title.has(term) && heading.has(term));
    const overlap =
      mass(matched, weight) + HEADING_SHARE * mass(inHeading, weight) + titleShare * mass(inTitle, weight);
    const near = ADJACENCY_SHARE * adjacency(asked, read[at] ?? []);
    const named =
      mass(
        asked.filter((term) => title.has(term)),
        weight,
      ) >=
      total * NAMED_SHARE;
    const lead = unit.opening && named && !asksAWay ? LEAD_FACTOR : 1;
    return {
      unit,
      score: (overlap / total + near) * lead * shapeFactor(unit, terms.size, asksAWay),
      matched,
      terms,
    };
  });
}
