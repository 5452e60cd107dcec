import type { MarkdownToken } from '../vault/markdown.ts';
import { inlineText } from '../vault/inline-text.ts';
import { displayOf, isExternal, parseLinkPath, parseWikilink, percentDecode } from '../vault/wikilink.ts';
import type { LinkParts } from '../vault/wikilink.ts';
import { anchorOf, blockAnchorId, footnoteId } from './anchor-id.ts';
import { escapeHtml, isOwnAddress, safeDataImage, safeExternalHref } from './safe-link.ts';

/** Where the links of a text lead. */
export type LinkAddresses = {
  /** Vault path that a link's target (as written, percent-decoded) leads to. */
  readonly pathOf: (target: string) => string | undefined;
  readonly noteUrl: (path: string, anchor?: string) => string;
  readonly assetUrl: (path: string) => string;
};

const IMAGE = /\.(?:avif|bmp|gif|jpe?g|png|svg|webp)$/i;
const SIZE = /^(\d{1,4})(?:x(\d{1,4}))?$/;

/** Elements that markdown-it's own inline tokens become, by token type. */
const ELEMENTS: ReadonlyMap<string, string> = new Map([
  ['strong_open', '<strong>'],
  ['strong_close', '</strong>'],
  ['em_open', '<em>'],
  ['em_close', '</em>'],
  ['s_open', '<s>'],
  ['s_close', '</s>'],
  ['mark_open', '<mark>'],
  ['mark_close', '</mark>'],
  ['footnote_inline_open', '<span class="footnote">'],
  ['footnote_inline_close', '</span>'],
  ['softbreak', '<br>\n'],
  ['hardbreak', '<br>\n'],
]);

/** Renders inline tokens. What has no rule here is not rendered: the output is an allow-list by construction. */
export class InlineRenderer {
  readonly #addresses: LinkAddresses;
  /** Closing tags of the open links, innermost last. */
  readonly #links: string[] = [];

  constructor(addresses: LinkAddresses) {
    this.#addresses = addresses;
  }

  render(tokens: readonly MarkdownToken[]): string {
    return tokens.map((token) => this.#renderToken(token)).join('');
  }

  #renderToken(token: MarkdownToken): string {
    const element = ELEMENTS.get(token.type);
    if (element !== undefined) return element;
    switch (token.type) {
      case 'text':
      case 'text_special':
        return escapeHtml(token.content);
      case 'link_open':
        return this.#openLink(token);
      case 'link_close':
        return this.#links.pop() ?? '';
      case 'wiki_link':
        return this.#wikilink(parseWikilink(token.content), '');
      case 'wiki_embed':
        return this.#embed(parseWikilink(token.content));
      case 'image':
        return this.#image(token);
      default:
        return renderPlain(token);
    }
  }

  #openLink(token: MarkdownToken): string {
    const destination = String(token.attrGet('href') ?? '');
    // A link within a link is no HTML: a parser would close the outer one.
    const open = this.#links.some((close) => close === '</a>') ? undefined : this.#linkTag(destination);
    this.#links.push(open === undefined ? '</span>' : '</a>');
    return open ?? '<span class="unresolved-link">';
  }

  #linkTag(destination: string): string | undefined {
    if (isExternal(destination)) {
      const href = safeExternalHref(destination);
      return href === undefined ? undefined : externalLinkTag(href);
    }
    const parts = parseLinkPath(destination);
    const headings = parts.headings.map(percentDecode);
    return this.#internalTag({ ...parts, target: percentDecode(parts.target), headings }, '');
  }

  #internalTag(link: LinkParts, kind: string): string | undefined {
    const path = this.#addresses.pathOf(link.target);
    if (path === undefined) return undefined;
    const isNote = /\.md$/i.test(path);
    const href = isNote ? this.#addresses.noteUrl(path, anchorOf(link)) : this.#addresses.assetUrl(path);
    if (!isOwnAddress(href)) return undefined;
    return `<a href="${escapeHtml(href)}" class="internal-link${kind}">`;
  }

  #wikilink(link: LinkParts, kind: string): string {
    const text = escapeHtml(displayOf(link));
    const open = this.#links.length > 0 ? undefined : this.#internalTag(link, kind);
    return open === undefined ? `<span class="unresolved-link">${text}</span>` : `${open}${text}</a>`;
  }

  #embed(link: LinkParts): string {
    const path = this.#addresses.pathOf(link.target);
    if (path === undefined || !IMAGE.test(path)) return this.#wikilink(link, ' embed');
    return this.#localImage(path, link.display ?? link.target);
  }

  #localImage(path: string, display: string): string {
    const url = this.#addresses.assetUrl(path);
    if (!isOwnAddress(url)) return escapeHtml(display);
    return imageTag(url, display);
  }

  #image(token: MarkdownToken): string {
    const source = String(token.attrGet('src') ?? '');
    const alt = inlineText(token.children ?? []);
    const data = safeDataImage(source);
    if (data !== undefined) return imageTag(data, alt);
    if (isExternal(source)) return this.#remoteImage(source, alt);
    const target = percentDecode(parseLinkPath(source).target);
    const path = target === '' ? undefined : this.#addresses.pathOf(target);
    if (path !== undefined && IMAGE.test(path)) return this.#localImage(path, alt);
    return this.#wikilink({ target, headings: [], ...(alt === '' ? {} : { display: alt }) }, ' embed');
  }

  /** A picture elsewhere becomes a link: fetching it would tell its host who reads which note when. */
  #remoteImage(source: string, alt: string): string {
    const href = safeExternalHref(source);
    const text = escapeHtml(alt === '' ? (href ?? 'image') : alt);
    if (href === undefined || this.#links.length > 0) return `<span class="unresolved-link">${text}</span>`;
    return `${externalLinkTag(href)}${text}</a>`;
  }
}

function externalLinkTag(href: string): string {
  return `<a href="${escapeHtml(href)}" class="external-link" rel="noopener noreferrer nofollow">`;
}

/** `display` is the text after `|`: a size, or words that may end with a size. */
function imageTag(url: string, display: string): string {
  const parts = display.split('|').map((part) => part.trim());
  const size = SIZE.exec(parts.at(-1) ?? '');
  const alt = (size ? parts.slice(0, -1) : parts).join(' ');
  const width = size?.[1] === undefined ? '' : ` width="${size[1]}"`;
  const height = size?.[2] === undefined ? '' : ` height="${size[2]}"`;
  return `<img src="${escapeHtml(url)}" alt="${escapeHtml(alt)}"${width}${height} loading="lazy">`;
}

/** Inline tokens that hold text and nothing else. */
function renderPlain(token: MarkdownToken): string {
  const text = escapeHtml(token.content);
  switch (token.type) {
    case 'code_inline':
      return `<code>${text}</code>`;
    case 'math_inline':
      return `<code class="math">${text}</code>`;
    case 'tag':
      return `<span class="tag">#${text}</span>`;
    case 'block_id':
      return `<span class="block-id" id="${escapeHtml(blockAnchorId(token.content))}"></span>`;
    case 'footnote_reference':
      return `<sup><a href="#${escapeHtml(footnoteId(token.content))}" class="footnote-link">${text}</a></sup>`;
    case 'html_inline':
      return renderTag(token.content);
    default:
      return '';
  }
}

/** Raw HTML is shown as text, except the line break that table cells are full of; comments are hidden. */
function renderTag(html: string): string {
  if (/^<br\s*\/?>$/i.test(html)) return '<br>';
  return html.startsWith('<!--') ? '' : escapeHtml(html);
}
