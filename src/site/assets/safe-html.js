/**
 * The server renders notes without anything active. This is the second lock: what arrives is read
 * into an inert document, and only elements and attributes of these lists are made anew.
 */
const ELEMENTS = new Set(
  (
    'a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 ' +
    'h6 hr i img input ins kbd li mark ol p pre q s samp section small span strong sub summary sup table tbody td ' +
    'tfoot th thead tr u ul var'
  ).split(' '),
);
const ATTRIBUTES = new Set(
  (
    'alt aria-hidden aria-label checked class colspan data-callout data-end-line data-line dir height lang open role ' +
    'rowspan scope start title width'
  ).split(' '),
);
/** Pictures inside a note, in formats without script. */
const DATA_IMAGE = /^data:image\/(?:png|jpeg|webp);base64,[A-Za-z0-9+/]+={0,2}$/;
/** The renderer's ids for headings, blocks and footnotes; none of them is a part of the page. */
const ANCHOR = /^(?:h|b|fn)-/;

/**
 * Rebuilds a rendered note.
 *
 * @param {string} html
 * @returns {DocumentFragment}
 */
export function rebuildHtml(html) {
  const fragment = document.createDocumentFragment();
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  for (const child of parsed.body.childNodes) rebuild(child, fragment);
  return fragment;
}

/**
 * Finds a heading or block of a rebuilt note by the fragment of a link.
 *
 * @param {HTMLElement} root
 * @param {string} hash
 * @returns {Element | null}
 */
export function findAnchor(root, hash) {
  if (hash.length < 2) return null;
  return root.querySelector(`#${CSS.escape(decodeURIComponent(hash.slice(1)))}`);
}

/**
 * @param {Node} node
 * @param {Node} parent
 */
function rebuild(node, parent) {
  if (node instanceof Text) parent.appendChild(document.createTextNode(node.data));
  if (!(node instanceof Element) || !ELEMENTS.has(node.localName)) return;
  const made = document.createElement(node.localName);
  for (const { name, value } of node.attributes) {
    if (ATTRIBUTES.has(name)) made.setAttribute(name, value);
  }
  if (ANCHOR.test(node.id)) made.id = node.id;
  if (!keepAddress(node, made)) {
    parent.appendChild(document.createTextNode(node.getAttribute('alt') ?? ''));
    return;
  }
  for (const child of node.childNodes) rebuild(child, made);
  parent.appendChild(made);
}

/**
 * @param {Element} node
 * @param {Element} made
 * @returns {boolean} whether the element may stay
 */
function keepAddress(node, made) {
  if (node.localName === 'img') {
    const source = node.getAttribute('src') ?? '';
    made.setAttribute('src', source);
    made.setAttribute('loading', 'lazy');
    return source.startsWith('/vault-files/') || DATA_IMAGE.test(source);
  }
  if (node.localName === 'input') {
    made.setAttribute('type', 'checkbox');
    made.setAttribute('disabled', '');
    return node.getAttribute('type') === 'checkbox';
  }
  const address = node.getAttribute('href') ?? '';
  if (
    node.localName !== 'a' ||
    !/^(?:\/vault\/|\/vault-files\/|#|https?:\/\/|mailto:|obsidian:\/\/)/i.test(address)
  ) {
    return true;
  }
  made.setAttribute('href', address);
  if (/^https?:/i.test(address)) {
    made.setAttribute('rel', 'noopener noreferrer');
    made.setAttribute('target', '_blank');
  }
  return true;
}
