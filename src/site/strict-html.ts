import assert from 'node:assert/strict';

/*
 * The output is read by a parser much stricter than a browser's: whatever is not plain text, an
 * allowed element with allowed attributes in double quotes, or its end in the right place, fails.
 */

const LINES = ['data-line', 'data-end-line'];
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((name) => [name, ['id', ...LINES]])),
  ...Object.fromEntries(
    ['p', 'ul', 'blockquote', 'table', 'thead', 'tbody', 'tr', 'hr'].map((name) => [name, LINES]),
  ),
  ...Object.fromEntries(['strong', 'em', 's', 'mark', 'sup', 'br'].map((name) => [name, []])),
  ol: ['start', ...LINES],
  li: ['class', ...LINES],
  th: ['class'],
  td: ['class'],
  pre: ['class', ...LINES],
  code: ['class'],
  span: ['class', 'id', ...LINES],
  div: ['class', 'data-callout', 'id', ...LINES],
  details: ['class', 'data-callout', 'open', ...LINES],
  summary: ['class', ...LINES],
  a: ['href', 'class', 'rel'],
  img: ['src', 'alt', 'width', 'height', 'loading'],
  input: ['type', 'disabled', 'checked'],
};
const VOID: ReadonlySet<string> = new Set(['br', 'hr', 'img', 'input']);
const CLASS =
  /^(?:(?:internal|external|unresolved|footnote)-link(?: embed)?|tag|task|math|callout|callout-title|block-id|footnote|raw-html|align-(?:left|right|center)|language-[\p{L}\p{N}_+#.-]+)$/u;

const TAG = /<(\/?)([a-z][a-z0-9]*)((?: [a-z-]+(?:="[^"<>]*")?)*)>/y;
const ATTRIBUTE = / ([a-z-]+)(?:="([^"<>]*)")?/g;

function decode(text: string): string {
  const names: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
  assert.doesNotMatch(text, /&(?!(?:amp|lt|gt|quot|#39);)/, 'every ampersand is escaped');
  return text.replace(/&([a-z#0-9]+);/g, (_, name: string) => names[name] ?? '');
}

/** Where a browser would go: the scheme after its own cleaning, and the host. */
function assertHarmlessAddress(value: string, name: string): void {
  const url = new URL(decode(value), 'https://own.test/page');
  const own = url.host === 'own.test' && url.protocol === 'https:';
  if (name === 'src')
    assert.ok(own || /^data:image\/(?:png|jpeg|webp);base64,[A-Za-z0-9+/=]+$/.test(value), `src ${value}`);
  else assert.ok(['https:', 'http:', 'mailto:', 'obsidian:'].includes(url.protocol), `href ${value}`);
}

/** What the value of an attribute must look like, whatever the element. */
const VALUES: Readonly<Record<string, RegExp>> = {
  class: CLASS,
  id: /^(?:h|b|fn)-/,
  type: /^checkbox$/,
  'data-callout': /^[\p{L}\p{N}_-]+$/u,
};

function checkAttributes(element: string, text: string): void {
  const attributes = new Map([...text.matchAll(ATTRIBUTE)].map(([, name = '', value = '']) => [name, value]));
  for (const [name, value] of attributes) {
    assert.ok(ALLOWED[element]?.includes(name), `<${element} ${name}>`);
    if (name === 'href' || name === 'src') assertHarmlessAddress(value, name);
    const pattern = VALUES[name];
    if (pattern) assert.match(decode(value), pattern);
  }
  const external = /^(?:https?|mailto|obsidian):/i.test(attributes.get('href') ?? '');
  if (external) assert.equal(attributes.get('rel'), 'noopener noreferrer nofollow');
}

/**
 * Asserts, for tests, that HTML holds nothing but allowed elements and attributes.
 * @throws AssertionError that shows what it found.
 */
export function assertSafe(html: string): void {
  const open: string[] = [];
  let position = 0;
  for (let at = html.indexOf('<'); at >= 0; at = html.indexOf('<', position)) {
    decode(html.slice(position, at));
    assert.doesNotMatch(html.slice(position, at), />/, 'text holds no bare angle bracket');
    TAG.lastIndex = at;
    const match = TAG.exec(html);
    assert.ok(match, `a strict tag at ${JSON.stringify(html.slice(at, at + 60))}`);
    const [whole, slash, name = '', attributes = ''] = match;
    assert.ok(Object.hasOwn(ALLOWED, name), `<${name}> is allowed`);
    if (slash === '/') assert.equal(open.pop(), name);
    else if (!VOID.has(name)) open.push(name);
    checkAttributes(name, attributes);
    position = at + whole.length;
  }
  decode(html.slice(position));
  assert.doesNotMatch(html.slice(position), />/);
  assert.deepEqual(open, [], 'every element is closed');
}
