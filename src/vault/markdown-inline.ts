import type { MarkdownIt, StateInline } from 'markdown-it';
import { findWikilinkEnd } from './wikilink.ts';

/*
 * Inline rules for what Obsidian adds to Markdown. A rule sees the state at one position, pushes a
 * token and moves on; in silent mode it only moves. All of them look ahead a bounded distance or
 * remember where they looked, because notes are untrusted and may repeat an opener a million times.
 */

const HASH = 0x23;
const DOLLAR = 0x24;
const PERCENT = 0x25;
const EQUALS = 0x3d;
const OPEN_BRACKET = 0x5b;
const CARET = 0x5e;

const TAG = /(?:[\p{L}\p{N}\p{M}\p{So}\p{Emoji_Modifier}_/-]|\u200d)+/uy;
const BEFORE_TAG = /[\s(>"'“„«,;|*_~=。、,]/u;
const BLOCK_ID = /\^([A-Za-z0-9-]+)[ \t]*$/y;
const FOOTNOTE_REFERENCE = /\[\^([^\]\s^[]{1,200})\]/y;

function matchAt(pattern: RegExp, text: string, position: number): RegExpExecArray | null {
  pattern.lastIndex = position;
  return pattern.exec(text);
}

function wikilink(state: StateInline, silent: boolean): boolean {
  const { src, pos } = state;
  const embed = src.charCodeAt(pos) === 0x21;
  const open = embed ? pos + 1 : pos;
  if (src.charCodeAt(open) !== OPEN_BRACKET || src.charCodeAt(open + 1) !== OPEN_BRACKET) return false;
  const end = findWikilinkEnd(src, open + 2);
  if (end < 0 || end + 2 > state.posMax) return false;
  if (!silent) {
    const token = state.push(embed ? 'wiki_embed' : 'wiki_link', '', 0);
    token.content = src.slice(open + 2, end);
    token.markup = src.slice(pos, open + 2);
    token.meta = { position: pos };
  }
  state.pos = end + 2;
  return true;
}

function comment(state: StateInline, silent: boolean): boolean {
  const { src, pos } = state;
  if (src.charCodeAt(pos) !== PERCENT || src.charCodeAt(pos + 1) !== PERCENT) return false;
  const end = src.indexOf('%%', pos + 2);
  if (end < 0 || end + 2 > state.posMax) return false;
  if (!silent) state.push('comment', '', 0).hidden = true;
  state.pos = end + 2;
  return true;
}

function tag(state: StateInline, silent: boolean): boolean {
  const { src, pos } = state;
  if (src.charCodeAt(pos) !== HASH) return false;
  if (pos > 0 && !BEFORE_TAG.test(src.charAt(pos - 1))) return false;
  const name = matchAt(TAG, src, pos + 1)?.[0];
  if (name === undefined || /^\d+$/.test(name) || pos + 1 + name.length > state.posMax) return false;
  if (!silent) state.push('tag', '', 0).content = name;
  state.pos = pos + 1 + name.length;
  return true;
}

function caret(state: StateInline, silent: boolean): boolean {
  if (state.src.charCodeAt(state.pos) !== CARET) return false;
  return state.src.charCodeAt(state.pos + 1) === OPEN_BRACKET
    ? inlineFootnote(state, silent)
    : blockId(state, silent);
}

function blockId(state: StateInline, silent: boolean): boolean {
  const { src, pos } = state;
  // Obsidian wants a blank before the id, but takes it right after a link or an embed.
  if (pos > 0 && !/[\s\]]/.test(src.charAt(pos - 1))) return false;
  const match = matchAt(BLOCK_ID, src, pos);
  if (match === null || pos + match[0].length > state.posMax) return false;
  if (!silent) state.push('block_id', '', 0).content = match[1] ?? '';
  state.pos = pos + match[0].length;
  return true;
}

function inlineFootnote(state: StateInline, silent: boolean): boolean {
  const { pos, posMax } = state;
  const end = state.md.helpers.parseLinkLabel(state, pos + 1);
  if (end < 0) return false;
  if (!silent) {
    state.push('footnote_inline_open', 'span', 1);
    state.pos = pos + 2;
    state.posMax = end;
    state.md.inline.tokenize(state);
    state.push('footnote_inline_close', 'span', -1);
  }
  state.pos = end + 1;
  state.posMax = posMax;
  return true;
}

function footnoteReference(state: StateInline, silent: boolean): boolean {
  const { src, pos } = state;
  if (src.charCodeAt(pos) !== OPEN_BRACKET || src.charCodeAt(pos + 1) !== CARET) return false;
  const match = matchAt(FOOTNOTE_REFERENCE, src, pos);
  if (match === null || pos + match[0].length > state.posMax) return false;
  if (!silent) state.push('footnote_reference', '', 0).content = match[1] ?? '';
  state.pos = pos + match[0].length;
  return true;
}

type Closer = { readonly from: number; readonly at: number };

/** Position of the next `$` that can close inline math, or -1. */
function nextMathCloser(src: string, from: number): number {
  for (let at = src.indexOf('$', from); at >= 0; at = src.indexOf('$', at + 1)) {
    const before = src.charCodeAt(at - 1);
    const after = src.charCodeAt(at + 1);
    const spaceBefore = before === 0x20 || before === 0x09 || before === 0x0a;
    const digitAfter = after >= 0x30 && after <= 0x39;
    if (!spaceBefore && !digitAfter && before !== 0x5c) return at;
  }
  return -1;
}

/**
 * `$…$` and `$$…$$` within a paragraph. The next closer is remembered per paragraph: without that a
 * paragraph of unclosed `$` costs quadratic time.
 */
function createMathRule(): (state: StateInline, silent: boolean) => boolean {
  const closers = new WeakMap<StateInline, Closer>();
  const closerAfter = (state: StateInline, from: number): number => {
    const known = closers.get(state);
    if (known && from >= known.from && (known.at < 0 || from <= known.at)) return known.at;
    const at = nextMathCloser(state.src, from);
    closers.set(state, { from, at });
    return at;
  };
  return (state, silent) => {
    const { src, pos } = state;
    if (src.charCodeAt(pos) !== DOLLAR) return false;
    const width = src.charCodeAt(pos + 1) === DOLLAR ? 2 : 1;
    const start = pos + width;
    if (width === 1 && /\s/.test(src.charAt(start))) return false;
    const end = closerAfter(state, start + 1);
    if (end < 0 || end + width > state.posMax) return false;
    if (width === 2 && src.charCodeAt(end + 1) !== DOLLAR) return false;
    if (!silent) {
      const token = state.push('math_inline', '', 0);
      token.content = src.slice(start, end);
      token.markup = width === 2 ? '$$' : '$';
    }
    state.pos = end + width;
    return true;
  };
}

function highlight(state: StateInline, silent: boolean): boolean {
  if (silent || state.src.charCodeAt(state.pos) !== EQUALS) return false;
  const run = state.scanDelims(state.pos, true);
  if (run.length !== 2) return false;
  state.push('text', '', 0).content = '==';
  state.delimiters.push({
    marker: EQUALS,
    length: 0,
    token: state.tokens.length - 1,
    end: -1,
    open: run.can_open,
    close: run.can_close,
  });
  state.pos += 2;
  return true;
}

/** Turns paired `==` delimiters into a `mark` element, after markdown-it has balanced them. */
function pairHighlights(state: StateInline): void {
  const lists = [state.delimiters, ...state.tokens_meta.map((meta) => meta?.delimiters ?? [])];
  for (const delimiters of lists) {
    for (const opener of delimiters) {
      const closer = opener.marker === EQUALS && opener.end >= 0 ? delimiters[opener.end] : undefined;
      if (closer === undefined) continue;
      retype(state, opener.token, 1);
      retype(state, closer.token, -1);
    }
  }
}

function retype(state: StateInline, index: number, nesting: 1 | -1): void {
  const token = state.tokens[index];
  if (token === undefined) return;
  token.type = nesting === 1 ? 'mark_open' : 'mark_close';
  token.tag = 'mark';
  token.nesting = nesting;
  token.content = '';
}

/** Adds Obsidian's inline syntax. Code wins over math, math and comments over links. */
export function addInlineRules(markdown: MarkdownIt): void {
  const { ruler, ruler2 } = markdown.inline;
  ruler.before('link', 'math', createMathRule());
  ruler.before('link', 'comment', comment);
  ruler.before('link', 'wikilink', wikilink);
  ruler.before('link', 'footnote_reference', footnoteReference);
  ruler.before('link', 'caret', caret);
  ruler.before('link', 'tag', tag);
  ruler.before('link', 'highlight', highlight);
  ruler2.before('emphasis', 'highlight', pairHighlights);
}
