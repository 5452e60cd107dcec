import type { Tokenizer } from '../text/tokenizer.ts';
import { readAskedQuestion, type AskedQuestion } from './asked-question.ts';
import { hasTerm, type AskedTerm } from './asked-terms.ts';
import { headedBy } from './headed-by.ts';
import type { Passage } from './passage.ts';
import { repeatsQuestion, shapeFactor } from './unit-shape.ts';
import type { Unit } from './units.ts';

/** A unit with what it has of the question. */
export type ScoredUnit = {
  readonly unit: Unit;
  readonly score: number;
  /** Terms of the question in the unit itself. */
  readonly matched: ReadonlySet<string>;
  /** All terms, for telling repetitions. */
  readonly terms: ReadonlySet<string>;
  /** Whether it says nothing beside what the question says. */
  readonly repeats: boolean;
  /** How well the heading or the note's name that it stands first under is what is asked for, 0–1. */
  readonly headed: number;
};

/** What units are scored with. */
export type ScoringOptions = {
  readonly tokenizer: Tokenizer;
  /** Rarity of the question's terms in the whole index, better than that among the units alone. */
  readonly weights?: ReadonlyMap<string, number>;
};

const NO_TERMS: ReadonlySet<string> = new Set();
/** How much of the question a unit may be credited for that only its headings or its note's title say. */
const NAMED_SHARE = 0.6;
/** Of a note whose whole title is asked for, every sentence is about it. */
const ASKED_TITLE_SHARE = 0.85;
/** The same for the sentence before it in its block, which says who `it` and `they` are. */
const BEFORE_SHARE = 0.5;
/** And for the rest of its passage. */
const PASSAGE_SHARE = 0.3;
/** What stands first under a heading that is what was asked: up to this much on top. */
const HEADED_SHARE = 0.8;
/** Query terms side by side in the unit: up to this much on top. */
const ADJACENCY_SHARE = 0.1;
/** What only repeats the question says nothing. */
const REPEATS_FACTOR = 0.3;
/** Each place further down in the ranking costs this share, beside what the note's own score costs. */
const RANK_DECAY = 0.03;

/**
 * Scores every unit against a question: the idf share of the question that it contains, credit for what
 * its headings, its note's name, the sentence before it and the rest of its passage say, neighbouring terms, whether it stands
 * first under a heading (or in a note) that is what was asked, its form, and how good its note is.
 */
export function scoreUnits(question: string, units: readonly Unit[], options: ScoringOptions): ScoredUnit[] {
  const read = units.map((unit) => options.tokenizer.documentTerms(unit.text));
  const sets = read.map((terms) => new Set(terms));
  const asked = readAskedQuestion(question, { ...options, units: sets });
  if (asked.total === 0) return [];
  const best = Math.max(0, ...units.map(({ passage }) => passage.source.score));
  const repeats = units.map((unit, at) => repeatsQuestion(unit, sets[at] ?? NO_TERMS, asked));
  const around = termsAround(units, (at) => (repeats[at] === true ? NO_TERMS : (sets[at] ?? NO_TERMS)));
  return units.map((unit, at) => {
    const terms = sets[at] ?? NO_TERMS;
    const before = units[at - 1]?.block === unit.block ? (sets[at - 1] ?? NO_TERMS) : NO_TERMS;
    const context = { before, around: around.get(unit.passage) ?? NO_TERMS };
    const matched = asked.terms.filter((term) => hasTerm(terms, term));
    const unsaid = asked.terms.filter((term) => !matched.includes(term));
    const share = (asked.massOf(matched) + credit(unit, unsaid, { asked, ...context })) / asked.total;
    const near = ADJACENCY_SHARE * adjacency(asked.terms, read[at] ?? []);
    const headed = headedBy(unit, asked);
    const rank = (best > 0 ? unit.passage.source.score / best : 1) / (1 + RANK_DECAY * unit.rank);
    const idle = repeats[at] === true;
    const shape = shapeFactor(unit, terms, asked) * (idle ? REPEATS_FACTOR : 1);
    const score = (share + near + HEADED_SHARE * headed) * rank * shape;
    return { unit, score, matched: new Set(matched.map(({ term }) => term)), terms, repeats: idle, headed };
  });
}

/** Terms of each passage, but of nothing in it that only repeats the question: an example of asking it covers all of it. */
function termsAround(
  units: readonly Unit[],
  termsOf: (at: number) => ReadonlySet<string>,
): Map<Passage, Set<string>> {
  const around = new Map<Passage, Set<string>>();
  for (const [at, { passage }] of units.entries()) {
    const known = around.get(passage) ?? new Set();
    for (const term of termsOf(at)) known.add(term);
    around.set(passage, known);
  }
  return around;
}

type Context = {
  readonly asked: AskedQuestion;
  /** Terms of the sentence before, in the same block. */
  readonly before: ReadonlySet<string>;
  /** Terms of the passage. */
  readonly around: ReadonlySet<string>;
};

/** What a unit is credited for terms that it does not say itself. */
function credit(unit: Unit, unsaid: readonly AskedTerm[], { asked, before, around }: Context): number {
  const title = asked.termsOf(unit.passage.source.title);
  const headings = asked.termsOf(unit.headings.join(' '));
  const titleShare = isAsked(title, asked) ? ASKED_TITLE_SHARE : NAMED_SHARE;
  const shareOf = (term: AskedTerm): number => {
    if (hasTerm(title, term)) return titleShare;
    if (hasTerm(headings, term)) return NAMED_SHARE;
    if (hasTerm(before, term)) return BEFORE_SHARE;
    return hasTerm(around, term) ? PASSAGE_SHARE : 0;
  };
  return unsaid.reduce((sum, term) => sum + shareOf(term) * asked.massOf([term]), 0);
}

/** Whether the question has all of a title. */
function isAsked(title: ReadonlySet<string>, { terms, tokenizer }: AskedQuestion): boolean {
  const own = new Set(terms.map(({ term }) => term));
  return title.size > 0 && [...title].every((term) => own.has(term) || tokenizer.isStopTerm(term));
}

/** Share of neighbouring query terms that stand within three terms of each other in the unit. */
function adjacency(asked: readonly AskedTerm[], terms: readonly string[]): number {
  if (asked.length < 2) return 0;
  let near = 0;
  for (let at = 1; at < asked.length; at += 1) {
    const first = terms.indexOf(asked[at - 1]?.term ?? '');
    const second = terms.indexOf(asked[at]?.term ?? '', Math.max(0, first - 3));
    if (first >= 0 && second >= 0 && Math.abs(second - first) <= 3) near += 1;
  }
  return near / (asked.length - 1);
}
