import type { QuestionKind } from './question-kind.ts';
import type { ScoredUnit } from './score-units.ts';
import type { Unit } from './units.ts';

/** A unit ending so announces what follows it. */
const ANNOUNCES = /[:：]\s*$/u;
/** A list longer than this is no list of steps. */
const MOST_ITEMS = 10;
/** What is announced besides steps: examples, of which a few do. */
const FEW_ITEMS = 6;
/** What stands under a heading that is what was asked: so many units at most. */
const MOST_OF_SECTION = 4;
const WELL_HEADED = 0.45;

/**
 * The units that are quoted along with one, in the order of their note and with itself: what a sentence
 * that ends in a colon announces; to a question for a way, all the steps of which it is one, with the
 * sentence that announces them, and what a section headed so begins with.
 */
export function withCompanions(
  { unit, headed }: ScoredUnit,
  units: readonly Unit[],
  kind: QuestionKind,
): readonly Unit[] {
  const own = units.filter(({ passage }) => passage === unit.passage);
  const at = own.indexOf(unit);
  if (ANNOUNCES.test(unit.text)) return announced(own, at, kind);
  if (!kind.way) return [unit];
  if (unit.kind === 'item') return steps(own, at);
  return headed >= WELL_HEADED ? beginning(own, at, kind) : [unit];
}

function announced(own: readonly Unit[], at: number, { way }: QuestionKind): readonly Unit[] {
  const next = own[at + 1];
  if (next?.kind !== 'item') return own.slice(at, at + 2);
  const end = endOfItems(own, at + 1);
  return own.slice(at, Math.min(end, at + 1 + (way ? MOST_ITEMS : FEW_ITEMS)));
}

function steps(own: readonly Unit[], at: number): readonly Unit[] {
  const start = own.findLastIndex(({ kind }, index) => index < at && kind !== 'item') + 1;
  const end = endOfItems(own, at);
  if (end - start > MOST_ITEMS) return own.slice(at, at + 1);
  const before = own[start - 1];
  return own.slice(before !== undefined && ANNOUNCES.test(before.text) ? start - 1 : start, end);
}

/** Up to the first code or steps below the heading, which is what the sentences before them lead to. */
function beginning(own: readonly Unit[], at: number, kind: QuestionKind): readonly Unit[] {
  const section = own.slice(at, at + MOST_OF_SECTION);
  const shown = section.findIndex((unit, index) => index > 0 && unit.kind !== 'sentence');
  const shows = section[shown];
  if (shows === undefined) return own.slice(at, at + 1);
  const lead = section.slice(0, shown);
  if (shows.kind === 'code') return [...lead, shows];
  return shows.kind === 'item' && kind.way
    ? [...lead, ...steps(own, at + shown).filter((unit) => !lead.includes(unit))]
    : lead.slice(0, 1);
}

function endOfItems(own: readonly Unit[], from: number): number {
  const end = own.findIndex(({ kind }, index) => index >= from && kind !== 'item');
  return end === -1 ? own.length : end;
}
