import MarkdownParser from 'markdown-it';
import type { MarkdownIt, StateCore, StateInline, Token } from 'markdown-it';
import { addBlockRules } from './markdown-block.ts';
import { addInlineRules } from './markdown-inline.ts';

/** A token of markdown-it, with Obsidian's kinds added. */
export type MarkdownToken = Token;

/**
 * Longest run of text whose inline syntax is read. Each delimiter costs about 200 bytes while it is
 * open, so a single line of megabytes of `*` would otherwise take the process's memory.
 */
export const LONGEST_INLINE: number = 131_072;

/** Most lines of a document that is read as Markdown; a longer one is data, not prose, and costs memory. */
export const MOST_LINES: number = 100_000;

function createParser(): MarkdownIt {
  const markdown = new MarkdownParser('default', { html: true, linkify: false, typographer: false });
  // Destinations stay as written: what may be followed is decided where they are used.
  markdown.validateLink = () => true;
  markdown.normalizeLink = (url) => url;
  addBlockRules(markdown);
  addInlineRules(markdown);
  markdown.core.ruler.at('inline', parseInline);
  rememberPositions(markdown);
  return markdown;
}

function parseInline(state: StateCore): void {
  for (const token of state.tokens) {
    if (token.type !== 'inline') continue;
    const children: Token[] = [];
    token.children = children;
    if (token.content.length <= LONGEST_INLINE) {
      state.md.inline.parse(token.content, state.md, state.env, children);
    } else {
      const text = new state.Token('text', '', 0);
      text.content = token.content;
      children.push(text);
    }
  }
}

/**
 * Lets links and images know where in their paragraph they began, which markdown-it does not record.
 * A rule that never matches notes the position of each attempt under the index that the token would
 * get; the last attempt at an index is the one that made it.
 */
function rememberPositions(markdown: MarkdownIt): void {
  const attempts = new WeakMap<StateInline, Map<number, number>>();
  markdown.inline.ruler.before('link', 'link_position', (state, silent) => {
    const code = state.src.charCodeAt(state.pos);
    if (silent || (code !== 0x5b && code !== 0x21)) return false;
    const positions = attempts.get(state) ?? new Map<number, number>();
    positions.set(state.tokens.length + (state.pending === '' ? 0 : 1), state.pos);
    attempts.set(state, positions);
    return false;
  });
  markdown.inline.ruler2.before('balance_pairs', 'link_position', (state) => {
    for (const [index, position] of attempts.get(state) ?? []) {
      const token = state.tokens[index];
      if (token?.type === 'link_open' || token?.type === 'image') token.meta = { ...token.meta, position };
    }
  });
}

const parser = createParser();

/**
 * Reads the body of a note: comments already masked, lines joined by `\n`. Token maps count lines
 * from 0 within `body`. Besides markdown-it's own, token types are `wiki_link`, `wiki_embed`, `tag`,
 * `block_id`, `math_inline`, `math_block`, `mark_open`, `footnote_reference`, `footnote_inline_open`,
 * `footnote_open` and `comment`.
 */
export function parseMarkdown(body: string): MarkdownToken[] {
  return parser.parse(body, {});
}

/** Reads text without blocks: a callout's title, a table cell. */
export function parseInlineMarkdown(text: string): MarkdownToken[] {
  return parser.parseInline(text, {})[0]?.children ?? [];
}

/** Where in its paragraph's text a link token begins; 0 when unknown. */
export function positionOf(token: MarkdownToken): number {
  const position = token.meta?.['position'];
  return typeof position === 'number' ? position : 0;
}
