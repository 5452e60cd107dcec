import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTokenizer } from '../text/tokenizer.ts';
import type { Source } from '../types.ts';
import { checkAnswer, sourcesLike, type AnswerCheck } from './check-answer.ts';
import { createCitationFilter } from './citations.ts';

const tokenizer = createTokenizer();
const source = (index: number, text: string): Source => ({
  index,
  vault: 'v',
  path: 'a.md',
  title: 'a',
  headingPath: [],
  startLine: 1,
  endLine: 1,
  text,
  score: 1,
  obsidianUrl: '',
  url: '',
});
const SOURCES = [
  source(1, 'The walrus has two tusks and weighs 1,500 kg.'),
  source(2, 'The heron eats fish.'),
];

function check(text: string): AnswerCheck {
  const filter = createCitationFilter(SOURCES.length);
  const shown = filter.push(text) + filter.end();
  return checkAnswer(shown, { citations: filter.citations(), sources: SOURCES, tokenizer });
}

test('a supported, cited answer passes', () => {
  const result = check('The walrus has two tusks [1]. The heron eats fish. [2]');
  assert.deepEqual(result, { citedShare: 1, lexicalSupport: 1, unsupportedNumbers: [] });
});

test('a sentence without a citation counts against the share', () => {
  assert.equal(check('The walrus has tusks [1]. It sings at night.').citedShare, 0.5);
});

test('a citation of the wrong source has little support', () => {
  assert.ok(check('The walrus has two tusks [2].').lexicalSupport < 0.2);
});

test('numbers that no source has are named', () => {
  assert.deepEqual(check('1. The walrus weighs 2,000 kg [1].\n2. It has 2 tusks [1].').unsupportedNumbers, [
    '2000',
    '2',
  ]);
});

test('code and headings claim nothing', () => {
  assert.equal(check('# Walrus\n\n```\nx = 7\n```\n\nThe walrus has tusks [1].').citedShare, 1);
  assert.deepEqual(check('```\nx = 7\n```').unsupportedNumbers, []);
});

test('an empty answer is no alarm', () => {
  assert.deepEqual(check(''), { citedShare: 1, lexicalSupport: 0, unsupportedNumbers: [] });
});

test('the source that an uncited answer comes from is found', () => {
  assert.deepEqual(
    sourcesLike('A heron eats fish.', SOURCES, tokenizer).map(({ index }) => index),
    [2],
  );
  assert.deepEqual(sourcesLike('Bananas grow in Ecuador.', SOURCES, tokenizer), []);
});
