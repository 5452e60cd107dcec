import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Block, BlockKind } from '../../vault/note.ts';
import { createTokenizer } from '../text/tokenizer.ts';
import { writeExtractive, type ExtractiveAnswer } from './extractive.ts';
import type { Passage } from './passage.ts';

const tokenizer = createTokenizer();

type Piece = readonly [kind: BlockKind, text: string];

function passage(index: number, title: string, pieces: readonly Piece[]): Passage {
  let line = 1;
  const blocks = pieces.map(([kind, text]): Block => {
    const startLine = line;
    line += text.split('\n').length + 1;
    return { kind, text, startLine, endLine: line - 2, ...(kind === 'heading' ? { level: 2 } : {}) };
  });
  const path = `${title}.md`;
  const text = blocks.map((block) => block.text).join('\n\n');
  return {
    source: {
      index,
      vault: 'v',
      path,
      title,
      headingPath: [title],
      startLine: 1,
      endLine: line,
      text,
      score: 1,
      obsidianUrl: '',
      url: '',
    },
    blocks,
  };
}

function ask(question: string, ...passages: Passage[]): ExtractiveAnswer {
  return writeExtractive(question, passages, { tokenizer });
}

const LINKS = passage(1, 'Internal links', [
  ['paragraph', 'Learn how to link to notes. By linking notes, you can create a network of knowledge.'],
  ['heading', 'Create a link'],
  ['paragraph', 'To create an internal link, type two opening brackets in the editor:'],
  ['code', '[[Three laws of motion]]'],
  ['list-item', 'Press enter to choose a note.'],
]);
const SYNC = passage(2, 'Sync', [
  ['paragraph', 'Sync keeps your notes on every device. It costs 4 dollars a month.'],
  ['table', '| Plan | Storage |\n| --- | --- |\n| Standard | 1 GB |\n| Plus | 10 GB |'],
]);

test('the most direct sentence leads and brings along the code that it announces', () => {
  const answer = ask('How do I create an internal link?', LINKS, SYNC);
  assert.ok(
    answer.text.startsWith('To create an internal link, type two opening brackets in the editor: [1]'),
  );
  assert.match(answer.text, /```\n\[\[Three laws of motion\]\]\n```\n\[1\]/);
});

test('what has nothing of the question is not quoted', () => {
  const answer = ask('How do I create an internal link?', LINKS, SYNC);
  assert.ok(answer.quotes.every(({ source }) => source === 1));
  assert.deepEqual(ask('Who was Napoleon?', LINKS, SYNC), { text: '', cited: [], quotes: [] });
});

test('a row of a table is quoted under its header', () => {
  const answer = ask('How much storage has the plus plan?', LINKS, SYNC);
  assert.ok(answer.text.includes('| Plan | Storage |\n| --- | --- |\n| Plus | 10 GB |\n\n[1]'), answer.text);
});

test('a sentence is not quoted twice', () => {
  const copy = passage(2, 'Copy of links', [
    ['paragraph', 'To create an internal link, type two opening brackets in the editor.'],
  ]);
  const answer = ask('How do I create an internal link?', LINKS, copy);
  assert.equal(answer.text.match(/two opening brackets/g)?.length, 1);
});

test('items of a list stay a list, each cited', () => {
  const steps = passage(1, 'Install', [
    ['paragraph', 'To install a plugin, follow these steps:'],
    ['list-item', 'Open the settings.'],
    ['list-item', 'Choose community plugins.'],
    ['paragraph', 'Something else altogether.'],
  ]);
  const answer = ask('How do I install a plugin?', steps);
  assert.ok(answer.text.endsWith('- Open the settings. [1]\n- Choose community plugins. [1]'), answer.text);
});

test('brackets of a note do not become citations', () => {
  const paper = passage(1, 'Paper', [['paragraph', 'Attention was introduced in [7] for translation.']]);
  const answer = ask('Where was attention introduced?', paper);
  assert.equal(answer.text, String.raw`Attention was introduced in \[7] for translation. [1]`);
});

test('Chinese sentences are found and joined without blanks', () => {
  const note = passage(1, '链接', [
    ['paragraph', '笔记是文本。要创建内部链接，请输入两个方括号。内部链接连接笔记。'],
  ]);
  const answer = ask('如何创建内部链接？', note);
  assert.ok(answer.text.startsWith('要创建内部链接，请输入两个方括号。'), answer.text);
});

test('a question in a note does not answer a question', () => {
  const faq = passage(1, 'FAQ', [
    ['paragraph', 'How do I export notes? Notes are exported with the export command.'],
  ]);
  assert.ok(
    ask('How do I export notes?', faq).text.startsWith('Notes are exported with the export command. [1]'),
  );
});

test('an answer stays within its room', () => {
  const long = passage(
    1,
    'Long',
    Array.from({ length: 40 }, (_, at): Piece => [
      'paragraph',
      `Export ${'x'.repeat(at)} number ${String(at)} of notes goes to place ${String(at * 7)}.`,
    ]),
  );
  assert.ok(ask('Export notes place', long).text.length < 1100);
});
