import { textOfHtml } from './html-text.ts';
import { calloutHead, inlineText, withoutTaskBox } from './inline-text.ts';
import type { MarkdownToken } from './markdown.ts';
import type { Block, BlockKind } from './note.ts';

/** A block whose lines still count from 0 within the body; `endLine` is exclusive. */
type Draft = Omit<Block, 'startLine' | 'endLine'> & { readonly map: readonly [number, number] };

/** Index of the token that closes the one at `open`. */
export function closingIndex(tokens: readonly MarkdownToken[], open: number): number {
  const level = tokens[open]?.level;
  for (let index = open + 1; index < tokens.length; index += 1) {
    if (tokens[index]?.level === level && tokens[index]?.nesting === -1) return index;
  }
  return tokens.length;
}

function tableText(tokens: readonly MarkdownToken[]): string {
  const rows: string[][] = [];
  for (const token of tokens) {
    if (token.type === 'tr_open') rows.push([]);
    else if (token.type === 'inline')
      rows.at(-1)?.push(
        inlineText(token.children ?? [])
          .replaceAll('\n', ' ')
          .trim(),
      );
  }
  return rows
    .map((cells) => cells.join(' | '))
    .filter((row) => /[^|\s]/.test(row))
    .join('\n');
}

function leafText(token: MarkdownToken): string {
  switch (token.type) {
    case 'inline':
      return inlineText(token.children ?? []).trim();
    case 'fence':
    case 'code_block':
      return token.content.trimEnd();
    case 'math_block':
      return token.content;
    case 'html_block':
      return textOfHtml(token.content);
    default:
      return '';
  }
}

/** Text of a quote or callout: its paragraphs apart by a blank line, list items by a line break. */
function containerText(tokens: readonly MarkdownToken[]): string {
  let text = '';
  let listDepth = 0;
  let itemStarts = false;
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index];
    if (token === undefined) break;
    listDepth += listNesting(token);
    itemStarts ||= token.type === 'list_item_open';
    const table = token.type === 'table_open' ? closingIndex(tokens, index) : undefined;
    let piece = table === undefined ? leafText(token) : tableText(tokens.slice(index, table));
    index = table ?? index;
    if (token.type === 'inline') {
      if (itemStarts) piece = withoutTaskBox(piece);
      itemStarts = false;
    }
    if (piece !== '') text += (text === '' ? '' : listDepth > 0 ? '\n' : '\n\n') + piece;
  }
  return text;
}

/** How many lists a token opens (1) or closes (-1). */
function listNesting(token: MarkdownToken): number {
  return token.type.endsWith('_list_open') || token.type.endsWith('_list_close') ? token.nesting : 0;
}

function quoteDraft(tokens: readonly MarkdownToken[], map: readonly [number, number]): Draft {
  const text = containerText(tokens);
  const callout = calloutHead(tokens.find((token) => token.type === 'inline')?.content ?? '');
  if (callout === undefined) return { kind: 'quote', map, text };
  const body = calloutHead(text);
  const rest = body === undefined ? text : text.slice(body.length).trim();
  const title = body?.title ?? '';
  return {
    kind: 'callout',
    map,
    text: [title, rest].filter((part) => part !== '').join('\n'),
    info: callout.type,
  };
}

const LEAVES: ReadonlyMap<string, BlockKind> = new Map([
  ['fence', 'code'],
  ['code_block', 'code'],
  ['math_block', 'math'],
  ['html_block', 'html'],
]);

/** Turns markdown-it's tokens into blocks in source order. */
export class BlockCollector {
  readonly #tokens: readonly MarkdownToken[];
  readonly #lines: readonly string[];
  readonly #firstLine: number;
  readonly #blocks: Block[] = [];
  #listDepth = 0;
  /** The last block is a list item that further paragraphs of the same item join. */
  #openItem = false;
  #itemStarts = false;

  /** `firstLine` is the line on disk, from 1, of the body's first line; `lines` are the body's. */
  constructor(tokens: readonly MarkdownToken[], lines: readonly string[], firstLine: number) {
    this.#tokens = tokens;
    this.#lines = lines;
    this.#firstLine = firstLine;
  }

  collect(): Block[] {
    for (let index = 0; index < this.#tokens.length;) index = this.#step(index);
    return this.#blocks;
  }

  #step(index: number): number {
    const token = this.#tokens[index];
    if (token === undefined) return index + 1;
    switch (token.type) {
      case 'heading_open':
        this.#addHeading(token, this.#tokens[index + 1]);
        return index + 3;
      case 'paragraph_open':
        this.#addParagraph(token, this.#tokens[index + 1]);
        return index + 3;
      case 'blockquote_open':
      case 'table_open':
        return this.#addContainer(token, index);
      default:
        this.#track(token);
        this.#addLeaf(token);
        return index + 1;
    }
  }

  #track(token: MarkdownToken): void {
    this.#listDepth += listNesting(token);
    if (token.type === 'list_item_open') this.#itemStarts = true;
    if (token.type !== 'list_item_open' && !token.type.endsWith('_list_open') && token.nesting >= 0) return;
    this.#openItem = false;
  }

  #addHeading(token: MarkdownToken, inline: MarkdownToken | undefined): void {
    if (inline === undefined || token.map === null) return;
    if (this.#listDepth > 0) return this.#addParagraph(token, inline);
    const text = leafText(inline).replaceAll('\n', ' ');
    this.#add({ kind: 'heading', map: token.map, text, level: Number(token.tag.slice(1)) });
  }

  #addParagraph(token: MarkdownToken, inline: MarkdownToken | undefined): void {
    if (inline === undefined || token.map === null) return;
    const inItem = this.#listDepth > 0;
    let text = leafText(inline);
    if (inItem && this.#itemStarts) text = withoutTaskBox(text);
    this.#itemStarts = false;
    if (text === '') return;
    const previous = this.#blocks.at(-1);
    if (inItem && this.#openItem && previous) {
      const endLine = this.#range(token.map)[1];
      this.#blocks[this.#blocks.length - 1] = { ...previous, endLine, text: `${previous.text}\n\n${text}` };
      return;
    }
    this.#add({ kind: inItem ? 'list-item' : 'paragraph', map: token.map, text });
    this.#openItem = inItem;
  }

  #addContainer(token: MarkdownToken, index: number): number {
    const end = closingIndex(this.#tokens, index);
    const inner = this.#tokens.slice(index + 1, end);
    this.#itemStarts = false;
    if (token.map !== null) {
      const draft: Draft =
        token.type === 'table_open'
          ? { kind: 'table', map: token.map, text: tableText(inner) }
          : quoteDraft(inner, token.map);
      this.#add(
        draft.text === '' && draft.kind === 'quote' ? { ...draft, text: this.#unquoted(token.map) } : draft,
      );
    }
    return end + 1;
  }

  /** Quotes nested deeper than the parser follows keep their text, without the marks. */
  #unquoted(map: readonly [number, number]): string {
    return this.#lines
      .slice(...map)
      .map((line) => line.replace(/^[\s>]+/, ''))
      .join('\n')
      .trim();
  }

  #addLeaf(token: MarkdownToken): void {
    const kind = LEAVES.get(token.type);
    if (kind === undefined || token.map === null) return;
    const info = token.type === 'fence' ? (token.info.trim().split(/[\s{,]/)[0] ?? '').toLowerCase() : '';
    this.#itemStarts = false;
    this.#add({ kind, map: token.map, text: leafText(token), ...(info === '' ? {} : { info }) });
  }

  #add(draft: Draft): void {
    this.#openItem = false;
    if (draft.text.trim() === '') return;
    const { map, ...rest } = draft;
    const [startLine, endLine] = this.#range(map);
    this.#blocks.push({ ...rest, startLine, endLine });
  }

  /** Lines on disk of a token's lines, without blank lines at the end. */
  #range(map: readonly [number, number]): [number, number] {
    let end = Math.min(map[1], this.#lines.length);
    while (end > map[0] + 1 && (this.#lines[end - 1] ?? '').trim() === '') end -= 1;
    return [map[0] + this.#firstLine, end - 1 + this.#firstLine];
  }
}
