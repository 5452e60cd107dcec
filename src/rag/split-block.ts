import type { Block } from '../vault/note.ts';

/** A part of a block with the lines of the file that it came from. */
export type BlockPart = { readonly text: string; readonly startLine: number; readonly endLine: number };

/** Sizes in characters: a block over `limit` is cut into parts of about `target`. */
export type SplitSizes = { readonly target: number; readonly limit: number };

/** Breaks a line that alone passes the limit at a blank, or where there is none (CJK) at a character. */
function splitLine(line: string, target: number): string[] {
  const parts: string[] = [];
  let rest = line;
  while (rest.length > target) {
    const blank = rest.lastIndexOf(' ', target);
    let cut = blank > target / 2 ? blank : target;
    const code = rest.charCodeAt(cut - 1);
    if (code >= 0xd800 && code <= 0xdbff) cut -= 1;
    parts.push(rest.slice(0, cut));
    rest = rest.slice(cut).trimStart();
  }
  return rest === '' ? parts : [...parts, rest];
}

/**
 * The line of the file at which the first text line stands. Text lines are the file's lines one to one,
 * less a fence's first line; where an inner line is gone (a comment) nothing exact can be said.
 */
function firstTextLine(block: Block, textLines: number): number | undefined {
  const span = block.endLine - block.startLine + 1;
  if (textLines === span) return block.startLine;
  const isFenced = block.kind === 'code' || block.kind === 'math';
  return isFenced && (textLines === span - 2 || textLines === span - 1) ? block.startLine + 1 : undefined;
}

const TABLE_RULE = /^[\s|:-]*-[\s|:-]*$/;

function tableHeader(block: Block, lines: readonly string[]): string {
  if (block.kind !== 'table') return '';
  return lines.slice(0, TABLE_RULE.test(lines[1] ?? '') ? 2 : 1).join('\n');
}

type Line = { readonly text: string; readonly at: number };

function breakLongLines(lines: readonly string[], target: number): Line[] {
  return lines.flatMap((text, at) =>
    text.length <= target ? [{ text, at }] : splitLine(text, target).map((part) => ({ text: part, at })),
  );
}

function packLines(lines: readonly Line[], target: number): Line[][] {
  const packs: Line[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const line of lines) {
    if (size + line.text.length > target) {
      packs.push([]);
      size = 0;
    }
    packs.at(-1)?.push(line);
    size += line.text.length + 1;
  }
  return packs;
}

/**
 * Cuts a block that passes the limit between its lines, each part with its own lines; the parts of a
 * table after the first repeat its header in their text. A shorter block is its own only part.
 */
export function splitBlock(block: Block, sizes: SplitSizes): BlockPart[] {
  const { startLine, endLine } = block;
  if (block.text.length <= sizes.limit) return [{ text: block.text, startLine, endLine }];
  const lines = block.text.split('\n');
  const first = firstTextLine(block, lines.length);
  const header = tableHeader(block, lines);
  const carried = header === '' || header.length > sizes.target / 2 ? '' : `${header}\n`;
  const room = sizes.target - carried.length;
  return packLines(breakLongLines(lines, room), room).map((pack, index) => {
    const text = (index > 0 ? carried : '') + pack.map((line) => line.text).join('\n');
    if (first === undefined) return { text, startLine, endLine };
    return { text, startLine: first + (pack[0]?.at ?? 0), endLine: first + (pack.at(-1)?.at ?? 0) };
  });
}
