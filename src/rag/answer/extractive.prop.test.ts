import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Block } from '../../vault/note.ts';
import { createTokenizer } from '../text/tokenizer.ts';
import { createCitationFilter } from './citations.ts';
import { writeExtractive } from './extractive.ts';
import type { Passage } from './passage.ts';

const tokenizer = createTokenizer();
const word = fc.constantFrom(
  'link',
  'note',
  'create',
  'sync',
  '[1]',
  '[7]',
  '`a`',
  '`',
  'the',
  '链接',
  'Zürich',
  '😀',
  'x:',
  '3.5',
);
const sentence = fc
  .tuple(fc.array(word, { minLength: 1, maxLength: 9 }), fc.constantFrom('.', '!', '?', '。', ':', '\n', ''))
  .map(([words, end]) => words.join(' ') + end);
const kind = fc.constantFrom<Block['kind']>(
  'paragraph',
  'list-item',
  'code',
  'table',
  'heading',
  'quote',
  'callout',
);
const blockText = fc
  .array(sentence, { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join(' ').trim() || 'x');
const passages = fc
  .array(fc.array(fc.tuple(kind, blockText), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 })
  .map((notes) =>
    notes.map((pieces, at): Passage => {
      const blocks = pieces.map(([kind, text], row): Block => ({
        kind,
        text,
        startLine: row * 10 + 1,
        endLine: row * 10 + 9,
      }));
      const source = {
        index: at + 1,
        vault: 'v',
        path: `${String(at)}.md`,
        title: 'note',
        headingPath: [],
        startLine: 1,
        endLine: pieces.length * 10,
        text: blocks.map(({ text }) => text).join('\n\n'),
        score: 1,
        obsidianUrl: '',
        url: '',
      };
      return { source, blocks };
    }),
  );
const question = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join(' '));

test('every quote is verbatim in its source at the lines it names', () => {
  fc.assert(
    fc.property(question, passages, (asked, given) => {
      const answer = writeExtractive(asked, given, { tokenizer });
      for (const quote of answer.quotes) {
        const from = answer.cited[quote.source - 1];
        const block = from?.blocks.find(
          ({ startLine, endLine }) => startLine === quote.startLine && endLine === quote.endLine,
        );
        assert.ok(block?.text.includes(quote.text));
      }
    }),
  );
});

test('the marks of an answer are those of its quotes and survive the citation check', () => {
  fc.assert(
    fc.property(question, passages, (asked, given) => {
      const answer = writeExtractive(asked, given, { tokenizer });
      const filter = createCitationFilter(answer.cited.length);
      assert.equal(filter.push(answer.text) + filter.end(), answer.text);
      const cited = new Set(filter.citations().map(({ source }) => source));
      assert.deepEqual(cited, new Set(answer.quotes.map(({ source }) => source)));
      assert.deepEqual(filter.invalid(), []);
    }),
  );
});
