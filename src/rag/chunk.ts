import type { Block, Note } from '../vault/note.ts';
import { type BlockPart, splitBlock } from './split-block.ts';
import type { Chunk } from './types.ts';

/** Characters after which a section is cut at the next block. */
export const CHUNK_TARGET = 1200;
/** Most characters of a chunk. A block up to this size is never cut. */
export const CHUNK_LIMIT = 2000;

const SEPARATOR = '\n\n';

function toChunk(headingPath: readonly string[], pieces: readonly BlockPart[]): Chunk {
  return {
    headingPath,
    startLine: Math.min(...pieces.map((piece) => piece.startLine)),
    endLine: Math.max(...pieces.map((piece) => piece.endLine)),
    text: pieces.map((piece) => piece.text).join(SEPARATOR),
  };
}

/** Fills chunks with pieces in order; a new one begins where the next piece would pass the target. */
function packPieces(headingPath: readonly string[], pieces: readonly BlockPart[]): Chunk[] {
  const chunks: Chunk[] = [];
  let open: BlockPart[] = [];
  let size = 0;
  for (const piece of pieces) {
    if (open.length > 0 && size + SEPARATOR.length + piece.text.length > CHUNK_TARGET) {
      chunks.push(toChunk(headingPath, open));
      open = [];
      size = 0;
    }
    size += piece.text.length + (open.length > 0 ? SEPARATOR.length : 0);
    open.push(piece);
  }
  if (open.length > 0) chunks.push(toChunk(headingPath, open));
  return chunks;
}

type Section = { readonly headings: readonly Block[]; readonly blocks: readonly Block[] };

/** Cuts a note at its headings; `headings` are those above the section and its own, outermost first. */
function sectionsOf(note: Note): Section[] {
  const sections: Section[] = [];
  let headings: readonly Block[] = [];
  let blocks: Block[] = [];
  for (const block of note.blocks) {
    if (block.kind !== 'heading') {
      blocks.push(block);
      continue;
    }
    sections.push({ headings, blocks });
    const level = block.level ?? 1;
    headings = [...headings.filter((above) => (above.level ?? 1) < level), block];
    blocks = [];
  }
  return [...sections, { headings, blocks }];
}

/** A heading without text below it is still something to find, unless a deeper heading carries it on. */
function headingOnly(section: Section, next: Section | undefined): Chunk[] {
  const heading = section.headings.at(-1);
  if (heading === undefined || next?.headings.includes(heading) === true) return [];
  const { startLine, endLine, text } = heading;
  return [{ headingPath: section.headings.map((above) => above.text), startLine, endLine, text }];
}

/**
 * Cuts a note into chunks: by heading, then between blocks where a section passes `CHUNK_TARGET`
 * characters; nothing overlaps, and every block that is not a heading is in exactly one chunk (a block
 * longer than `CHUNK_LIMIT` in several). A note without any text gives no chunk.
 */
export function chunkNote(note: Note): Chunk[] {
  const sections = sectionsOf(note);
  return sections.flatMap((section, at) => {
    const pieces = section.blocks
      .filter((block) => block.text.trim() !== '')
      .flatMap((block) => splitBlock(block, { target: CHUNK_TARGET, limit: CHUNK_LIMIT }));
    if (pieces.length === 0) return headingOnly(section, sections[at + 1]);
    return packPieces(
      section.headings.map((heading) => heading.text),
      pieces,
    );
  });
}

/** The text a chunk is embedded as: where it stands, then what it says. */
export function embeddingText(title: string, chunk: Pick<Chunk, 'headingPath' | 'text'>): string {
  return `${[title, ...chunk.headingPath].join(' › ')}\n\n${chunk.text}`;
}
