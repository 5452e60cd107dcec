import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNotInNotes, phrasesFor } from './phrases.ts';

const QUESTIONS: readonly [string, string][] = [
  ['How do I create internal links?', 'en'],
  ['Wie erstelle ich interne Links?', 'de'],
  ['Comment créer des liens dans les notes ?', 'fr'],
  ['¿Cómo puedo crear enlaces en las notas?', 'es'],
  ['如何创建内部链接？', 'zh'],
  ['内部リンクの作り方は？', 'ja'],
  ['Как создать ссылку?', 'ru'],
  ['links', 'en'],
  ['', 'en'],
  ['πώς δημιουργώ συνδέσμους;', 'en'],
];

for (const [question, language] of QUESTIONS) {
  test(`the sentences for "${question}" are in ${language}`, () => {
    assert.equal(phrasesFor(question).language, language);
  });
}

test('the refusal is recognised in every language and not in an answer', () => {
  for (const [question] of QUESTIONS) assert.ok(isNotInNotes(` ${phrasesFor(question).notInNotes}\n`));
  assert.equal(isNotInNotes('Your notes say that links use brackets.'), false);
});
