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

test('comments are gone from text, links and tags, over lines and paragraphs', () => {
  const {
    blocks: found,
    links,
    tags,
  } = note(
    'before %%one #t%% after',
    '',
    '%%',
    'secret [[x]]',
    '',
    '```',
    'still secret',
    '%%',
    'shown %%starts',
    '',
    '- inside [[y]]',
    'ends%% tail',
  );
  assert.deepEqual(
    found.map((block) => [block.text.replace(/ +/g, ' '), block.startLine]),
    [
      ['before after', 1],
      ['shown', 9],
      ['tail', 12],
    ],
  );
  assert.deepEqual([links, tags], [[], []]);
});

test('a comment that is never closed hides the rest, a lone %% within a line is text', () => {
  assert.deepEqual(blocks('shown', '', '%% hidden', '', 'hidden too'), ['paragraph 1-1 shown']);
  assert.deepEqual(blocks('a rise of 5%% a year', '', 'shown'), [
    'paragraph 1-1 a rise of 5%% a year',
    'paragraph 3-3 shown',
  ]);
});

test('a %% inside code is code', () => {
  assert.deepEqual(
    blocks(
      '```',
      'a %% b',
      '```',
      'text `%%` and `%% c`',
      '',
      '    code %% d',
      '',
      '> ```',
      '> %% q',
      '> ```',
      'end',
    ).map((line) => line.replace(/^\S+ \S+ /, '')),
    ['a %% b', 'text %% and %% c', 'code %% d', '%% q', 'end'],
  );
});

test('a fence in a quote ends with the quote, so a comment after it is a comment', () => {
  assert.deepEqual(blocks('> ```', '> code', '', '%%secret%%', 'shown'), [
    'quote 1-2 code',
    'paragraph 5-5 shown',
  ]);
});

test('a fence in a list ends with the list, so a comment after it is a comment', () => {
  assert.deepEqual(blocks('- item', '  ```', '  code', '%%', 'secret', '%%', 'shown'), [
    'list-item 1-1 item',
    'code 2-3 code',
    'paragraph 7-7 shown',
  ]);
});
