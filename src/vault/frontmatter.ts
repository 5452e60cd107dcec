import { parse as parseYaml } from 'yaml';
import { messageOf } from '../shared/errors.ts';
import { simpleYaml } from './simple-yaml.ts';
import type { Link, NoteWarning } from './note.ts';
import { findWikilinkEnd, parseWikilink } from './wikilink.ts';

/** The properties at the head of a note. */
export type FrontMatter = {
  readonly properties: Readonly<Record<string, unknown>>;
  /** Number of lines it takes, both `---` included; 0 when there is none. */
  readonly lineCount: number;
  readonly links: readonly Link[];
  readonly warnings: readonly NoteWarning[];
};

/** Longest front matter that is parsed, in characters: a parser of YAML is not linear in all input. */
const LONGEST = 262_144;

/** Number of lines of the front matter, both delimiters included; 0 when the note has none. */
export function frontMatterLength(lines: readonly string[]): number {
  if (lines[0]?.trimEnd() !== '---') return 0;
  for (let index = 1; index < lines.length; index += 1) {
    if (lines[index]?.trimEnd() === '---') return index + 1;
  }
  return 0;
}

/** Reads the properties of a note. What cannot be read is a warning and yields no properties. */
export function parseFrontMatter(lines: readonly string[]): FrontMatter {
  const lineCount = frontMatterLength(lines);
  if (lineCount === 0) return { properties: {}, lineCount, links: [], warnings: [] };
  const inner = lines.slice(1, lineCount - 1);
  const { properties, warnings } = parseProperties(inner);
  const links = inner.some((line) => line.includes('[[')) ? propertyLinks(properties, inner) : [];
  return { properties, lineCount, links, warnings };
}

type Parsed = Pick<FrontMatter, 'properties' | 'warnings'>;

function parseProperties(lines: readonly string[]): Parsed {
  const simple = simpleYaml(lines);
  if (simple !== undefined) return { properties: simple, warnings: [] };
  const text = lines.join('\n');
  if (text.length > LONGEST)
    return invalid(`the properties are longer than ${LONGEST} characters and were not read`);
  try {
    const value: unknown = parseYaml(text, { uniqueKeys: false, logLevel: 'error', prettyErrors: false });
    if (value === null || value === undefined) return { properties: {}, warnings: [] };
    if (typeof value !== 'object' || Array.isArray(value))
      return invalid('the properties are not a list of names and values');
    return { properties: Object.fromEntries(Object.entries(value)), warnings: [] };
  } catch (error) {
    return invalid(
      `the properties are not valid YAML: ${messageOf(error).split('\n')[0] ?? ''}`,
      lineOfError(error, text),
    );
  }
}

function invalid(message: string, line = 1): Parsed {
  return { properties: {}, warnings: [{ line, message }] };
}

function lineOfError(error: unknown, text: string): number {
  if (!(error instanceof Error) || !('pos' in error) || !Array.isArray(error.pos)) return 1;
  const offset: unknown = error.pos[0];
  if (typeof offset !== 'number') return 1;
  return 2 + (text.slice(0, offset).match(/\n/g)?.length ?? 0);
}

/** `[[links]]` in the values, each at the line where it is written. */
function propertyLinks(properties: Readonly<Record<string, unknown>>, lines: readonly string[]): Link[] {
  const inners: string[] = [];
  for (const value of stringsOf(properties)) inners.push(...wikilinksIn(value));
  let at = 0;
  return inners.map((inner) => {
    const head = `[[${inner}`.slice(0, 40);
    const after = lines.findIndex((line, index) => index >= at && line.includes(head));
    if (after >= 0) at = after;
    return Object.assign({ kind: 'link' as const, line: at + 2 }, parseWikilink(inner));
  });
}

/** Every string in a value of YAML, in order. The stack is explicit: nesting is the author's to choose. */
function stringsOf(value: unknown): string[] {
  const found: string[] = [];
  const pending: unknown[] = [value];
  while (pending.length > 0 && found.length < 10_000) {
    const current = pending.pop();
    if (typeof current === 'string') found.push(current);
    else if (typeof current === 'object' && current !== null)
      pending.push(...Object.values(current).reverse());
  }
  return found;
}

function wikilinksIn(text: string): string[] {
  const found: string[] = [];
  for (let open = text.indexOf('[['); open >= 0; open = text.indexOf('[[', open + 2)) {
    const end = findWikilinkEnd(text, open + 2);
    if (end >= 0) found.push(text.slice(open + 2, end));
  }
  return found;
}

/** First of the named properties that is there, as strings; a single string is split at commas. */
export function stringList(
  properties: Readonly<Record<string, unknown>>,
  names: readonly string[],
): string[] {
  const name = names.find(
    (candidate) => properties[candidate] !== undefined && properties[candidate] !== null,
  );
  const value = name === undefined ? undefined : properties[name];
  const parts = Array.isArray(value) ? value : typeof value === 'string' ? value.split(/[,\n]/) : [value];
  return parts
    .filter((part): part is string | number => typeof part === 'string' || typeof part === 'number')
    .map((part) => String(part).trim())
    .filter((part) => part !== '');
}
