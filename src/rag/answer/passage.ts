import type { Block } from '../../vault/note.ts';
import type { Source } from '../types.ts';

/** A source with the blocks that it is made of, so that code stays code and a list stays a list. */
export type Passage = {
  readonly source: Source;
  readonly blocks: readonly Block[];
  /** The first block of the note below its headings, where it is one of these blocks. */
  readonly opening?: Block;
  /** Whether it begins where its section begins, right below its heading (or at the top of the note). */
  readonly beginsSection?: boolean;
};

/** A block as Markdown: code in a fence longer than any run of backticks in it, headings with their marks. */
export function blockMarkdown(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `${'#'.repeat(block.level ?? 1)} ${block.text}`;
    case 'code':
      return fenced(block.text, block.info ?? '');
    case 'list-item':
      return /^\s*(?:[-*+]|\d+[.)])\s/.test(block.text)
        ? block.text
        : `- ${block.text.replaceAll('\n', '\n  ')}`;
    case 'math':
      return block.text.includes('$$') ? block.text : `$$\n${block.text}\n$$`;
    default:
      return block.text;
  }
}

/** Blocks as Markdown; items of one list stay together. */
export function blocksMarkdown(blocks: readonly Block[]): string {
  let text = '';
  let previous: Block | undefined;
  for (const block of blocks) {
    if (previous !== undefined) {
      text += previous.kind === 'list-item' && block.kind === 'list-item' ? '\n' : '\n\n';
    }
    text += blockMarkdown(block);
    previous = block;
  }
  return text;
}

function fenced(code: string, info: string): string {
  const longest = Math.max(2, ...(code.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${info}\n${code}\n${fence}`;
}
