import { blockMarkdown, type Passage } from './passage.ts';
import { tableHead, type Unit } from './units.ts';

/** What a citation filter or a Markdown renderer would take for a mark or a link of ours. */
const LOOKS_LIKE_MARK = /\[(?=\^?[\d\s,;\u2013-]+\])|【(?=\d)/gu;

/** Whether `next` goes on right where `unit` stopped, in the same block. */
function continues(unit: Unit | undefined, next: Unit): boolean {
  return (
    unit !== undefined &&
    next.block === unit.block &&
    next.passage === unit.passage &&
    next.kind === unit.kind
  );
}

/**
 * Writes quoted units as Markdown: neighbouring sentences of a block as one paragraph, items as a list,
 * rows under their table's header, code in its fence; each piece ends with its `[n]`.
 */
export function quotesMarkdown(units: readonly Unit[], numberOf: (passage: Passage) => number): string {
  const groups: Unit[][] = [];
  for (const unit of units) {
    const group = groups.at(-1);
    const last = group?.at(-1);
    const sameList = unit.kind === 'item' && last?.kind === 'item' && last.passage === unit.passage;
    if (group !== undefined && (continues(last, unit) || sameList)) group.push(unit);
    else groups.push([unit]);
  }
  return groups.map((group) => groupMarkdown(group, numberOf)).join('\n\n');
}

function groupMarkdown(group: readonly Unit[], numberOf: (passage: Passage) => number): string {
  const first = group[0];
  if (first === undefined) return '';
  const mark = `[${String(numberOf(first.passage))}]`;
  switch (first.kind) {
    case 'code':
      return group.map(({ block }) => `${blockMarkdown(block)}\n${mark}`).join('\n\n');
    case 'row':
      return `${literal([tableHead(first.block.text), ...group.map(({ text }) => text)].join('\n'))}\n\n${mark}`;
    case 'item':
      return group
        .map(({ block, text }) => `${blockMarkdown({ ...block, text: inline(text, '\n') })} ${mark}`)
        .join('\n');
    default:
      return `${sentences(group)} ${mark}`;
  }
}

/** Sentences in the order of their text, with an ellipsis where one was left out. */
function sentences(group: readonly Unit[]): string {
  return group
    .map((unit, at) => {
      const previous = group[at - 1];
      if (previous === undefined) return inline(unit.text, ' ');
      const gap = unit.position === previous.position + 1 ? joint(unit.text) : ' … ';
      return gap + inline(unit.text, ' ');
    })
    .join('');
}

/** Scripts without blanks between words have none between sentences. */
function joint(text: string): string {
  return /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text) ? '' : ' ';
}

function inline(text: string, lineBreak: string): string {
  return literal(text.replaceAll(/\s*\n\s*/g, lineBreak));
}

/** A bracket or backtick that a reader sees in a note stands for itself, never for a citation or code. */
function literal(text: string): string {
  return text.replaceAll(LOOKS_LIKE_MARK, String.raw`\$&`).replaceAll('`', '\\`');
}
