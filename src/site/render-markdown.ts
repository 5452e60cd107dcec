import { calloutHead, inlineText, taskBox } from '../vault/inline-text.ts';
import type { CalloutHead } from '../vault/inline-text.ts';
import { parseInlineMarkdown, parseMarkdown } from '../vault/markdown.ts';
import type { MarkdownToken } from '../vault/markdown.ts';
import { footnoteId, headingId } from './anchor-id.ts';
import { InlineRenderer } from './render-inline.ts';
import type { LinkAddresses } from './render-inline.ts';
import { escapeHtml } from './safe-link.ts';

/** Block elements that open and close without further ado, by the start of their token type. */
const CONTAINERS: ReadonlyMap<string, string> = new Map([
  ['bullet_list', 'ul'],
  ['ordered_list', 'ol'],
  ['table', 'table'],
  ['thead', 'thead'],
  ['tbody', 'tbody'],
  ['tr', 'tr'],
  ['th', 'th'],
  ['td', 'td'],
]);

/**
 * Renders block tokens to HTML. Every element and attribute is written here, from an allow-list by
 * construction; text goes through one escaping function. Block elements carry `data-line` and
 * `data-end-line`, lines on disk from 1, both included.
 */
export class MarkdownRenderer {
  readonly #inline: InlineRenderer;
  readonly #sourceLines: readonly string[];
  readonly #firstLine: number;
  readonly #ids: Map<string, number> = new Map();
  /** Closing tags of the open containers, innermost last. */
  readonly #open: string[] = [];
  #tokens: readonly MarkdownToken[] = [];

  /** `lines` are the body's, `firstLine` is where on disk they begin. */
  constructor(addresses: LinkAddresses, lines: readonly string[], firstLine: number) {
    this.#inline = new InlineRenderer(addresses);
    this.#sourceLines = lines;
    this.#firstLine = firstLine;
  }

  render(tokens: readonly MarkdownToken[]): string {
    this.#tokens = tokens;
    let html = '';
    for (let index = 0; index < tokens.length; index += 1) {
      const token = tokens[index];
      if (token) html += this.#renderToken(token, index);
    }
    return html;
  }

  #renderToken(token: MarkdownToken, index: number): string {
    if (token.nesting === -1) return this.#close(token);
    const name = CONTAINERS.get(token.type.replace(/_open$/, ''));
    if (name !== undefined) return this.#openElement(name, token);
    switch (token.type) {
      case 'paragraph_open':
        return this.#paragraph(token, index);
      case 'heading_open':
        return this.#heading(token, index);
      case 'list_item_open':
        return this.#listItem(token, index);
      case 'blockquote_open':
        return this.#quote(token, index);
      case 'footnote_open':
        return this.#footnote(token);
      case 'inline':
        return this.#inlineText(token, index);
      default:
        return this.#leaf(token);
    }
  }

  #push(name: string, attributes: string): string {
    this.#open.push(`</${name}>`);
    return `<${name}${attributes}>`;
  }

  #close(token: MarkdownToken): string {
    const close = this.#open.pop() ?? '';
    return close === '' || (token.type === 'paragraph_close' && token.hidden) ? close : `${close}\n`;
  }

  #paragraph(token: MarkdownToken, index: number): string {
    const head = this.#calloutAbove(index + 1);
    const onlyHead = head !== undefined && head.length >= (this.#tokens[index + 1]?.content.length ?? 0);
    if (onlyHead) {
      this.#open.push('');
      return '';
    }
    // In a tight list the paragraph is no element, but its lines still can be cited.
    return this.#push(token.hidden ? 'span' : 'p', this.#lines(token));
  }

  #lines(token: MarkdownToken): string {
    if (token.map === null) return '';
    const [first] = token.map;
    let end = Math.max(first + 1, Math.min(token.map[1], this.#sourceLines.length));
    while (end > first + 1 && (this.#sourceLines[end - 1] ?? '').trim() === '') end -= 1;
    return ` data-line="${first + this.#firstLine}" data-end-line="${end - 1 + this.#firstLine}"`;
  }

  #openElement(name: string, token: MarkdownToken): string {
    const start = name === 'ol' ? Number(token.attrGet('start') ?? 1) : 1;
    const align = /text-align:(left|center|right)/.exec(String(token.attrGet('style') ?? ''))?.[1];
    const startAttribute = start === 1 || !Number.isSafeInteger(start) ? '' : ` start="${start}"`;
    const alignAttribute = align === undefined ? '' : ` class="align-${align}"`;
    return this.#push(name, `${startAttribute}${alignAttribute}${this.#lines(token)}`);
  }

  #heading(token: MarkdownToken, index: number): string {
    const level = /^h[1-6]$/.test(token.tag) ? token.tag : 'h6';
    const id = this.#uniqueId(headingId(inlineText(this.#tokens[index + 1]?.children ?? [])));
    return this.#push(level, ` id="${escapeHtml(id)}"${this.#lines(token)}`);
  }

  #uniqueId(id: string): string {
    const count = this.#ids.get(id) ?? 0;
    this.#ids.set(id, count + 1);
    return count === 0 ? id : `${id}-${count}`;
  }

  /** The first text of the list item at `index`, if it begins with one. */
  #itemText(index: number): string {
    return this.#tokens[index + 1]?.type === 'paragraph_open' ? (this.#tokens[index + 2]?.content ?? '') : '';
  }

  #listItem(token: MarkdownToken, index: number): string {
    const task = taskBox(this.#itemText(index)) !== undefined;
    return this.#push('li', `${task ? ' class="task"' : ''}${this.#lines(token)}`);
  }

  #quote(token: MarkdownToken, index: number): string {
    const head = calloutHead(this.#itemText(index));
    if (head === undefined) return this.#push('blockquote', this.#lines(token));
    const type = /^[\p{L}\p{N}_-]{1,40}$/u.test(head.type) ? head.type : 'note';
    const [name, titleName] = head.fold === '' ? ['div', 'div'] : ['details', 'summary'];
    const open = head.fold === '+' ? ' open' : '';
    const line = (token.map?.[0] ?? 0) + this.#firstLine;
    const title = head.title === '' ? escapeHtml(capitalised(head.type)) : this.#inlineOf(head.title);
    return (
      this.#push(name, ` class="callout" data-callout="${escapeHtml(type)}"${open}${this.#lines(token)}`) +
      `<${titleName} class="callout-title" data-line="${line}" data-end-line="${line}">${title}</${titleName}>\n`
    );
  }

  /** Head of the callout whose first text is the inline token at `index`. */
  #calloutAbove(index: number): CalloutHead | undefined {
    if (this.#tokens[index - 2]?.type !== 'blockquote_open') return undefined;
    return calloutHead(this.#tokens[index]?.content ?? '');
  }

  #footnote(token: MarkdownToken): string {
    const id = this.#uniqueId(footnoteId(token.info));
    const open = this.#push('div', ` class="footnote" id="${escapeHtml(id)}"${this.#lines(token)}`);
    return `${open}<sup>${escapeHtml(token.info)}</sup> `;
  }

  #inlineText(token: MarkdownToken, index: number): string {
    const head = this.#calloutAbove(index);
    if (head) return this.#inlineOf(token.content.slice(head.length));
    const inItem = this.#tokens[index - 2]?.type === 'list_item_open';
    const box = inItem ? taskBox(token.content) : undefined;
    if (box === undefined) return this.#inline.render(token.children ?? []);
    const checked = box.mark === ' ' ? '' : ' checked';
    return `<input type="checkbox" disabled${checked}> ${this.#inlineOf(token.content.slice(box.length))}`;
  }

  #inlineOf(text: string): string {
    return this.#inline.render(parseInlineMarkdown(text));
  }

  #leaf(token: MarkdownToken): string {
    const text = escapeHtml(token.content);
    const lines = this.#lines(token);
    switch (token.type) {
      case 'fence':
      case 'code_block':
        return `<pre${lines}><code${languageClass(token.info)}>${text}</code></pre>\n`;
      case 'math_block':
        return `<pre class="math"${lines}><code>${text}</code></pre>\n`;
      case 'html_block':
        return /^\s*<!--/.test(token.content)
          ? ''
          : `<pre class="raw-html"${lines}><code>${text}</code></pre>\n`;
      case 'hr':
        return `<hr${lines}>\n`;
      default:
        return '';
    }
  }
}

function languageClass(info: string): string {
  const language = info.trim().split(/[\s{,]/)[0] ?? '';
  return /^[\p{L}\p{N}_+#.-]{1,40}$/u.test(language)
    ? ` class="language-${escapeHtml(language.toLowerCase())}"`
    : '';
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Renders Markdown that a model wrote: the same rules, and no links into a vault. */
export function renderAnswer(markdown: string): string {
  const addresses: LinkAddresses = { pathOf: () => undefined, noteUrl: () => '', assetUrl: () => '' };
  const lines = markdown.split(/\r\n|\n|\r/);
  return new MarkdownRenderer(addresses, lines, 1).render(parseMarkdown(markdown));
}
