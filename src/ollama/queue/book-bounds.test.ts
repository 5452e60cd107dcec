import assert from 'node:assert/strict';
import { test } from 'node:test';

import { seatsForTests } from '../../../test/ollama-serving.ts';

const HOST = 'http://a:11434';

test('names that clients invent do not fill the memory, and what is known stays', () => {
  const { books } = seatsForTests();
  const known = books.book(HOST, 'known');
  known.begin({}).answered();
  const waiting = books.book(HOST, 'waiting');
  waiting.claims.begin(books.nowMs());
  for (let index = 0; index < 5_000; index += 1) books.book(HOST, `invented-${index}`);
  assert.ok(books.ofHost(HOST).length <= 600, `${books.ofHost(HOST).length} books`);
  assert.equal(books.book(HOST, 'known'), known);
  assert.equal(books.book(HOST, 'waiting'), waiting);
});
