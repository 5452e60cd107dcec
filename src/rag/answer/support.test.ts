import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { parseNote } from '../../vault/parse-note.ts';
import { createTokenizer } from '../text/tokenizer.ts';
import type { VaultIndex } from '../index/types.ts';
import { openVaultIndex } from '../index/vault-index.ts';
import type { Hit } from '../types.ts';
import { decideSupport } from './support.ts';

const NOTES: Readonly<Record<string, string>> = {
  'Internal links.md':
    '# Create a link\n\nTo create an internal link, type two opening brackets.\n\n# Rename\n\nRenaming a note updates its links.',
  'Capital letters.md': 'Write the first word of a title with a capital letter.',
  'Sync.md': 'Sync keeps the notes of your devices the same. How often it runs is a setting.',
  '部署.md': '要部署服务器，请先安装依赖，然后运行启动脚本。',
  'Сервер.md': 'Чтобы запустить сервер, установите зависимости и выполните команду запуска.',
  'Backup.md': 'A copy of the vault on another disk is a backup. What is not copied is lost.',
  'Themes.md': 'A theme changes the colours of the editor. Choose one in the settings.',
  'Search.md': 'Search finds notes by words. It is the fastest way to a note.',
};

const SUPPORTED = [
  'how do I create internal links',
  'How often does sync run?',
  'backup',
  'What happens to links when a note is renamed?',
  '如何部署服务器？',
  'как запустить сервер',
  'capital letter in a title',
];
const UNSUPPORTED = [
  'What is the capital of Mongolia?',
  'who is it and what are they',
  'How tall is the Eiffel tower in the evening?',
  '蒙古的首都是哪里？',
  'Какая столица Монголии?',
  'What is the best note of a trumpet concerto by Haydn?',
  '',
  '?!',
];

suite('support', () => {
  let index: VaultIndex;
  before(() => {
    index = openVaultIndex({ file: ':memory:' });
    for (const [path, text] of Object.entries(NOTES)) {
      index.putNote(parseNote(path, text), { hash: path, size: 1, mtimeMs: 1 });
    }
  });
  after(() => {
    index.close();
  });

  for (const query of SUPPORTED) {
    test(`the vault supports "${query}"`, () => {
      assert.equal(decideSupport(index.search({ query })).supported, true);
    });
  }
  for (const query of UNSUPPORTED) {
    test(`the vault does not support "${query}"`, () => {
      assert.equal(decideSupport(index.search({ query })).supported, false);
    });
  }
});

const hit = (coverage: number, cosine?: number): Hit => ({
  path: 'a.md',
  title: 'a',
  headingPath: [],
  startLine: 1,
  endLine: 1,
  text: '',
  score: 1,
  coverage,
  ...(cosine === undefined ? {} : { cosine }),
});

test('what means the same in other words is support', () => {
  const terms = ['backup', 'vault', 'disk'];
  assert.equal(decideSupport({ terms, hits: [hit(0.4)] }).supported, false);
  assert.equal(decideSupport({ terms, hits: [hit(0.4, 0.6)] }).supported, true);
  assert.equal(decideSupport({ terms, hits: [hit(0, 0.7)] }).supported, true);
  assert.equal(decideSupport({ terms, hits: [hit(0, 0.5)] }).supported, false);
});

suite('support in a vault of two notes', () => {
  const tokenizer = createTokenizer();
  let index: VaultIndex;
  before(() => {
    index = openVaultIndex({ file: ':memory:' });
    const notes = {
      'Sourdough.md': '# Starter\n\nFeed the starter twice a day with rye flour.',
      'Bicycle.md': 'The chain is oiled every month. The tyres hold four bar.',
    };
    for (const [path, text] of Object.entries(notes)) {
      index.putNote(parseNote(path, text), { hash: path, size: 1, mtimeMs: 1 });
    }
  });
  after(() => {
    index.close();
  });
  const supports = (question: string): boolean =>
    decideSupport(index.search({ query: question }), { reading: { question, tokenizer } }).supported;

  for (const question of [
    'How often is the starter fed?',
    'What flour do I use?',
    'Which flour does the starter need?',
    'how many bar do the tyres hold',
    'When did I last oil the bicycle chain?',
  ]) {
    test(`there is an answer to "${question}"`, () => {
      assert.equal(supports(question), true);
    });
  }
  for (const question of [
    'How often is the cat fed?',
    'What kind of cat do I use?',
    'What happens in Mongolia?',
    'What is the capital of Mongolia?',
    'How many children did Napoleon hold dear?',
  ]) {
    test(`there is none to "${question}"`, () => {
      assert.equal(supports(question), false);
    });
  }
});

test('the more passages a vault has, the more of a question one must cover', () => {
  const terms = ['alpha', 'beta', 'gamma'];
  const result = (rarest: number): Parameters<typeof decideSupport>[0] => ({
    terms,
    weights: { alpha: rarest / 2, beta: rarest, gamma: rarest },
    hits: [hit(0.4)],
  });
  assert.equal(decideSupport(result(2)).supported, true);
  assert.equal(decideSupport(result(9)).supported, false);
});

test('one bigram of many in common is chance', () => {
  const weights = { 首都: 2.5, 都在: 2.5, 在哪: 2.5, 蒙古: 2.5, 古国: 2.5 };
  assert.equal(decideSupport({ terms: ['x'], weights, hits: [hit(0.19)] }).supported, false);
  assert.equal(decideSupport({ terms: ['x'], weights, hits: [hit(0.4)] }).supported, true);
});

test('joined turns need less of a passage', () => {
  const terms = ['backup', 'vault', 'disk'];
  assert.equal(decideSupport({ terms, hits: [hit(0.4)] }, { followUp: true }).supported, true);
});
