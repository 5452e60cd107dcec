import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { porterStem } from './porter.ts';

const STEMS =
  'relat condit ration valen digit oper feudal hope sensit electr adjust probat control roll agre sky';
const ENDINGS =
  ' s es ed ing ly ally e al ance er ic able ibility ment ent ion ou ism ate iti ous ive ize ational tional enci izer bli entli eli ousli ization ator alism iveness fulness ousness aliti iviti logi icate ative alize iciti ical ful ness ies y eed';

/** SQLite has a Porter stemmer of its own: it is the second opinion. */
test('words get the stem that SQLite’s own stemmer gives them', (context) => {
  const database = new DatabaseSync(':memory:');
  context.after(() => database.close());
  database.exec("CREATE VIRTUAL TABLE words USING fts5 (word, tokenize = 'porter ascii')");
  database.exec('CREATE VIRTUAL TABLE stems USING fts5vocab (words, instance)');
  const words = STEMS.split(' ').flatMap((stem) => ENDINGS.split(' ').map((ending) => stem + ending));
  const insert = database.prepare('INSERT INTO words (rowid, word) VALUES (?, ?)');
  words.forEach((word, index) => insert.run(index, word));
  const rows = database.prepare('SELECT doc, term FROM stems ORDER BY doc').all();
  assert.deepEqual(
    words.map((word) => [word, porterStem(word)]),
    rows.map((row) => [words[Number(row['doc'])], row['term']]),
  );
});
