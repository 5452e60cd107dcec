import type { QuestionKind } from './question-kind.ts';
import type { ScoredUnit } from './score-units.ts';
import type { Unit } from './units.ts';

/** A unit ending so announces what follows it. */
const ANNOUNCES = /[:：]\s*$/u;
/** A list longer than this is no list of steps. */
const MOST_ITEMS = 10;
/** What is announced besides steps: examples, of which a few do. */
const FEW_ITEMS = 6;
/** What stands under a heading that is what was asked is read so far for code or steps. */
const SECTION_READ = 4;
/** From this on a heading is what was asked. */
const WELL_HEADED = 0.45;

/** Places of units, the end exclusive. */
type Range = { readonly start: number; readonly end: number };

/**
 * The units that are quoted along with one, in the order of their note and with itself: what a sentence
 * that ends in a colon announces; to a question for a way, all the steps of which it is one, with the
 * sentence that announces them, and what a section that is headed so begins with.
 */
export function withCompanions(
  { unit, headed }: ScoredUnit,
  units: readonly Unit[],
  kind: QuestionKind,
): readonly Unit[] {
  const own = units.filter(({ passage }) => passage === unit.passage);
  const at = own.indexOf(unit);
  const near = kind.way && unit.kind === 'item' ? steps(own, at) : announced(own, at, kind);
  const { start, end } = kind.way && headed >= WELL_HEADED ? fromHeading(own, near) : near;
  return own.slice(start, end);
}

function announced(own: readonly Unit[], at: number, { way }: QuestionKind): Range {
  const next = own[at + 1];
  if (next === undefined || !ANNOUNCES.test(own[at]?.text ?? '')) return { start: at, end: at + 1 };
  if (next.kind !== 'item') return { start: at, end: at + 2 };
  const most = at + 1 + (way ? MOST_ITEMS : FEW_ITEMS);
  return { start: at, end: Math.min(endOfItems(own, at + 1), most) };
}

function steps(own: readonly Unit[], at: number): Range {
  const first = own.findLastIndex(({ kind }, index) => index < at && kind !== 'item') + 1;
  const end = endOfItems(own, at);
  if (end - first > MOST_ITEMS) return { start: at, end: at + 1 };
  const before = own[first - 1];
  return { start: before !== undefined && ANNOUNCES.test(before.text) ? first - 1 : first, end };
}

/** Down from the heading, as far as the first code or steps below it: what the sentences before them lead to. */
function fromHeading(own: readonly Unit[], near: Range): Range {
  const heading = own[near.start]?.headings.at(-1);
  const start = own.findIndex(({ place, headings }) => place === 0 && headings.at(-1) === heading);
  if (start < 0 || start > near.start) return near;
  const shown = own.findIndex(({ kind }, index) => index >= start && kind !== 'sentence');
  if (shown < 0 || shown > start + SECTION_READ) return near;
  const end = Math.max(near.end, own[shown]?.kind === 'item' ? endOfItems(own, shown) : shown + 1);
  return end - start > MOST_ITEMS ? near : { start, end };
}

function endOfItems(own: readonly Unit[], from: number): number {
  const end = own.findIndex(({ kind }, index) => index >= from && kind !== 'item');
  return end === -1 ? own.length : end;
}
