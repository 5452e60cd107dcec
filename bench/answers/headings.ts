import { readFile } from 'node:fs/promises';
import { parseNote } from '../../src/vault/parse-note.ts';
import { walkVault } from '../../src/vault/walk.ts';
import type { Note } from '../../src/vault/note.ts';
import type { KnownQuestion } from './answered-vault.ts';

const LEAST_WORDS = 3;
const IS_QUESTION = /^(?:how|what|why|when|which|where|who|can|do|does|is|are)\b/iu;

/**
 * Makes questions from the headings of a vault that stand there once and have three words or more: the
 * answer is what stands below the heading. They are worded as their section is, so they say whether a
 * section is quoted as one, not whether it is found.
 */
export async function headingQuestions(vault: string, folder: string): Promise<KnownQuestion[]> {
  const { notes } = await walkVault(folder);
  const parsed = await Promise.all(
    notes.map(async ({ path, fileName }) => parseNote(path, await readFile(fileName, 'utf8'))),
  );
  const sections = parsed.flatMap((note) => sectionsOf(note));
  const counts = Map.groupBy(sections, ({ heading }) => heading.toLowerCase());
  return sections
    .filter(({ heading }) => heading.split(' ').length >= LEAST_WORDS)
    .filter(({ heading }) => counts.get(heading.toLowerCase())?.length === 1)
    .map(({ heading, path, lines }) => ({
      text: asQuestion(heading),
      vault,
      spans: [],
      notes: new Set([path]),
      lines,
    }));
}

function asQuestion(heading: string): string {
  if (IS_QUESTION.test(heading)) return heading.replace(/\??$/u, '?');
  return `How do I ${heading.slice(0, 1).toLowerCase()}${heading.slice(1)}?`;
}

function sectionsOf(note: Note): {
  readonly heading: string;
  readonly path: string;
  readonly lines: { readonly from: number; readonly to: number };
}[] {
  return note.blocks.flatMap((block, at) => {
    const first = note.blocks[at + 1];
    if (block.kind !== 'heading' || first === undefined || first.kind === 'heading') return [];
    const next = note.blocks.findIndex((other, index) => index > at && other.kind === 'heading');
    const last = note.blocks.at(next === -1 ? -1 : next - 1);
    return last === undefined
      ? []
      : [{ heading: block.text, path: note.path, lines: { from: first.startLine, to: last.endLine } }];
  });
}
