import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNote } from '../vault/parse-note.ts';
import { renderAnswer } from './render-markdown.ts';
import { renderNote } from './render-note.ts';
import type { RenderedNote } from './render-note.ts';

function render(...lines: string[]): RenderedNote {
  return renderNote({
    text: lines.join('\n'),
    path: 'folder/Some note.md',
    resolved: {
      Other: 'x/Other.md',
      'Other note.md': 'x/Other note.md',
      'pic.png': 'img/pic.png',
      'doc.pdf': 'doc.pdf',
    },
    noteUrl: (path, anchor) => `/n/${encodeURI(path)}${anchor === undefined ? '' : `#${anchor}`}`,
    assetUrl: (path) => `/f/${encodeURI(path)}`,
  });
}

const html = (...lines: string[]): string => render(...lines).html.trim();
const withoutLines = (...lines: string[]): string => html(...lines).replace(/ data-(?:end-)?line="\d+"/g, '');

test('every block says which lines on disk it shows', () => {
  assert.equal(
    html('---', 'title: T', '---', '# H', '', 'a', 'b', '', '- one', '- two', ''),
    '<h1 id="h-h" data-line="4" data-end-line="4">H</h1>\n' +
      '<p data-line="6" data-end-line="7">a<br>\nb</p>\n' +
      '<ul data-line="9" data-end-line="10"><li data-line="9" data-end-line="9"><span data-line="9" data-end-line="9">one</span></li>\n' +
      '<li data-line="10" data-end-line="10"><span data-line="10" data-end-line="10">two</span></li>\n</ul>',
  );
});

test('the lines of every parsed block are lines of a rendered one', () => {
  const text = [
    '# H',
    '> [!tip] T',
    '> b',
    '',
    '| a |',
    '| - |',
    '| b |',
    '',
    '```',
    'c',
    '```',
    '',
    '- a',
    '  - b',
    '',
    '$$',
    'x',
    '$$',
    '',
    '[^1]: f',
    '',
  ].join('\n');
  const rendered = new Set(
    [...html(text).matchAll(/data-line="(\d+)" data-end-line="(\d+)"/g)].map(
      ([, start, end]) => `${start}-${end}`,
    ),
  );
  for (const block of parseNote('n.md', text).blocks)
    assert.ok(rendered.has(`${block.startLine}-${block.endLine}`), block.text);
});

test('the title is the property, else the name', () => {
  assert.equal(render('---', 'title: A & B', '---').title, 'A & B');
  assert.equal(render('x').title, 'Some note');
});

test('links lead to notes and their places, files, or nowhere', () => {
  assert.equal(
    withoutLines(
      '[[Other]] [[Other#A#Some Heading|shown]] [[Other#^Id-1]] [[#Here]] [[None]] [m](Other%20note.md#H) [[doc.pdf]]',
    ),
    '<p><a href="/n/x/Other.md" class="internal-link">Other</a> ' +
      '<a href="/n/x/Other.md#h-some-heading" class="internal-link">shown</a> ' +
      '<a href="/n/x/Other.md#b-id-1" class="internal-link">Other</a> ' +
      '<a href="/n/folder/Some%20note.md#h-here" class="internal-link">Here</a> ' +
      '<span class="unresolved-link">None</span> ' +
      '<a href="/n/x/Other%20note.md#h-h" class="internal-link">m</a> ' +
      '<a href="/f/doc.pdf" class="internal-link">doc.pdf</a></p>',
  );
});

test('links out of the vault leak nothing and give no weight', () => {
  assert.equal(
    withoutLines('[a](https://e.org/x?y=1&z=2) <mailto:a@b.c> [o](obsidian://open?vault=v)'),
    '<p><a href="https://e.org/x?y=1&amp;z=2" class="external-link" rel="noopener noreferrer nofollow">a</a> ' +
      '<a href="mailto:a@b.c" class="external-link" rel="noopener noreferrer nofollow">mailto:a@b.c</a> ' +
      '<a href="obsidian://open?vault=v" class="external-link" rel="noopener noreferrer nofollow">o</a></p>',
  );
});

test('pictures of the vault are shown with their size, those elsewhere are links', () => {
  assert.equal(
    withoutLines('![[pic.png|100x50]]'),
    '<p><img src="/f/img/pic.png" alt="" width="100" height="50" loading="lazy"></p>',
  );
  assert.equal(
    withoutLines('![A b|80](pic.png)'),
    '<p><img src="/f/img/pic.png" alt="A b" width="80" loading="lazy"></p>',
  );
  assert.match(
    withoutLines('![far](https://e.org/p.png)'),
    /^<p><a href="https:\/\/e\.org\/p\.png" class="external-link" rel="[^"]+">far<\/a><\/p>$/,
  );
  assert.match(
    withoutLines('![dot](data:image/png;base64,iVBORw0KGgo=)'),
    /<img src="data:image\/png;base64,iVBORw0KGgo=" alt="dot"/,
  );
  assert.equal(
    withoutLines('![[Other]]'),
    '<p><a href="/n/x/Other.md" class="internal-link embed">Other</a></p>',
  );
});

test('callouts have a type, a title and fold', () => {
  assert.equal(
    withoutLines('> [!Warning] Mind *this*', '> body'),
    '<div class="callout" data-callout="warning"><div class="callout-title">Mind <em>this</em></div>\n<p>body</p>\n</div>',
  );
  assert.equal(
    withoutLines('> [!faq]-', '>', '> hidden'),
    '<details class="callout" data-callout="faq"><summary class="callout-title">Faq</summary>\n<p>hidden</p>\n</details>',
  );
  assert.match(withoutLines('> [!faq]+ Q'), /^<details class="callout" data-callout="faq" open>/);
});

test('tasks, tables, highlights, footnotes, math and code look like themselves', () => {
  assert.equal(
    withoutLines('- [x] done ==it=='),
    '<ul><li class="task"><span><input type="checkbox" disabled checked> done <mark>it</mark></span></li>\n</ul>',
  );
  assert.match(
    withoutLines('| a | b |', '| -: | - |', '| 1<br>2 | [[Other\\|o]] |'),
    /<th class="align-right">a<\/th>[^]*<td class="align-right">1<br>2<\/td>\n<td><a href[^>]+>o<\/a><\/td>/,
  );
  assert.match(
    withoutLines('x[^1]', '', '[^1]: note'),
    /<sup><a href="#fn-1" class="footnote-link">1<\/a><\/sup>[^]*<div class="footnote" id="fn-1"><sup>1<\/sup> <p>note<\/p>/,
  );
  assert.equal(withoutLines('$a<b$'), '<p><code class="math">a&lt;b</code></p>');
  assert.equal(
    withoutLines('```JS x', '<b>', '```'),
    '<pre><code class="language-js">&lt;b&gt;\n</code></pre>',
  );
});

test('comments are not rendered, raw HTML is text', () => {
  assert.equal(
    withoutLines('a %%secret%% b', '', '%%', 'secret', '%%', '', '<!-- secret -->'),
    '<p>a  b</p>',
  );
  assert.equal(withoutLines('a <b>c</b>'), '<p>a &lt;b&gt;c&lt;/b&gt;</p>');
});

test('headings of one name have ids of their own', () => {
  assert.deepEqual(
    [...html('# Ä b', '# Ä b', '# !').matchAll(/id="([^"]*)"/g)].map((match) => match[1]),
    ['h-ä-b', 'h-ä-b-1', 'h-'],
  );
});

test('an answer is rendered by the same rules and links nowhere into a vault', () => {
  assert.equal(
    renderAnswer('**Yes** [[Other]] [1]').trim(),
    '<p data-line="1" data-end-line="1"><strong>Yes</strong> <span class="unresolved-link">Other</span> [1]</p>',
  );
});
