import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNote } from './parse-note.ts';
import type { Note } from './note.ts';

function note(...lines: string[]): Note {
  return parseNote('folder/Some note.md', lines.join('\n'));
}

/** `kind start-end text` of each block. */
function blocks(...lines: string[]): string[] {
  return note(...lines).blocks.map(
    (block) => `${block.kind} ${block.startLine}-${block.endLine} ${block.text}`,
  );
}

function targets(...lines: string[]): string[] {
  return note(...lines).links.map((link) => link.target);
}

test('lines count from the head of the file, front matter included', () => {
  assert.deepEqual(blocks('---', 'a: b', '---', '# Head', '', 'text', 'more'), [
    'heading 4-4 Head',
    'paragraph 6-7 text\nmore',
  ]);
});

test('CRLF, CR and a byte order mark change neither lines nor text', () => {
  const text = '---\ntitle: T\n---\n# H\n\npara\n[[L]]\n\n- a\n- b\n';
  const plain = parseNote('n.md', text);
  assert.deepEqual(parseNote('n.md', text.replaceAll('\n', '\r\n')), plain);
  assert.deepEqual(parseNote('n.md', text.replaceAll('\n', '\r')), plain);
  assert.deepEqual(parseNote('n.md', `\uFEFF${text}`), plain);
});

test('a wikilink has target, heading chain, block and display', () => {
  const { links } = note('[[N#A#B|shown]] [[#^id]] ![[f/img.png|100]] [[#H]]');
  assert.deepEqual(links, [
    { kind: 'link', target: 'N', headings: ['A', 'B'], display: 'shown', line: 1 },
    { kind: 'link', target: '', headings: [], blockId: 'id', line: 1 },
    { kind: 'embed', target: 'f/img.png', headings: [], display: '100', line: 1 },
    { kind: 'link', target: '', headings: ['H'], line: 1 },
  ]);
});

test('Markdown links into the vault are links, URLs are not', () => {
  const { links } = note(
    'See [one](Note%20name.md#Head%20ing) and',
    '[two](<Other note.md>), ![pic](img%20a.png) but not [web](https://e.org) or [mail](mailto:a@b.c).',
    '[ref][r]',
    '',
    '[r]: Third.md',
  );
  assert.deepEqual(
    links.map((link) => [link.kind, link.target, link.headings.join(), link.display, link.line]),
    [
      ['link', 'Note name.md', 'Head ing', 'one', 1],
      ['link', 'Other note.md', '', 'two', 2],
      ['embed', 'img a.png', '', 'pic', 2],
      ['link', 'Third.md', '', 'ref', 3],
    ],
  );
});

test('code, math and comments win over links and tags', () => {
  assert.deepEqual(
    targets(
      '`[[a]]` ``[[b]] ` `` $[[c]]$ %%[[d]]%% [[yes]]',
      '',
      '```',
      '[[e]]',
      '```',
      '',
      '$$',
      '[[f]]',
      '$$',
      '',
      '    [[g]]',
    ),
    ['yes'],
  );
});

test('an escaped bar separates the display text in a table', () => {
  const { links, blocks: found } = note('| a | b |', '| - | - |', '| [[N\\|shown]] | two words |');
  assert.deepEqual(links, [{ kind: 'link', target: 'N', headings: [], display: 'shown', line: 3 }]);
  assert.equal(found[0]?.text, 'a | b\nshown | two words');
});

test('code is kept to the letter, with its language', () => {
  const found = note('```TypeScript {1}', '<div>Array<string></div>', '  indented', '```').blocks[0];
  assert.deepEqual(found, {
    kind: 'code',
    startLine: 1,
    endLine: 4,
    text: '<div>Array<string></div>\n  indented',
    info: 'typescript',
  });
});

test('list items are blocks of their own, nested ones too', () => {
  assert.deepEqual(
    blocks(
      '- [ ] task',
      '  - nested',
      '    lazy',
      '- two',
      '',
      '  second paragraph',
      '- ```',
      '  code',
      '  ```',
      '1. one',
    ),
    [
      'list-item 1-1 task',
      'list-item 2-3 nested\nlazy',
      'list-item 4-6 two\n\nsecond paragraph',
      'code 7-9 code',
      'list-item 10-10 one',
    ],
  );
});

test('a callout has its type, title and whole text', () => {
  const found = note(
    '> [!WARNING]- Mind *this*',
    '> body [[N|link]]',
    '> - item',
    '>',
    '> > [!note] inner',
    '> > deep',
  ).blocks;
  assert.deepEqual(found, [
    {
      kind: 'callout',
      startLine: 1,
      endLine: 6,
      info: 'warning',
      text: 'Mind this\nbody link\nitem\n\n[!note] inner\ndeep',
    },
  ]);
});

test('block ids address their block, the list item they end, or the block above', () => {
  const { blockIds, blocks: found } = note(
    'para',
    'graph ^p1',
    '',
    '- one ^i1',
    '  - child',
    '- two',
    '',
    '> quote',
    '',
    '^q1',
    '',
    '| a |',
    '| - |',
    '| b |',
    '',
    '^t1',
    '',
    '# Head ^h1',
    '![[pic.png]]^e1',
  );
  assert.deepEqual(
    blockIds.map((entry) => [entry.id, entry.startLine, entry.endLine]),
    [
      ['p1', 1, 2],
      ['i1', 4, 5],
      ['q1', 8, 8],
      ['t1', 12, 14],
      ['h1', 18, 18],
      ['e1', 19, 19],
    ],
  );
  assert.ok(found.every((block) => !block.text.includes('^')));
});

test('footnotes, highlights, math, emphasis and entities are what a reader sees', () => {
  const lines = [
    'A ==high== **b** _c_ ~~d~~ $e^2$ f[^1] &amp; ^[inline] g',
    '',
    '[^1]: the note',
    '',
    '$$',
    'x=1',
    '$$',
  ];
  assert.deepEqual(blocks(...lines), [
    'paragraph 1-1 A high b c d e^2 f &  (inline) g',
    'paragraph 3-3 the note',
    'math 5-7 x=1',
  ]);
});

test('HTML elements vanish, what only looks like a tag stays', () => {
  assert.deepEqual(
    blocks('<div class="x">', 'one<br>two', '</div>', '', 'a <b>bold</b> List<String> and <your-name>'),
    ['html 1-3 one\ntwo', 'paragraph 5-5 a bold List<String> and <your-name>'],
  );
});

test('a price and a template do not become math', () => {
  assert.deepEqual(blocks('costs $5 and $6, [[a]]'), ['paragraph 1-1 costs $5 and $6, a']);
});

test('an empty note has no blocks', () => {
  for (const text of ['', '\n\n', '---\n---\n', '%%a%%'])
    assert.deepEqual(parseNote('n.md', text).blocks, []);
});

test('a block id below a list addresses the list, in the last line of a table the table', () => {
  const ids = (...lines: string[]): unknown[] =>
    note(...lines).blockIds.map((entry) => [entry.id, entry.startLine, entry.endLine]);
  assert.deepEqual(ids('- a', '- b', '', '^list'), [['list', 1, 2]]);
  assert.deepEqual(ids('| a |', '| - |', '| b |', '^tab'), [['tab', 1, 4]]);
});

test('brackets around nothing are no link', () => {
  assert.deepEqual(targets('[[ ]] [[]] [[#]] [[|x]] [[a]]'), ['a']);
});
