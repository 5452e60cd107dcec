import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNote } from './parse-note.ts';
import type { Note } from './note.ts';

function note(...lines: string[]): Note {
  return parseNote('folder/Some note.md', lines.join('\n'));
}

test('name, title, aliases, tags and description come from the properties', () => {
  const { name, title, aliases, tags, description } = note(
    '---',
    'title: A title',
    'aliases: [One, "Two, three"]',
    'tags:',
    '  - inbox/to-read',
    '  - "#idea"',
    'description: What it is',
    '---',
    'Text with #Idea and #new-tag, not #123 nor a#b or `#code`.',
  );
  assert.equal(name, 'Some note');
  assert.equal(title, 'A title');
  assert.deepEqual(aliases, ['One', 'Two, three']);
  assert.deepEqual(tags, ['inbox/to-read', 'idea', 'new-tag']);
  assert.equal(description, 'What it is');
});

test('the singular, deprecated names of properties are understood', () => {
  const { aliases, tags } = note('---', 'alias: One, Two', 'tag: a b', '---');
  assert.deepEqual(aliases, ['One', 'Two']);
  assert.deepEqual(tags, ['a', 'b']);
});

test('invalid properties are a warning with the line, and the text is still read', () => {
  const { warnings, blocks: found, title } = note('---', 'a: 1', 'b: "open', '---', 'text');
  assert.equal(warnings.length, 1);
  assert.ok((warnings[0]?.line ?? 0) >= 2);
  assert.match(warnings[0]?.message ?? '', /YAML/);
  assert.deepEqual(
    found.map((block) => [block.text, block.startLine]),
    [['text', 5]],
  );
  assert.equal(title, 'Some note');
});

test('a template expression, a list and JSON as properties stop nothing', () => {
  assert.equal(note('---', 'title: {{date}}', '---', 'x').title, 'Some note');
  assert.equal(note('---', '- a', '---', 'x').warnings.length, 1);
  assert.deepEqual(note('---', '{"title": "J", "tags": ["t"]}', '---').tags, ['t']);
});

test('a bomb of YAML aliases and a deep nesting are warnings', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefghi'.split('').map((key, at) => {
      const above = `*${'abcdefgh'.charAt(at)}`;
      return `${key}: &${key} [${Array.from({ length: 9 }, () => above).join(',')}]`;
    }),
  ];
  assert.equal(note('---', ...bomb, '---').warnings.length, 1);
  assert.equal(note('---', `a: ${'['.repeat(50_000)}`, '---', 'text').warnings.length, 1);
});

test('a property named __proto__ is a property', () => {
  const { properties } = note('---', '"__proto__": {"polluted": true}', '---');
  assert.equal(Object.getPrototypeOf(properties), Object.prototype);
  assert.equal(Reflect.get({}, 'polluted'), undefined);
});

test('links in properties are links of their line', () => {
  const { links } = note('---', 'up: "[[Parent|P]]"', 'see:', '  - "[[A#H]]"', '---', '[[B]]');
  assert.deepEqual(
    links.map((link) => [link.target, link.line]),
    [
      ['Parent', 2],
      ['A', 4],
      ['B', 6],
    ],
  );
});
