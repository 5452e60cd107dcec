import { messageOf } from '../shared/errors.ts';
import { maskComments } from './comments.ts';
import { parseFrontMatter, stringList } from './frontmatter.ts';
import { isReadable, parseMarkdown } from './markdown.ts';
import { BlockCollector } from './note-blocks.ts';
import { ReferenceCollector } from './note-references.ts';
import type { NoteReferences } from './note-references.ts';
import type { Block, Note, NoteWarning } from './note.ts';

/** The lines of a text, whatever ends them (LF, CRLF or CR), without a byte order mark. */
export function splitLines(text: string): string[] {
  return text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
}

type Body = NoteReferences & { readonly blocks: readonly Block[]; readonly warnings: readonly NoteWarning[] };

/**
 * Reads a note. `path` is its path in the vault and `text` the file's content. Never throws: what is
 * wrong with a note is in its `warnings`. Time is linear in the text but for a bounded factor.
 */
export function parseNote(path: string, text: string): Note {
  const lines = splitLines(text);
  const front = parseFrontMatter(lines);
  const body = parseBody(lines.slice(front.lineCount), front.lineCount + 1);
  const { properties } = front;
  const name = (path.split('/').at(-1) ?? path).replace(/\.md$/i, '');
  const { title, description } = properties;
  return {
    path,
    name,
    title: typeof title === 'string' && title.trim() !== '' ? title.trim() : name,
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
  const masked = maskComments(lines);
  if (!isReadable(masked))
    return plainBody(masked, firstLine, 'the note has too many lines and was read as plain text');
  try {
    const tokens = parseMarkdown(masked.join('\n'));
    const blocks = new BlockCollector(tokens, masked, firstLine).collect();
    return { blocks, ...new ReferenceCollector(tokens, firstLine).collect(), warnings: [] };
  } catch (error) {
    return plainBody(masked, firstLine, `the Markdown could not be read, only its text: ${messageOf(error)}`);
  }
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
