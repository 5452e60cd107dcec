import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createTokenizer } from './tokenizer.ts';

test('no string makes the tokenizer throw, and a text has every term of itself as a question', () => {
  const tokenizer = createTokenizer();
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const terms = new Set(tokenizer.documentTerms(text));
      for (const { term } of tokenizer.queryTerms(text)) {
        assert.ok(terms.has(term), `${term} of ${JSON.stringify(text)}`);
        assert.doesNotMatch(term, /["\s]/u);
      }
    }),
    { numRuns: 500 },
  );
});
