import { messageOf } from '../shared/errors.ts';
import { stringList } from './frontmatter.ts';
import { LONGEST_INLINE, MOST_LINES, parseMarkdown } from './markdown.ts';
import type { MarkdownToken } from './markdown.ts';
import { BlockCollector } from './note-blocks.ts';
import { ReferenceCollector } from './note-references.ts';
import type { NoteReferences } from './note-references.ts';
import { noteName, noteTitle, readNoteText } from './note-text.ts';
import type { Block, Note, NoteWarning } from './note.ts';

type Body = NoteReferences & { readonly blocks: readonly Block[]; readonly warnings: readonly NoteWarning[] };

/**
 * Reads a note. `path` is its path in the vault and `text` the file's content. Never throws: what is
 * wrong with a note is in its `warnings`. Time is linear in the text but for a bounded factor.
 */
export function parseNote(path: string, text: string): Note {
  const { front, lines, firstLine } = readNoteText(text);
  const body = parseBody(lines, firstLine);
  const { properties } = front;
  const { description } = properties;
  return {
    path,
    name: noteName(path),
    title: noteTitle(path, properties),
    properties,
    aliases: [...new Set(stringList(properties, ['aliases', 'alias']))],
    tags: distinctTags([...propertyTags(properties), ...body.tags]),
    description: typeof description === 'string' ? description.trim() : '',
    blocks: body.blocks,
    links: [...front.links, ...body.links],
    blockIds: body.blockIds,
    warnings: [...front.warnings, ...body.warnings],
  };
}

function parseBody(lines: readonly string[], firstLine: number): Body {
  if (lines.length > MOST_LINES) {
    return plainBody(
      lines,
      firstLine,
      `the note has more than ${MOST_LINES} lines and was read as plain text`,
    );
  }
  try {
    const tokens = parseMarkdown(lines.join('\n'));
    const blocks = new BlockCollector(tokens, lines, firstLine).collect();
    const references = new ReferenceCollector(tokens, lines, firstLine).collect();
    return { blocks, ...references, warnings: longTextWarnings(tokens, firstLine) };
  } catch (error) {
    return plainBody(lines, firstLine, `the Markdown could not be read, only its text: ${messageOf(error)}`);
  }
}

function longTextWarnings(tokens: readonly MarkdownToken[], firstLine: number): NoteWarning[] {
  return tokens
    .filter((token) => token.type === 'inline' && token.content.length > LONGEST_INLINE)
    .map((token) => ({
      line: (token.map?.[0] ?? 0) + firstLine,
      message: `a paragraph is longer than ${LONGEST_INLINE} characters; its links and emphasis were not read`,
    }));
}

/** Paragraphs between blank lines: the fallback that keeps a note findable. */
function plainBody(lines: readonly string[], firstLine: number, message: string): Body {
  const blocks: Block[] = [];
  let start = 0;
  for (let index = 0; index <= lines.length; index += 1) {
    if (index < lines.length && (lines[index] ?? '').trim() !== '') continue;
    const text = lines.slice(start, index).join('\n').trim();
    if (text !== '') {
      blocks.push({ kind: 'paragraph', startLine: start + firstLine, endLine: index - 1 + firstLine, text });
    }
    start = index + 1;
  }
  return { blocks, links: [], tags: [], blockIds: [], warnings: [{ line: firstLine, message }] };
}

function propertyTags(properties: Readonly<Record<string, unknown>>): string[] {
  return stringList(properties, ['tags', 'tag'])
    .flatMap((entry) => entry.split(/\s+/))
    .map((entry) => entry.replace(/^#+/, ''))
    .filter((entry) => entry !== '');
}

/** Each tag once, whatever its case, as first written. */
function distinctTags(tags: readonly string[]): string[] {
  const seen = new Map<string, string>();
  for (const tag of tags) {
    const key = tag.toLowerCase();
    if (!seen.has(key)) seen.set(key, tag);
  }
  return [...seen.values()];
}
