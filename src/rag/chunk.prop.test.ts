import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Block, BlockKind, Note } from '../vault/note.ts';
import { CHUNK_LIMIT, chunkNote } from './chunk.ts';

const KINDS: readonly BlockKind[] = [
  'paragraph',
  'list-item',
  'code',
  'table',
  'callout',
  'quote',
  'math',
  'html',
];

const heading = fc
  .record({ level: fc.integer({ min: 1, max: 6 }), text: fc.stringMatching(/^[a-z]{1,9}$/) })
  .map(({ level, text }) => ({ kind: 'heading' as const, level, lines: [text] }));

const content = fc.record({
  kind: fc.constantFrom(...KINDS),
  lines: fc.array(fc.string({ minLength: 1, maxLength: 120, unit: 'grapheme' }), {
    minLength: 1,
    maxLength: 60,
  }),
});

type Draft = { readonly kind: BlockKind; readonly level?: number; readonly lines: readonly string[] };

/** Puts blocks one below the other, each with a mark of its own so that its pieces can be told. */
function noteOf(drafts: readonly Draft[]): Note {
  const blocks: Block[] = [];
  let line = 1;
  drafts.forEach((draft, index) => {
    const fence = draft.kind === 'code' ? 2 : 0;
    const texts = draft.lines.map((text, at) => `@${index}.${at}@ ${text.replaceAll('\n', ' ')}`);
    const endLine = line + texts.length - 1 + fence;
    const level = draft.level === undefined ? {} : { level: draft.level };
    blocks.push({ kind: draft.kind, startLine: line, endLine, text: texts.join('\n'), ...level });
    line = endLine + 2;
  });
  const nothing = {
    properties: {},
    aliases: [],
    tags: [],
    description: '',
    links: [],
    blockIds: [],
    warnings: [],
  };
  return { path: 'n.md', name: 'n', title: 'n', blocks, ...nothing };
}

const note = fc.array(fc.oneof({ weight: 1, arbitrary: heading }, { weight: 3, arbitrary: content }), {
  maxLength: 12,
});

test('every line of every block is in exactly one chunk, table headers repeated apart', () => {
  fc.assert(
    fc.property(note, (drafts) => {
      const chunks = chunkNote(noteOf(drafts));
      const text = chunks.map((chunk) => chunk.text).join('\n');
      drafts.forEach((draft, index) => {
        if (draft.kind === 'heading') return;
        draft.lines.forEach((_, at) => {
          const times = text.split(`@${index}.${at}@`).length - 1;
          if (draft.kind === 'table' && at === 0) assert.ok(times >= 1);
          else assert.equal(times, 1, `line ${at} of block ${index}`);
        });
      });
    }),
    { numRuns: 150 },
  );
});

test('chunks are in order, do not overlap beyond a line, and hold what stands at their lines', () => {
  fc.assert(
    fc.property(note, (drafts) => {
      const made = noteOf(drafts);
      const chunks = chunkNote(made);
      chunks.forEach((chunk, index) => {
        assert.ok(chunk.startLine <= chunk.endLine);
        assert.ok(chunk.startLine >= (chunks[index - 1]?.endLine ?? 1));
        assert.ok(chunk.text.length <= CHUNK_LIMIT);
        const marks = [...chunk.text.matchAll(/@(\d+)\.(\d+)@/gu)].map(([, block, at]) => {
          const fence = made.blocks[Number(block)]?.kind === 'code' ? 1 : 0;
          return { at: Number(at), line: (made.blocks[Number(block)]?.startLine ?? 0) + Number(at) + fence };
        });
        const own = marks.filter(({ at }) => at > 0).map(({ line }) => line);
        for (const line of own) assert.ok(line >= chunk.startLine && line <= chunk.endLine, `line ${line}`);
      });
    }),
    { numRuns: 150 },
  );
});

test('the heading path of a chunk is the headings above it, outermost first', () => {
  const made = noteOf([
    { kind: 'heading', level: 1, lines: ['a'] },
    { kind: 'heading', level: 3, lines: ['b'] },
    { kind: 'paragraph', lines: ['x'] },
    { kind: 'heading', level: 2, lines: ['c'] },
    { kind: 'paragraph', lines: ['y'] },
    { kind: 'heading', level: 2, lines: ['alone'] },
  ]);
  assert.deepEqual(
    chunkNote(made).map((chunk) => [chunk.headingPath, chunk.startLine, chunk.endLine]),
    [
      [['@0.0@ a', '@1.0@ b'], 5, 5],
      [['@0.0@ a', '@3.0@ c'], 9, 9],
      [['@0.0@ a', '@5.0@ alone'], 11, 11],
    ],
  );
});
