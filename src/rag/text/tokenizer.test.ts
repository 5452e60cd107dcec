import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTokenizer } from './tokenizer.ts';

function terms(text: string): string[] {
  return createTokenizer().documentTerms(text);
}

test('an identifier gives the whole and its parts', () => {
  assert.deepEqual(terms('DataView'), ['dataview', 'data', 'view']);
  assert.deepEqual(terms('max_retry_count'), ['maxretry', 'max', 'retri', 'count']);
  assert.deepEqual(terms('HTTPServer'), ['httpserv', 'http', 'server']);
  assert.deepEqual(terms('__init__ API'), ['init', 'api']);
});

test('each script has its own treatment', () => {
  assert.deepEqual(terms('Größenangaben'), ['grossena']);
  assert.deepEqual(terms('заметками'), ['замет']);
  assert.deepEqual(terms('σημειώσεις'), ['σημει']);
  assert.deepEqual(terms('المكتبة'), ['مكتب', 'كتبه']);
  assert.deepEqual(terms('הבית'), ['הבית', 'בית']);
  assert.deepEqual(terms('किताबें'), terms('किताब'));
  assert.deepEqual(terms('도서관'), ['도서', '서관']);
  assert.deepEqual(terms('データベース'), ['デー', 'ータ', 'タベ', 'ベー', 'ース']);
  assert.deepEqual(terms('本'), ['本']);
  assert.deepEqual(terms('ภาษาไทย'), ['ภาษา', 'ไทย']);
  assert.deepEqual(terms('phở bò'), ['phở', 'pho', 'bò', 'bo']);
});

test('one word in two encodings is one term', () => {
  assert.deepEqual(terms('café'), terms('cafe\u0301'));
  assert.deepEqual(terms('ＡＢＣ'), ['abc']);
  assert.deepEqual(terms('ｶﾞﾗｽ'), terms('ガラス'));
  assert.deepEqual(terms('น้ำ'), terms('น้\u0e4d\u0e32'));
  assert.deepEqual(terms('ISPARTA'), terms('ısparta'));
  assert.deepEqual(terms('١٢٣'), ['123']);
});

test('a question loses its function words unless it has no others', () => {
  const { queryTerms } = createTokenizer();
  assert.deepEqual(
    queryTerms('How do I create the note?').map(({ word }) => word),
    ['create', 'note'],
  );
  assert.deepEqual(
    queryTerms('what is it').map(({ term }) => term),
    ['what', 'is', 'it'],
  );
  assert.deepEqual(
    queryTerms('什么是数据库').map(({ term }) => term),
    ['是数', '数据', '据库'],
  );
});

test('a Vietnamese word typed with its marks asks for these marks only', () => {
  const { queryTerms } = createTokenizer();
  assert.deepEqual(
    queryTerms('phở').map(({ term }) => term),
    ['phở'],
  );
  assert.deepEqual(
    queryTerms('pho').map(({ term }) => term),
    ['pho'],
  );
});
