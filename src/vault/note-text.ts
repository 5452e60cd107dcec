import { maskComments } from './comments.ts';
import { parseFrontMatter } from './frontmatter.ts';
import type { FrontMatter } from './frontmatter.ts';

/** A note's text taken apart, before its Markdown is read. */
export type NoteText = {
  readonly front: FrontMatter;
  /** Lines of the body with comments removed; each stands in its place. */
  readonly lines: readonly string[];
  /** Line on disk, from 1, of the body's first line. */
  readonly firstLine: number;
};

/** Splits a note into properties and body, and removes comments. LF, CRLF, CR and a byte order mark are understood. */
export function readNoteText(text: string): NoteText {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const front = parseFrontMatter(lines);
  return { front, lines: maskComments(lines.slice(front.lineCount)), firstLine: front.lineCount + 1 };
}

/** Obsidian's name of a note: the file name without `.md`. */
export function noteName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.md$/i, '');
}

/** The `title` property where it is a text, else the name. */
export function noteTitle(path: string, properties: Readonly<Record<string, unknown>>): string {
  const { title } = properties;
  return typeof title === 'string' && title.trim() !== '' ? title.trim() : noteName(path);
}
