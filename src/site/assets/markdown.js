import { parseInline } from './markdown-inline.js';

/**
 * The little Markdown that answers are written in, as plain data. Raw HTML is text. Patterns never
 * look past the next delimiter, so that a hostile answer costs linear time.
 */

/** @typedef {import('./markdown-inline.js').Inline} Inline */
/**
 * @typedef {{type: 'paragraph', children: Inline[]} | {type: 'heading', level: number, children: Inline[]}
 *   | {type: 'code', text: string} | {type: 'rule'} | {type: 'quote', blocks: Block[]}
 *   | {type: 'list', ordered: boolean, start: number, items: Block[][]}
 *   | {type: 'table', head: Inline[][], rows: Inline[][][]}} Block
 */
/** @typedef {{block: Block, source: string}} Piece A top-level block and the text it came from. */

const MOST_NESTING = 8;
const QUOTE = /^\s{0,3}>/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])(\s+)(.*)$/;
const TABLE_RULE = /^\s*\|?(?:\s*:?-+:?\s*\|)+\s*(?::?-+:?\s*)?$/;

/**
 * Reads an answer.
 *
 * @param {string} text
 * @returns {Piece[]}
 */
export function parseMarkdown(text) {
  return readBlocks(text.split(/\r?\n/), 0);
}

/**
 * @param {string[]} lines
 * @param {number} depth
 * @returns {Piece[]}
 */
function readBlocks(lines, depth) {
  /** @type {Piece[]} */
  const pieces = [];
  let at = 0;
  while (at < lines.length) {
    if (lines[at]?.trim() === '') {
      at += 1;
      continue;
    }
    const { block, end } = readBlock(lines, at, depth);
    pieces.push({ block, source: lines.slice(at, end).join('\n') });
    at = end;
  }
  return pieces;
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @param {number} depth
 * @returns {{block: Block, end: number}}
 */
function readBlock(lines, at, depth) {
  const line = lines[at] ?? '';
  const fence = FENCE.exec(line);
  if (fence) return readFence(lines, at, fence[1] ?? '');
  const heading = HEADING.exec(line);
  if (heading) return { block: toHeading(heading), end: at + 1 };
  if (RULE.test(line)) return { block: { type: 'rule' }, end: at + 1 };
  if (line.includes('|') && TABLE_RULE.test(lines[at + 1] ?? '')) return readTable(lines, at);
  return (depth < MOST_NESTING ? readContainer(lines, at, depth) : undefined) ?? readParagraph(lines, at);
}

/**
 * @param {RegExpExecArray} match
 * @returns {Block}
 */
function toHeading([, marks = '', text = '']) {
  return { type: 'heading', level: marks.length, children: parseInline(text) };
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @param {number} depth
 */
function readContainer(lines, at, depth) {
  const line = lines[at] ?? '';
  if (QUOTE.test(line)) return readQuote(lines, at, depth);
  const item = ITEM.exec(line);
  return item ? readList(lines, { at, depth, item }) : undefined;
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @returns {{block: Block, end: number}}
 */
function readParagraph(lines, at) {
  const end = findEnd(lines, at + 1, startsBlock);
  const trimmed = lines.slice(at, end).map((line) => line.trim());
  return { block: { type: 'paragraph', children: parseInline(trimmed.join('\n')) }, end };
}

/** @param {string} line */
function startsBlock(line) {
  return line.trim() === '' || FENCE.test(line) || HEADING.test(line) || QUOTE.test(line) || ITEM.test(line);
}

/**
 * @param {string[]} lines
 * @param {number} from
 * @param {(line: string) => boolean} stops
 */
function findEnd(lines, from, stops) {
  let end = from;
  while (end < lines.length && !stops(lines[end] ?? '')) end += 1;
  return end;
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @param {string} mark
 * @returns {{block: Block, end: number}}
 */
function readFence(lines, at, mark) {
  const close = findEnd(lines, at + 1, (line) => line.trim().startsWith(mark) && /^[`~]+$/.test(line.trim()));
  return {
    block: { type: 'code', text: lines.slice(at + 1, close).join('\n') },
    end: Math.min(close + 1, lines.length),
  };
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @param {number} depth
 * @returns {{block: Block, end: number}}
 */
function readQuote(lines, at, depth) {
  const end = findEnd(lines, at, (line) => !QUOTE.test(line));
  const inner = lines.slice(at, end).map((line) => line.replace(/^\s{0,3}> ?/, ''));
  return { block: { type: 'quote', blocks: readBlocks(inner, depth + 1).map(({ block }) => block) }, end };
}

/**
 * @param {string[]} lines
 * @param {{at: number, depth: number, item: RegExpExecArray}} start
 * @returns {{block: Block, end: number}}
 */
function readList(lines, { at, depth, item: [, margin = '', mark = ''] }) {
  const ordered = /\d/.test(mark);
  /** @type {string[][]} */
  const items = [];
  let end = at;
  for (; end < lines.length; end += 1) {
    const line = lines[end] ?? '';
    const next = itemOf(line, margin.length);
    if (next) {
      if (/\d/.test(next.mark) !== ordered) break;
      items.push([next.text]);
    } else if (belongsToItem(line, lines[end - 1] ?? '', margin.length)) {
      items.at(-1)?.push(line.slice(Math.min(marginOf(line), margin.length + 2)));
    } else break;
  }
  const blocks = items.map((inner) => readBlocks(inner, depth + 1).map(({ block }) => block));
  return { block: { type: 'list', ordered, start: Number.parseInt(mark, 10) || 1, items: blocks }, end };
}

/**
 * @param {string} line
 * @param {number} margin
 */
function itemOf(line, margin) {
  const [, space = '', mark = '', , text = ''] = ITEM.exec(line) ?? [];
  return mark !== '' && space.length <= margin + 1 ? { mark, text } : undefined;
}

/**
 * Whether a line goes on with the item above: it is indented, or it is the same paragraph without
 * the indent.
 *
 * @param {string} line
 * @param {string} before
 * @param {number} margin
 */
function belongsToItem(line, before, margin) {
  return line.trim() === '' || marginOf(line) > margin || (before.trim() !== '' && !startsBlock(line));
}

/** @param {string} line */
function marginOf(line) {
  return line.length - line.trimStart().length;
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @returns {{block: Block, end: number}}
 */
function readTable(lines, at) {
  const end = findEnd(lines, at + 2, (line) => !line.includes('|'));
  const rows = lines.slice(at + 2, end).map(readCells);
  return { block: { type: 'table', head: readCells(lines[at] ?? ''), rows }, end };
}

/** @param {string} line */
function readCells(line) {
  const inner = line.trim().replace(/^\|/, '').replace(/\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => parseInline(cell.trim().replaceAll('\\|', '|')));
}
