import assert from 'node:assert/strict';
import { test } from 'node:test';

import { editDistance, nearest } from './nearest.ts';

test('a slip of the finger finds the name that was meant', () => {
  const names = ['llama3:latest', 'mistral:latest', 'qwen3:8b', 'gpt-4o'];
  assert.deepEqual(nearest('mistarl:latest', names), ['mistral:latest']);
  assert.deepEqual(nearest('GPT-4', names), ['gpt-4o']);
  assert.deepEqual(nearest('llama', names), ['llama3:latest']);
});

test('a name like none of them finds nothing', () => {
  assert.deepEqual(nearest('zebra', ['llama3:latest', 'gpt-4o']), []);
  assert.deepEqual(nearest('', ['a', 'bc']), ['a']);
});

test('at most `limit` names come back, nearest first and in a stable order', () => {
  assert.deepEqual(nearest('model', ['modem', 'models', 'model1', 'yodel', 'model1'], 3), [
    'model1',
    'models',
    'modem',
  ]);
});

test('the distance counts a swap of neighbours once and stops at the limit', () => {
  assert.equal(editDistance('abcd', 'abdc', 3), 1);
  assert.equal(editDistance('kitten', 'sitting', 3), 3);
  assert.equal(editDistance('kitten', 'sitting', 2), 3);
  assert.equal(editDistance('', 'ab', 5), 2);
});
