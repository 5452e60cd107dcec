import { textOfTag } from './html-text.ts';
import type { MarkdownToken } from './markdown.ts';
import { displayOf, parseWikilink } from './wikilink.ts';

/** Extensions whose embeds show a picture or a player, so that their name is no text of the note. */
const MEDIA = /\.(?:avif|bmp|gif|jpe?g|png|svg|webp|3gp|flac|m4a|mp3|ogg|wav|mkv|mov|mp4|ogv|webm|pdf)$/i;

/** `100` or `100x145`: the size of an embedded image, not a text. */
const SIZE = /^\d+(?:x\d+)?$/i;

/** What a reader sees of inline content, with line breaks, markup and block ids removed. */
export function inlineText(tokens: readonly MarkdownToken[]): string {
  let text = '';
  for (const token of tokens) text += textOf(token);
  return text;
}

/** Tokens whose content is what a reader sees. */
const VERBATIM: ReadonlySet<string> = new Set(['text', 'text_special', 'code_inline', 'math_inline']);

/** Tokens that stand for the same text wherever they are. */
const FIXED: ReadonlyMap<string, string> = new Map([
  ['softbreak', '\n'],
  ['hardbreak', '\n'],
  ['footnote_inline_open', ' ('],
  ['footnote_inline_close', ')'],
]);

function textOf(token: MarkdownToken): string {
  if (VERBATIM.has(token.type)) return token.content;
  switch (token.type) {
    case 'wiki_link':
      return displayOf(parseWikilink(token.content));
    case 'wiki_embed':
      return embedText(token.content);
    case 'tag':
      return `#${token.content}`;
    case 'image':
      return imageText(token);
    case 'html_inline':
      return textOfTag(token.content);
    default:
      return FIXED.get(token.type) ?? '';
  }
}

function embedText(inner: string): string {
  const link = parseWikilink(inner);
  const shown = link.display?.split('|')[0]?.trim() ?? '';
  if (MEDIA.test(link.target)) return SIZE.test(shown) ? '' : shown;
  return displayOf(link);
}

function imageText(token: MarkdownToken): string {
  const shown = (inlineText(token.children ?? []).split('|')[0] ?? '').trim();
  return SIZE.test(shown) ? '' : shown;
}

const TASK = /^\[([^\]\n])\][ \t]+/;

/** The box at the head of a task: what stands in it, and its length in the text; `undefined` for other items. */
export function taskBox(text: string): { readonly mark: string; readonly length: number } | undefined {
  const match = TASK.exec(text);
  return match === null ? undefined : { mark: match[1] ?? ' ', length: match[0].length };
}

/** Text of a list item's first paragraph without its task box. */
export function withoutTaskBox(text: string): string {
  return text.slice(taskBox(text)?.length ?? 0);
}

const CALLOUT = /^\[!([^\]\n|]{1,100})(?:\|[^\]\n]*)?\]([+-]?)[ \t]*([^\n]*)(?:\n|$)/;

/** Head of a callout: `[!type]± title`. */
export type CalloutHead = {
  /** Lower case. */
  readonly type: string;
  readonly fold: '' | '+' | '-';
  /** Empty where the author gave none. */
  readonly title: string;
  /** Length of the head in the text of the quote's first paragraph. */
  readonly length: number;
};

/** Reads a callout's head from the text of a quote's first paragraph. */
export function calloutHead(text: string): CalloutHead | undefined {
  const match = CALLOUT.exec(text);
  if (match === null) return undefined;
  const fold = match[2] === '+' || match[2] === '-' ? match[2] : '';
  return {
    type: (match[1] ?? '').trim().toLowerCase(),
    fold,
    title: (match[3] ?? '').trim(),
    length: match[0].length,
  };
}
