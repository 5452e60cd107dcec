import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTokenizer } from '../text/tokenizer.ts';
import { askedTerms, hasTerm } from './asked-terms.ts';
import { irregularForms } from './irregular-forms.ts';

const tokenizer = createTokenizer();
const words = (question: string): string[] => askedTerms(question, tokenizer).map(({ word }) => word);

test('what kind of quantity is asked for is not looked for', () => {
  assert.deepEqual(words('How often is the starter fed?'), ['starter', 'fed']);
  assert.deepEqual(words('How much storage is left?'), ['storage', 'left']);
  assert.deepEqual(words('Is often a word?'), ['often', 'word']);
});

test('an irregular form is found in the others of its word', () => {
  const [, fed] = askedTerms('How often is the starter fed?', tokenizer);
  assert.ok(fed);
  const has = (text: string): boolean => hasTerm(new Set(tokenizer.documentTerms(text)), fed);
  assert.deepEqual(['Feed it.', 'It feeds.', 'It is fed.', 'A federation.'].map(has), [
    true,
    true,
    true,
    false,
  ]);
});

test('forms go both ways and other words have none', () => {
  assert.deepEqual(irregularForms('Built'), ['build']);
  assert.deepEqual(irregularForms('write'), ['wrote', 'written']);
  assert.deepEqual(irregularForms('constructor'), []);
});
