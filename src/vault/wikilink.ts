import type { Link } from './note.ts';

/** What stands between `[[` and `]]`, taken apart. */
export type LinkParts = Pick<Link, 'target' | 'headings' | 'blockId' | 'display'>;

/** Longest text between `[[` and `]]` that is read as a link; longer is prose with brackets in it. */
const LONGEST_LINK = 1_024;

/**
 * Takes the inside of a wikilink apart: first at `|` (in tables written `\|`), then at `#`
 * (`A#B#C` is a heading chain, `#^id` a block).
 */
export function parseWikilink(inner: string): LinkParts {
  const bar = inner.indexOf('|');
  const path = (bar < 0 ? inner : inner.slice(0, bar)).replace(/\\$/, '');
  const display = bar < 0 ? '' : inner.slice(bar + 1).trim();
  return { ...parseLinkPath(path), ...(display === '' ? {} : { display }) };
}

/** Takes `target#heading#heading` or `target#^block` apart. */
export function parseLinkPath(path: string): LinkParts {
  const hash = path.indexOf('#');
  const target = (hash < 0 ? path : path.slice(0, hash)).trim();
  if (hash < 0) return { target, headings: [] };
  const parts = path
    .slice(hash + 1)
    .split('#')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const last = parts.at(-1);
  if (last?.startsWith('^') !== true || last.length === 1) return { target, headings: parts };
  return { target, headings: parts.slice(0, -1), blockId: last.slice(1) };
}

/** What Obsidian shows for a link without a text of its own: `Note > Heading`. */
export function displayOf(link: LinkParts): string {
  return link.display ?? [link.target, ...link.headings].filter((part) => part !== '').join(' > ');
}

/**
 * Finds the `]]` that closes a wikilink whose text starts at `start`; -1 when there is none on the
 * line. Stops at another `[[`, so that a run of openers costs linear time.
 */
export function findWikilinkEnd(text: string, start: number): number {
  const limit = Math.min(text.length - 1, start + LONGEST_LINK);
  for (let position = start; position < limit; position += 1) {
    const code = text.charCodeAt(position);
    if (code === 0x0a) return -1;
    const doubled = text.charCodeAt(position + 1) === code;
    if (code === 0x5d && doubled) return position === start ? -1 : position;
    if (code === 0x5b && doubled) return -1;
  }
  return -1;
}

/** Decodes percent escapes that are valid UTF-8 and leaves the others as they stand. */
export function percentDecode(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
    try {
      return decodeURIComponent(run);
    } catch {
      return run;
    }
  });
}

/** Whether a Markdown link's destination leaves the vault: it has a scheme or names a host. */
export function isExternal(destination: string): boolean {
  return /^[a-z][a-z0-9+.-]*:/i.test(destination) || destination.startsWith('//');
}
