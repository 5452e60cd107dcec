import { element } from './dom.js';
import { parseMarkdown } from './markdown.js';

/** @typedef {import('./api.js').Source} Source */
/** @typedef {import('./markdown.js').Block} Block */
/** @typedef {import('./markdown-inline.js').Inline} Inline */

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * Draws an answer while it grows. A block that did not change keeps its elements, so that selected
 * text and the keyboard's place survive the stream.
 *
 * @param {HTMLElement} container
 */
export function createAnswerView(container) {
  /** @type {string[]} */
  let drawn = [];
  /** @type {Map<number, Source>} */
  let sources = new Map();

  return {
    /** @param {string} text */
    update(text) {
      const pieces = parseMarkdown(text);
      let same = 0;
      while (same < drawn.length && drawn[same] === pieces[same]?.source) same += 1;
      while (container.childNodes.length > same) container.lastChild?.remove();
      container.append(...pieces.slice(same).map(({ block }) => drawBlock(block, sources)));
      drawn = pieces.map(({ source }) => source);
    },
    /**
     * Turns the numbers that name a source into links.
     *
     * @param {Source[]} list
     * @param {string} text
     */
    cite(list, text) {
      sources = new Map(list.map((source) => [source.index, source]));
      drawn = [];
      this.update(text);
    },
  };
}

/**
 * Names a source for people: heading path and lines.
 *
 * @param {Source} source
 */
export function placeOf(source) {
  const lines =
    source.startLine === source.endLine
      ? `line ${source.startLine}`
      : `lines ${source.startLine}–${source.endLine}`;
  return [...source.headingPath, lines].join(' › ').replace(/ › (lines? [\d–]+)$/, ', $1');
}

/**
 * A link to the cited lines. Addresses come with the answer, so they are checked like everything in it.
 *
 * @param {Source} source
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 */
export function sourceLink(source, attributes, ...children) {
  const url = source.url.startsWith('/vault/') ? source.url : '#';
  return element('a', { href: url, 'data-note': true, ...attributes }, ...children);
}

/**
 * @param {Block} block
 * @param {Map<number, Source>} sources
 * @returns {HTMLElement}
 */
function drawBlock(block, sources) {
  /** @param {Inline[]} nodes */
  const inline = (nodes) => drawInlines(nodes, sources);
  /** @param {Block[]} blocks */
  const inner = (blocks) => blocks.map((each) => drawBlock(each, sources));
  switch (block.type) {
    case 'heading':
      // The page's own headings are above it: an answer starts at the third level.
      return element(/** @type {'h3'} */ (`h${Math.min(block.level + 2, 6)}`), {}, ...inline(block.children));
    case 'code':
      return element('pre', { tabindex: '0' }, element('code', {}, block.text));
    case 'rule':
      return element('hr');
    case 'quote':
      return element('blockquote', {}, ...inner(block.blocks));
    case 'list': {
      const items = block.items.map((blocks) => {
        const [only] = blocks;
        const tight =
          only?.type === 'paragraph' ? [...inline(only.children), ...inner(blocks.slice(1))] : inner(blocks);
        return element('li', {}, ...tight);
      });
      return block.ordered
        ? element('ol', { start: String(block.start) }, ...items)
        : element('ul', {}, ...items);
    }
    case 'table':
      return drawTable(block, inline);
    default:
      return element('p', {}, ...inline(block.children));
  }
}

/**
 * @param {Extract<Block, {type: 'table'}>} table
 * @param {(nodes: Inline[]) => Node[]} inline
 */
function drawTable({ head, rows }, inline) {
  const headings = head.map((cell) => element('th', { scope: 'col' }, ...inline(cell)));
  const body = rows.map((row) => element('tr', {}, ...row.map((cell) => element('td', {}, ...inline(cell)))));
  const table = element(
    'table',
    {},
    element('thead', {}, element('tr', {}, ...headings)),
    element('tbody', {}, ...body),
  );
  return element('div', { class: 'wide', tabindex: '0', role: 'group', 'aria-label': 'Table' }, table);
}

/**
 * @param {Inline[]} nodes
 * @param {Map<number, Source>} sources
 */
function drawInlines(nodes, sources) {
  return nodes.map((node, index) => {
    // A citation never begins a line: it stays with the words that it proves.
    const held = node.type === 'text' && nodes[index + 1]?.type === 'citation';
    return drawInline(held ? { ...node, text: node.text.replace(/ $/, '\u00a0') } : node, sources);
  });
}

/**
 * @param {Inline} node
 * @param {Map<number, Source>} sources
 * @returns {Node}
 */
function drawInline(node, sources) {
  switch (node.type) {
    case 'code':
      return element('code', {}, node.text);
    case 'break':
      return element('br');
    case 'citation':
      return drawCitation(node.index, sources);
    case 'strong':
      return element('strong', {}, ...drawInlines(node.children, sources));
    case 'emphasis':
      return element('em', {}, ...drawInlines(node.children, sources));
    case 'deleted':
      return element('del', {}, ...drawInlines(node.children, sources));
    case 'link':
      return drawLink(node, sources);
    default:
      return document.createTextNode(node.text);
  }
}

/**
 * @param {number} index
 * @param {Map<number, Source>} sources
 */
function drawCitation(index, sources) {
  const source = sources.get(index);
  if (source === undefined) return element('span', { class: 'pending' }, `[${index}]`);
  const label = `Source ${index}: ${source.title}, ${placeOf(source)}`;
  return sourceLink(
    source,
    { class: 'citation', 'aria-label': label, title: label.slice(label.indexOf(':') + 2) },
    String(index),
  );
}

/**
 * Shows where a link leads, since its words may say something else.
 *
 * @param {Extract<Inline, {type: 'link'}>} link
 * @param {Map<number, Source>} sources
 */
function drawLink({ url, children }, sources) {
  const words = drawInlines(children, sources);
  const target = URL.canParse(url) ? new URL(url) : undefined;
  if (target?.protocol !== 'https:' && target?.protocol !== 'http:') return element('span', {}, ...words);
  if (isOwnNote(target))
    return element('a', { href: target.pathname + target.hash, 'data-note': true }, ...words);
  const link = element('a', { href: target.href, rel: 'noopener noreferrer', target: '_blank' }, ...words);
  if (!link.textContent.includes(target.host))
    link.append(element('small', { class: 'host' }, ` (${target.host})`));
  return link;
}

/**
 * Whether an address is a note of this server. It may call itself by another name of this machine than
 * the page was opened with.
 *
 * @param {URL} target
 */
function isOwnNote(target) {
  const here = LOOPBACK.has(target.hostname) && LOOPBACK.has(location.hostname);
  const same = target.host === location.host || (here && target.port === location.port);
  return same && target.pathname.startsWith('/vault/');
}
