import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChatMessage } from '../../providers/chat.ts';
import { createTokenizer } from '../text/tokenizer.ts';
import { readVaultQuestion } from './question.ts';

const tokenizer = createTokenizer();
const turns = (...texts: string[]): ChatMessage[] =>
  texts.map((text, at) => (at % 2 === 0 ? { role: 'user', text } : { role: 'assistant', text }));

const FOLLOW_UPS = [
  'And on a phone?',
  'Why?',
  'Can I rename it later without breaking anything?',
  'Kann ich sie später umbenennen?',
  '它可以重命名吗？',
];
for (const last of FOLLOW_UPS) {
  test(`"${last}" is read with the turn before it`, () => {
    const question = readVaultQuestion(turns('How do I create a link?', 'So.', last), tokenizer);
    assert.deepEqual(question, { text: last, query: `How do I create a link?\n${last}`, followUp: true });
  });
}

test('a question that stands alone is looked for alone', () => {
  const last = 'Which plugins sync notes between phones and laptops?';
  assert.equal(readVaultQuestion(turns('How do I create a link?', 'So.', last), tokenizer).query, last);
});

test('the first question is never a follow-up', () => {
  assert.equal(readVaultQuestion(turns('Why?'), tokenizer).followUp, false);
});

test('at most three turns are joined', () => {
  const { query } = readVaultQuestion(turns('a1', 'x', 'b2', 'x', 'c3', 'x', 'Why?'), tokenizer);
  assert.equal(query, 'b2\nc3\nWhy?');
});
