import type { Tokenizer } from '../text/tokenizer.ts';
import type { Passage } from './passage.ts';
import { quotesMarkdown } from './quotes-markdown.ts';
import { scoreUnits, type ScoredUnit } from './score-units.ts';
import { withCompanions } from './companions.ts';
import { questionKind } from './question-kind.ts';
import { unitsOf, type Unit } from './units.ts';

/** Verbatim text of a source and the lines of the note where its block stands. */
export type Quote = {
  /** The number in `[n]`. */
  readonly source: number;
  readonly startLine: number;
  readonly endLine: number;
  readonly text: string;
};

/** An answer made of quotes. */
export type ExtractiveAnswer = {
  /** Markdown with `[n]` after each quote; empty when nothing was worth quoting. */
  readonly text: string;
  /** The passages quoted, in the order of their numbers, which count from 1 as they appear. */
  readonly cited: readonly Passage[];
  readonly quotes: readonly Quote[];
};

/** What the extractive writer works with. */
export type ExtractiveOptions = {
  readonly tokenizer: Tokenizer;
  /** Rarity of the question's terms in the whole index. */
  readonly weights?: ReadonlyMap<string, number>;
  /** Most units quoted; 5 unless told. */
  readonly maxUnits?: number;
  /** Most characters quoted; 900 unless told. The best unit is always whole. */
  readonly maxCharacters?: number;
};

/** Characters quoted unless told. */
const ROOM = 900;
/** A further unit must be this good, against the best. */
const KEEP_SHARE = 0.6;
/** A unit that brings no new term of the question must be this good. */
const REPEAT_SHARE = 0.8;
/** Above this share of common terms (Jaccard) two units say the same. */
const SAME_SHARE = 0.7;
/** The best unit with what belongs to it may be this much longer, unless a length is told. */
const LEAD_ROOM = 1.5;

/**
 * Answers without a model: the one to five sentences, list items, table rows or code blocks of the
 * passages that have most of the question, word for word and cited, the most direct one first.
 * Nothing is added, so nothing can be invented.
 */
export function writeExtractive(
  question: string,
  passages: readonly Passage[],
  options: ExtractiveOptions,
): ExtractiveAnswer {
  const units = unitsOf(passages);
  const scored = scoreUnits(question, units, options);
  const chosen = choose(question, scored, options);
  const arranged = arrange(chosen);
  const cited = [...new Set(arranged.map(({ passage }) => passage))];
  const numberOf = (passage: Passage): number => cited.indexOf(passage) + 1;
  return {
    text: quotesMarkdown(arranged, numberOf),
    cited,
    quotes: arranged.map(({ passage, block, text }) => ({
      source: numberOf(passage),
      startLine: block.startLine,
      endLine: block.endLine,
      text,
    })),
  };
}

function similarity(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let common = 0;
  for (const term of a) if (b.has(term)) common += 1;
  return common === 0 ? 0 : common / (a.size + b.size - common);
}

/** What was chosen so far, and the room that is left. */
type Selection = {
  readonly units: Unit[];
  readonly taken: ScoredUnit[];
  readonly known: Set<string>;
  room: number;
};

/** Greedy: best first, then what is nearly as good or says more of the question, without repetitions. */
function choose(question: string, scored: readonly ScoredUnit[], options: ExtractiveOptions): Unit[] {
  const order = scored.filter(({ score, matched, headed }) => score > 0 && (matched.size > 0 || headed > 0));
  order.sort((a, b) => b.score - a.score);
  const groupOf = grouping(question, scored, options);
  const best = order[0]?.score ?? 0;
  const room = options.maxCharacters ?? ROOM;
  const selection: Selection = { units: [], taken: [], known: new Set(), room };
  for (const candidate of order) {
    if (selection.units.length >= (options.maxUnits ?? 5)) break;
    if (!deserves(candidate, best, selection)) continue;
    for (const unit of groupOf(candidate, selection)) take(unit, selection);
    selection.taken.push(candidate);
    for (const term of candidate.matched) selection.known.add(term);
  }
  return selection.units;
}

/**
 * Makes what finds the units to quote with one: its companions where all of them fit (steps are quoted
 * whole or not at all), else itself; nothing where one of them only repeats the question.
 */
function grouping(
  question: string,
  scored: readonly ScoredUnit[],
  { maxCharacters }: ExtractiveOptions,
): (candidate: ScoredUnit, selection: Selection) => readonly Unit[] {
  const kind = questionKind(question);
  const units = scored.map(({ unit }) => unit);
  const idle = new Set(scored.flatMap(({ unit, repeats }) => (repeats ? [unit] : [])));
  return (candidate, { units: quoted, room }) => {
    const leads = quoted.length === 0;
    const group = withCompanions(candidate, units, kind);
    if (!leads && group.some((unit) => idle.has(unit))) return [];
    const most = leads ? (maxCharacters ?? ROOM * LEAD_ROOM) : room;
    return lengthOf(group) <= most ? group : [candidate.unit];
  };
}

function lengthOf(units: readonly Unit[]): number {
  return units.reduce((sum, { text }) => sum + text.length, 0);
}

function deserves(candidate: ScoredUnit, best: number, { units, taken, known }: Selection): boolean {
  const brings = [...candidate.matched].some((term) => !known.has(term));
  if (candidate.score < best * (brings ? KEEP_SHARE : REPEAT_SHARE) || units.includes(candidate.unit))
    return false;
  return !taken.some((other) => similarity(other.terms, candidate.terms) > SAME_SHARE);
}

/** Takes a unit where there is room; the best one, and what belongs to it, was found to fit before. */
function take(unit: Unit, selection: Selection): void {
  const leads = selection.taken.length === 0;
  if (selection.units.includes(unit) || (!leads && unit.text.length > selection.room)) return;
  selection.units.push(unit);
  selection.room -= unit.text.length;
}

/** The best unit's passage first, each passage in the order of its note; the best unit leads. */
function arrange(chosen: readonly Unit[]): Unit[] {
  const lead = chosen[0];
  if (lead === undefined) return [];
  const passages = [...new Set(chosen.map(({ passage }) => passage))];
  return passages.flatMap((passage) => {
    const own = chosen.filter((unit) => unit.passage === passage).sort((a, b) => a.position - b.position);
    if (passage !== lead.passage) return own;
    // What stands above the lead in its note follows it here: the direct answer comes first. Only
    // the sentences of its own block keep their order, because they read on from each other.
    const first = own.findIndex((unit) => unit.block === lead.block);
    return own.slice(first).concat(own.slice(0, first));
  });
}
