import { inlineText } from './inline-text.ts';
import { positionOf } from './markdown.ts';
import type { MarkdownToken } from './markdown.ts';
import type { BlockId, Link } from './note.ts';
import { isExternal, parseLinkPath, parseWikilink, percentDecode } from './wikilink.ts';

/** Links, tags and block ids of a note's text. */
export type NoteReferences = {
  readonly links: readonly Link[];
  /** As written, without `#`, in order, repeated. */
  readonly tags: readonly string[];
  readonly blockIds: readonly BlockId[];
};

type Range = readonly [number, number];

/** Reads what a note's text refers to and what can be referred to in it. */
export class ReferenceCollector {
  readonly #tokens: readonly MarkdownToken[];
  readonly #lines: readonly string[];
  readonly #firstLine: number;
  readonly #links: Link[] = [];
  readonly #tags: string[] = [];
  readonly #blockIds: BlockId[] = [];
  /** Ranges of the open block tokens, outermost first. */
  readonly #open: { readonly type: string; readonly range: Range }[] = [];
  /** Range of the last closed block at each level. */
  readonly #closed: Map<number, Range> = new Map();

  /** `lines` are the body's; `firstLine` is the line on disk, from 1, of the first of them. */
  constructor(tokens: readonly MarkdownToken[], lines: readonly string[], firstLine: number) {
    this.#tokens = tokens;
    this.#lines = lines;
    this.#firstLine = firstLine;
  }

  collect(): NoteReferences {
    for (const token of this.#tokens) this.#visit(token);
    return { links: this.#links, tags: this.#tags, blockIds: this.#blockIds };
  }

  #visit(token: MarkdownToken): void {
    const range = token.map ?? this.#open.at(-1)?.range ?? [0, 0];
    if (token.nesting === 1) this.#open.push({ type: token.type, range });
    if (token.nesting === 0) {
      if (token.type === 'inline') this.#visitInline(token, range);
      else this.#closed.set(token.level, range);
    }
    if (token.nesting !== -1) return;
    const opened = this.#open.pop();
    if (opened && !(token.type === 'paragraph_close' && this.#isOnlyBlockId))
      this.#closed.set(token.level, opened.range);
    this.#isOnlyBlockId = false;
  }

  #isOnlyBlockId = false;

  #visitInline(token: MarkdownToken, range: Range): void {
    const children = token.children ?? [];
    let line = range[0];
    let counted = 0;
    for (const child of children) {
      if (child.type === 'tag') this.#tags.push(child.content);
      else if (child.type === 'block_id') this.#addBlockId(child.content, children, range);
      else if (isLink(child)) {
        const position = positionOf(child);
        line += newlinesBetween(token.content, counted, position);
        counted = Math.max(counted, position);
        this.#addLink(child, children, line + this.#firstLine);
      }
    }
  }

  #addLink(token: MarkdownToken, siblings: readonly MarkdownToken[], line: number): void {
    if (token.type === 'wiki_link' || token.type === 'wiki_embed') {
      const kind = token.type === 'wiki_embed' ? 'embed' : 'link';
      const parts = parseWikilink(token.content);
      const leads = parts.target !== '' || parts.headings.length > 0 || parts.blockId !== undefined;
      if (leads) this.#links.push({ kind, ...parts, line });
      return;
    }
    this.#addMarkdownLink(token, siblings, line);
  }

  #addMarkdownLink(token: MarkdownToken, siblings: readonly MarkdownToken[], line: number): void {
    const image = token.type === 'image';
    const destination = String(token.attrGet(image ? 'src' : 'href') ?? '');
    if (destination === '' || isExternal(destination)) return;
    const display = image ? inlineText(token.children ?? []) : inlineText(insideLink(siblings, token));
    const parts = parseLinkPath(destination);
    this.#links.push({
      kind: image ? 'embed' : 'link',
      target: percentDecode(parts.target),
      headings: parts.headings.map(percentDecode),
      ...(parts.blockId === undefined ? {} : { blockId: parts.blockId }),
      ...(display === '' ? {} : { display }),
      line,
    });
  }

  #addBlockId(id: string, siblings: readonly MarkdownToken[], range: Range): void {
    const alone = siblings.length === 1;
    const level = this.#open.length - 1;
    this.#isOnlyBlockId = alone;
    const [start, end] = this.#container(alone ? this.#closed.get(level) : undefined) ?? range;
    this.#blockIds.push({ id, startLine: start + this.#firstLine, endLine: this.#lastLine(start, end) });
  }

  /** Line on disk of the last line before `end` that is not blank. */
  #lastLine(start: number, end: number): number {
    let last = Math.max(start, Math.min(end, this.#lines.length) - 1);
    while (last > start && (this.#lines[last] ?? '').trim() === '') last -= 1;
    return last + this.#firstLine;
  }

  /**
   * The block that an id addresses: the table it stands in, the block `above` it where it stands
   * alone, else the list item or the whole quote that it ends.
   */
  #container(above: Range | undefined): Range | undefined {
    const openOf = (type: string): Range | undefined =>
      this.#open.findLast((entry) => entry.type === type)?.range;
    const outermostQuote = this.#open.find((entry) => entry.type === 'blockquote_open')?.range;
    return openOf('table_open') ?? above ?? openOf('list_item_open') ?? outermostQuote;
  }
}

function isLink(token: MarkdownToken): boolean {
  return (
    token.type === 'wiki_link' ||
    token.type === 'wiki_embed' ||
    token.type === 'link_open' ||
    token.type === 'image'
  );
}

function newlinesBetween(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

function insideLink(tokens: readonly MarkdownToken[], open: MarkdownToken): readonly MarkdownToken[] {
  const start = tokens.indexOf(open) + 1;
  const end = tokens.findIndex((token, index) => index >= start && token.type === 'link_close');
  return tokens.slice(start, end < 0 ? tokens.length : end);
}
