import type { Block } from '../../vault/note.ts';
import type { Passage } from './passage.ts';
import { splitSentences } from './sentences.ts';

/** The smallest thing that is quoted: a sentence, a short list item, a whole code block, rows of a table. */
export type Unit = {
  readonly kind: 'sentence' | 'item' | 'code' | 'row';
  /** Verbatim, as it stands in `Block.text`. */
  readonly text: string;
  readonly block: Block;
  readonly passage: Passage;
  /** Place of the passage among the passages, best first, from 0. */
  readonly rank: number;
  /** Place among the units of the passage, from 0. */
  readonly position: number;
  /** Headings over the unit, outermost first. */
  readonly headings: readonly string[];
  /** Place of its block below the innermost heading, from 0; none where the section begins before the passage. */
  readonly place?: number;
  /** Whether it stands in the first block of its note. */
  readonly opening: boolean;
};

/** A list item longer than this is quoted by its sentences. */
const LONGEST_ITEM = 280;
/** A code block longer than this is not an answer but a file. */
const LONGEST_CODE = 1500;
/** What can hold a fact in any script: two letters or digits. */
const HAS_WORDS = /[\p{L}\p{N}].*[\p{L}\p{N}]/su;

/** Cuts passages into what can be quoted. */
export function unitsOf(passages: readonly Passage[]): Unit[] {
  return passages.flatMap((passage, rank) => {
    let headings = passage.source.headingPath;
    let place = passage.beginsSection === true ? 0 : undefined;
    let position = 0;
    return passage.blocks.flatMap((block) => {
      if (block.kind === 'heading') {
        headings = [...passage.source.headingPath, block.text];
        place = 0;
        return [];
      }
      const own = place;
      if (place !== undefined) place += 1;
      return piecesOf(block).map(({ kind, text }): Unit => {
        position += 1;
        return {
          kind,
          text,
          block,
          passage,
          rank,
          position: position - 1,
          headings,
          ...(own === undefined ? {} : { place: own }),
          opening: block === passage.opening,
        };
      });
    });
  });
}

function piecesOf(block: Block): { kind: Unit['kind']; text: string }[] {
  switch (block.kind) {
    case 'heading':
    case 'html':
    case 'math':
      return [];
    case 'code':
      return block.text.length > LONGEST_CODE || block.text.trim() === ''
        ? []
        : [{ kind: 'code', text: block.text }];
    case 'table':
      return tableRows(block.text).map((text) => ({ kind: 'row', text }));
    case 'list-item':
      if (block.text.length <= LONGEST_ITEM) return worded([{ kind: 'item', text: block.text }]);
      break;
    default:
  }
  return worded(splitSentences(block.text).map(({ text }) => ({ kind: 'sentence', text })));
}

function worded<Piece extends { text: string }>(pieces: Piece[]): Piece[] {
  return pieces.filter(({ text }) => HAS_WORDS.test(text));
}

/** Rows below the header and the line under it. */
function tableRows(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.slice(1).filter((line) => !/^[\s|:-]+$/.test(line));
}

/** Header of a table's text, with the line under it that makes it a table. */
export function tableHead(text: string): string {
  const [header = '', under = ''] = text.split('\n').filter((line) => line.trim() !== '');
  if (/^[\s|:-]+$/.test(under)) return `${header}\n${under}`;
  const columns = header.split('|').length - (header.trim().startsWith('|') ? 2 : 0);
  return `${header}\n|${' --- |'.repeat(Math.max(1, columns))}`;
}
