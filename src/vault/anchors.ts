import type { Block, Link, Note } from './note.ts';

/** Lines of a note, from 1, both included. */
export type LineRange = { readonly startLine: number; readonly endLine: number };

/** Form in which headings are compared first: what a link cannot hold is dropped, blanks collapsed. */
function headingKey(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[#|^:%[\]*_`~=]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase();
}

/** Form compared when the first finds nothing: letters and digits, so that `what-is-it` means "What is it?". */
function looseKey(text: string): string {
  return text
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}]+/gu, '');
}

/** Index of the first heading of that name at or after `from`, or -1. */
function findHeading(blocks: readonly Block[], name: string, from: number): number {
  for (const keyOf of [headingKey, looseKey]) {
    const key = keyOf(name);
    const isIt = (block: Block, at: number): boolean =>
      at >= from && block.kind === 'heading' && keyOf(block.text) === key;
    const index = key === '' ? -1 : blocks.findIndex(isIt);
    if (index >= 0) return index;
  }
  return -1;
}

/**
 * Lines that a link's `#Heading#Subheading` or `#^block` addresses; `undefined` when the note has no
 * such place. A heading's lines reach to the next heading of its level or above.
 */
export function findAnchor(
  note: Pick<Note, 'blocks' | 'blockIds'>,
  anchor: Pick<Link, 'headings' | 'blockId'>,
): LineRange | undefined {
  const wanted = anchor.blockId?.toLowerCase();
  if (wanted !== undefined) {
    const found = note.blockIds.find((entry) => entry.id.toLowerCase() === wanted);
    return found && { startLine: found.startLine, endLine: found.endLine };
  }
  let from = 0;
  let heading: Block | undefined;
  for (const name of anchor.headings) {
    const index = findHeading(note.blocks, name, from);
    if (index < 0) return undefined;
    heading = note.blocks[index];
    from = index + 1;
  }
  return heading && { startLine: heading.startLine, endLine: sectionEnd(note.blocks, from, heading) };
}

function sectionEnd(blocks: readonly Block[], from: number, heading: Block): number {
  const level = heading.level ?? 1;
  const next = blocks.findIndex(
    (block, at) => at >= from && block.kind === 'heading' && (block.level ?? 1) <= level,
  );
  return blocks[(next < 0 ? blocks.length : next) - 1]?.endLine ?? heading.endLine;
}
