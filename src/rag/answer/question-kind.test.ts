import assert from 'node:assert/strict';
import { test } from 'node:test';
import { questionKind } from './question-kind.ts';

test('a way is asked for in the languages that are asked in most', () => {
  for (const question of [
    'How do I sync?',
    'Wie starte ich es?',
    '¿Cómo empiezo?',
    'как запустить',
    '如何部署',
  ])
    assert.deepEqual(questionKind(question), { way: true, number: false }, question);
});

test('an amount or a date is not a way', () => {
  for (const question of [
    'How many plans are there?',
    'how often is it fed',
    'What year did it begin?',
    'Wie viele Notizen?',
    'Сколько это стоит?',
    '有多少笔记？',
    'いつ始まりましたか',
  ])
    assert.deepEqual(questionKind(question), { way: false, number: true }, question);
});

test('other questions want neither', () => {
  for (const question of ['What is a vault?', 'Whence the name?', 'wieso nicht', 'links'])
    assert.deepEqual(questionKind(question), { way: false, number: false }, question);
});
