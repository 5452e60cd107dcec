/** Elements of HTML: what looks like another tag (`<name>`, `List<String>`) is text to its author. */
const ELEMENTS: ReadonlySet<string> = new Set(
  (
    'a abbr address article aside audio b bdi bdo big blockquote br button canvas caption center cite code col ' +
    'colgroup data dd del details dfn dialog div dl dt em embed fieldset figcaption figure font footer form ' +
    'h1 h2 h3 h4 h5 h6 header hr i iframe img input ins kbd label legend li link main map mark menu meta nav ' +
    'noscript object ol optgroup option output p param picture pre progress q rp rt ruby s samp script section ' +
    'select small source span strike strong style sub summary sup svg table tbody td template textarea tfoot ' +
    'th thead time title tr track tt u ul var video wbr'
  ).split(' '),
);

const BREAKS: ReadonlySet<string> = new Set([
  'br',
  'p',
  'div',
  'li',
  'tr',
  'hr',
  'summary',
  'details',
  'dt',
  'dd',
]);
const TAG = /^<\/?([a-z][a-z0-9-]*)(?=[\s/>])/i;
const HIDDEN = /^<(script|style|template)\b/i;

/** What a reader sees of one inline tag: nothing, a line break, or the text itself where it is no element. */
export function textOfTag(tag: string): string {
  if (tag.startsWith('<!--') || tag.startsWith('<?') || tag.startsWith('<!')) return '';
  const name = TAG.exec(tag)?.[1]?.toLowerCase();
  if (name === undefined || !ELEMENTS.has(name)) return tag;
  return BREAKS.has(name) ? '\n' : '';
}

/** What a reader sees of a block of HTML. One pass; an unclosed tag is text. */
export function textOfHtml(html: string): string {
  let text = '';
  let position = 0;
  for (let open = html.indexOf('<'); open >= 0; open = html.indexOf('<', position)) {
    text += html.slice(position, open);
    const end = endOfTag(html, open);
    if (end === undefined) {
      position = html.startsWith('<!--', open) ? html.length : open;
      break;
    }
    const tag = html.slice(open, end);
    text += textOfTag(tag);
    position = skipHidden(html, tag, end);
  }
  text += html.slice(position);
  return decodeEntities(text)
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

function endOfTag(html: string, open: number): number | undefined {
  const comment = html.startsWith('<!--', open);
  const end = comment ? html.indexOf('-->', open + 4) : html.indexOf('>', open + 1);
  return end < 0 ? undefined : end + (comment ? 3 : 1);
}

/** Where reading goes on after a tag: behind the end of a script or style, whose text nobody sees. */
function skipHidden(html: string, tag: string, end: number): number {
  const name = HIDDEN.exec(tag)?.[1];
  if (name === undefined) return end;
  const close = html.toLowerCase().indexOf(`</${name.toLowerCase()}`, end);
  return close < 0 ? html.length : close;
}

const NAMED: ReadonlyMap<string, string> = new Map([
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
  ['&quot;', '"'],
  ['&#39;', "'"],
  ['&nbsp;', ' '],
]);

function decodeEntities(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|#39|nbsp);/g, (entity) => NAMED.get(entity) ?? entity);
}
