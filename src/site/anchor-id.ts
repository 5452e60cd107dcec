/*
 * Ids carry a prefix: an element with the id `location` or `forms` would take the place of that
 * property of the page's window or document.
 */

/** Id of a heading: its letters and digits in any script, joined by `-`. */
export function headingId(text: string): string {
  const slug = text
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}]+/gu, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 100);
  return `h-${slug}`;
}

/** Id of a block that carries `^id`. */
export function blockAnchorId(id: string): string {
  return `b-${id.replace(/[^A-Za-z0-9-]+/g, '-').toLowerCase()}`;
}

/** Id of a footnote by its label. */
export function footnoteId(label: string): string {
  return `fn-${label.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-')}`;
}

/** Fragment for a link's `#Heading` or `#^block`; `undefined` for a link to the note as a whole. */
export function anchorOf(link: {
  readonly headings: readonly string[];
  readonly blockId?: string;
}): string | undefined {
  if (link.blockId !== undefined) return blockAnchorId(link.blockId);
  const heading = link.headings.at(-1);
  return heading === undefined ? undefined : headingId(heading);
}
