import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { isObeliskError } from '../../shared/errors.ts';
import { parseNote } from '../../vault/parse-note.ts';
import type { VaultIndex } from './types.ts';
import { openVaultIndex } from './vault-index.ts';

const FILE = { hash: 'h', size: 1, mtimeMs: 1 };
const MODEL = { name: 'm', digest: 'd1', dimensions: 4 };

const NOTES: Readonly<Record<string, string>> = {
  'Recipes/Bread.md':
    '---\naliases: [Loaf]\ntags: [cooking/baking]\n---\n# Dough\n\nMix flour and water, then wait.',
  'Recipes/Soup.md':
    '---\ntags: [Cooking]\n---\nBoil water with onions.\n\n## Storage\n\nFreeze the soup in small boxes.',
  'Work/Kubernetes.md': 'A cluster runs pods.\n\n## Water cooling\n\nThe racks are cooled by water.',
  'Work/Empty.md': '',
};

function openIndex(context: TestContext, notes: Readonly<Record<string, string>> = NOTES): VaultIndex {
  const index = openVaultIndex({ file: ':memory:' });
  context.after(() => index.close());
  for (const [path, text] of Object.entries(notes)) index.putNote(parseNote(path, text), FILE);
  return index;
}

function paths(index: VaultIndex, query: string, filters = {}): string[] {
  return index.search({ query, filters }).notes.map((note) => note.path);
}

test('a hit knows its note, headings, lines and how much of the question it covers', (context) => {
  const [hit] = openIndex(context).search({ query: 'how to freeze soup' }).hits;
  assert.equal(hit?.path, 'Recipes/Soup.md');
  assert.deepEqual(hit.headingPath, ['Storage']);
  assert.deepEqual([hit.startLine, hit.endLine], [8, 8]);
  assert.equal(hit.text, 'Freeze the soup in small boxes.');
  assert.equal(hit.coverage, 1);
});

test('coverage falls with the words that are missing', (context) => {
  const [hit] = openIndex(context).search({ query: 'freeze soup zeppelin' }).hits;
  assert.ok(hit !== undefined && hit.coverage > 0.3 && hit.coverage < 0.8, String(hit?.coverage));
});

test('filters restrict before ranking: folder with everything below, tag with its nested ones', (context) => {
  const index = openIndex(context);
  assert.deepEqual(paths(index, 'water', { folder: 'Work' }), ['Work/Kubernetes.md']);
  assert.deepEqual(paths(index, 'water', { folder: '/recipes/' }).sort(), [
    'Recipes/Bread.md',
    'Recipes/Soup.md',
  ]);
  assert.deepEqual(paths(index, 'water', { tag: '#cooking/baking' }), ['Recipes/Bread.md']);
  assert.deepEqual(paths(index, 'water', { tag: 'cooking' }).sort(), ['Recipes/Bread.md', 'Recipes/Soup.md']);
  assert.deepEqual(paths(index, 'water', { tag: 'cook' }), []);
  assert.deepEqual(paths(index, 'water', { folder: 'Rec' }), []);
});

test('a name or an alias is found, typed wrong or half as well', (context) => {
  const index = openIndex(context);
  for (const query of ['kubernetes', 'kubernets', 'kubernetse setup', 'kubern']) {
    assert.equal(paths(index, query)[0], 'Work/Kubernetes.md', query);
  }
  assert.equal(paths(index, 'loaf')[0], 'Recipes/Bread.md');
  assert.equal(paths(index, 'empty')[0], 'Work/Empty.md');
});

test('a note named in the question as a link is among the hits whatever its words', (context) => {
  const index = openIndex(context);
  for (const mention of ['[[Bread]]', '[[recipes/bread.md]]', '[[Loaf|x]]', '[[Bread#Dough]]']) {
    const { notes, hits } = index.search({ query: `pods of a cluster ${mention}`, limit: 1 });
    assert.equal(notes[0]?.path, 'Recipes/Bread.md', mention);
    assert.equal(hits[0]?.path, 'Recipes/Bread.md', mention);
  }
});

test('where no word matches there are no hits, but the notes whose names look alike', (context) => {
  const result = openIndex(context).search({ query: 'sooop' });
  assert.deepEqual(result.hits, []);
  assert.equal(result.notes[0]?.path, 'Recipes/Soup.md');
});

test('questions without words, of any length or full of operators are answered', (context) => {
  const index = openIndex(context);
  for (const query of [
    '',
    '   ',
    '"',
    'AND OR NOT NEAR(',
    'text:*',
    '^',
    'the',
    'water '.repeat(20_000),
    '\0',
    '👩‍👩‍👧',
  ]) {
    assert.ok(Array.isArray(index.search({ query }).notes), query.slice(0, 20));
  }
});

test('an edited note answers with its new words only, a removed one not at all', (context) => {
  const index = openIndex(context);
  index.putNote(parseNote('Recipes/Soup.md', 'Now about marmalade.'), { ...FILE, hash: 'h2' });
  assert.deepEqual(paths(index, 'marmalade'), ['Recipes/Soup.md']);
  assert.deepEqual(index.search({ query: 'onions' }).hits, []);
  assert.equal(index.noteStates().get('Recipes/Soup.md')?.hash, 'h2');
  assert.equal(index.removeNote('Recipes/Soup.md'), true);
  assert.equal(index.removeNote('Recipes/Soup.md'), false);
  assert.deepEqual(index.search({ query: 'marmalade' }).hits, []);
});

test('a failed batch leaves nothing behind, in the file or in memory', (context) => {
  const index = openIndex(context);
  const before = index.stats();
  const defect = new Error('a defect of the caller');
  assert.throws(
    () =>
      index.batch(() => {
        index.removeNote('Recipes/Bread.md');
        index.putNote(parseNote('New.md', 'Something new.'), FILE);
        throw defect;
      }),
    defect,
  );
  assert.deepEqual(index.stats(), before);
  assert.deepEqual(index.search({ query: 'something new' }).hits, []);
  assert.equal(paths(index, 'flour')[0], 'Recipes/Bread.md');
});

test('an index opened again gives the same answers, and sees what another connection wrote', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'obelisk-index-'));
  const file = join(folder, 'vault.sqlite');
  const first = openVaultIndex({ file });
  for (const [path, text] of Object.entries(NOTES)) first.putNote(parseNote(path, text), FILE);
  const second = openVaultIndex({ file });
  context.after(() => {
    first.close();
    second.close();
    rmSync(folder, { recursive: true, force: true });
  });
  assert.equal(second.rebuiltBecause, undefined);
  const { tookMs: _first, ...expected } = first.search({ query: 'boil water' });
  const { tookMs: _second, ...found } = second.search({ query: 'boil water' });
  assert.deepEqual(found, expected);
  first.putNote(parseNote('Late.md', 'Written by the other.'), FILE);
  assert.deepEqual(paths(second, 'written'), ['Late.md']);
});

test('an index of another version is built again and says so', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'obelisk-index-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'vault.sqlite');
  const other = new DatabaseSync(file);
  other.exec('PRAGMA user_version = 999');
  other.close();
  const index = openVaultIndex({ file });
  assert.match(index.rebuiltBecause ?? '', /newer/u);
  assert.equal(index.stats().notes, 0);
  index.close();
});

test('an index with damaged pages is built again and says so', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'obelisk-index-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'vault.sqlite');
  const first = openVaultIndex({ file });
  for (const [path, text] of Object.entries(NOTES)) first.putNote(parseNote(path, text), FILE);
  first.close();
  const bytes = readFileSync(file);
  bytes.fill(0xaa, 4096);
  writeFileSync(file, bytes);
  const index = openVaultIndex({ file });
  assert.match(index.rebuiltBecause ?? '', /damaged/u);
  assert.equal(index.stats().notes, 0);
  index.close();
});

function embedAll(index: VaultIndex): number {
  const pending = index.chunksWithoutVector(100);
  index.putVectors(
    MODEL.digest,
    pending.map(({ id, embedText }) => ({
      id,
      vector: Float32Array.from([
        embedText.includes('pods') ? 5 : 0,
        embedText.includes('soup') ? 5 : 0,
        1,
        0,
      ]),
    })),
  );
  return pending.length;
}

test('vectors find what words do not, and are asked for once only', (context) => {
  const index = openIndex(context);
  assert.deepEqual(index.chunksWithoutVector(10), []);
  index.pinEmbeddingModel(MODEL);
  assert.ok(embedAll(index) > 0);
  assert.deepEqual(index.chunksWithoutVector(10), []);
  const result = index.search({ query: 'containers', vector: Float32Array.from([1, 0, 0, 0]) });
  assert.equal(result.notes[0]?.path, 'Work/Kubernetes.md');
  assert.ok((result.hits[0]?.cosine ?? 0) > 0.9);
});

test('a rename, a move, an undo and a copy embed nothing again', (context) => {
  const index = openIndex(context);
  index.pinEmbeddingModel(MODEL);
  embedAll(index);
  const soup = NOTES['Recipes/Soup.md'] ?? '';
  assert.equal(index.renameNote('Recipes/Soup.md', 'Old/Broth.md', parseNote('Old/Broth.md', soup)), true);
  assert.equal(index.renameNote('Recipes/Soup.md', 'x.md', parseNote('x.md', soup)), false);
  assert.equal(paths(index, 'broth')[0], 'Old/Broth.md');
  assert.deepEqual(index.chunksWithoutVector(10), []);
  const bread = NOTES['Recipes/Bread.md'] ?? '';
  index.putNote(parseNote('Recipes/Bread.md', 'something else'), FILE);
  index.putNote(parseNote('Recipes/Bread.md', bread), FILE);
  index.putNote(parseNote('Copies/Bread.md', bread), FILE);
  assert.deepEqual(index.chunksWithoutVector(10), []);
  assert.equal(index.stats().embeddedChunks, index.stats().chunks);
});

test('another model starts anew, and coming back to the first costs nothing', (context) => {
  const index = openIndex(context);
  index.pinEmbeddingModel(MODEL);
  embedAll(index);
  index.pinEmbeddingModel({ ...MODEL, digest: 'd2' });
  assert.equal(index.stats().embeddedChunks, 0);
  assert.ok(index.chunksWithoutVector(100).length > 0);
  index.pinEmbeddingModel(MODEL);
  assert.deepEqual(index.chunksWithoutVector(100), []);
  assert.deepEqual(index.embeddingModel(), MODEL);
});

test('a vector of the wrong model, size or value is refused', (context) => {
  const index = openIndex(context);
  index.pinEmbeddingModel(MODEL);
  const id = index.chunksWithoutVector(1)[0]?.id ?? 0;
  for (const [digest, vector] of [
    ['d2', [1, 2, 3, 4]],
    ['d1', [1, 2, 3]],
    ['d1', [1, 2, 3, Number.NaN]],
  ] as const) {
    assert.throws(
      () => index.putVectors(digest, [{ id, vector: Float32Array.from(vector) }]),
      (error) => isObeliskError(error) && error.code === 'upstream_invalid',
    );
  }
  index.putVectors('d1', [{ id: 999_999, vector: Float32Array.from([1, 0, 0, 0]) }]);
  assert.equal(index.stats().embeddedChunks, 0);
});
