import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findAnchor } from './anchors.ts';
import { createLinkResolver } from './links.ts';
import type { LinkResolution } from './links.ts';
import { parseNote } from './parse-note.ts';

function resolve(paths: readonly string[], target: string, from = 'home.md'): LinkResolution {
  return createLinkResolver(paths.map((path) => ({ path }))).resolve({ target }, from);
}

const found = ({ state, path, by }: LinkResolution): string => [state, path, by].filter(Boolean).join(' ');

test('an empty target is the same note', () => {
  assert.equal(found(resolve(['a.md'], '', 'a.md')), 'resolved a.md self');
});

test('a path from the root wins, with or without extension and leading slash', () => {
  const paths = ['note.md', 'x/note.md', 'x/y/note.md', 'pic.png'];
  for (const target of ['note', 'note.md', '/note', '/note.md', 'NOTE']) {
    assert.equal(found(resolve(paths, target, 'x/y/other.md')), 'resolved note.md path');
  }
  assert.equal(found(resolve(paths, 'pic.png')), 'resolved pic.png path');
  assert.equal(found(resolve(paths, 'pic')), 'unresolved');
  assert.equal(found(resolve(paths, '/y/note')), 'unresolved');
});

test('dots are relative to the linking note and cannot leave the vault', () => {
  const paths = ['a/b.md', 'a/c/d.md', 'top.md'];
  assert.equal(found(resolve(paths, './b', 'a/x.md')), 'resolved a/b.md relative');
  assert.equal(found(resolve(paths, '../b.md', 'a/c/d.md')), 'resolved a/b.md relative');
  assert.equal(found(resolve(paths, '../../top', 'a/c/d.md')), 'resolved top.md relative');
  assert.equal(found(resolve(paths, '../../../top', 'a/c/d.md')), 'unresolved');
});

test('a name is found in any folder, whatever its case and Unicode form', () => {
  const paths = ['deep/er/Caf\u00e9.md', 'deep/image.PNG'];
  assert.equal(found(resolve(paths, 'cafe\u0301')), 'resolved deep/er/Caf\u00e9.md name');
  assert.equal(found(resolve(paths, 'Image.png')), 'resolved deep/image.PNG name');
});

test('the end of a path is enough, at a folder’s boundary', () => {
  const paths = ['x/folder/note.md', 'y/other-folder/note.md'];
  assert.equal(found(resolve(paths, 'folder/note')), 'resolved x/folder/note.md suffix');
  assert.equal(found(resolve(paths, 'older/note')), 'unresolved');
});

test('of several the one beside the linking note is taken, then the least deep, then the first by alphabet', () => {
  const paths = ['z/note.md', 'b/c/note.md', 'a/note.md'];
  const near = resolve(paths, 'note', 'b/c/from.md');
  assert.equal(found(near), 'ambiguous b/c/note.md name');
  assert.deepEqual(near.candidates, ['b/c/note.md', 'a/note.md', 'z/note.md']);
  assert.equal(resolve(paths, 'note', 'elsewhere/from.md').path, 'a/note.md');
  assert.equal(resolve(['1/2/s/n.md', '3/s/n.md'], 's/n', '1/2/from.md').path, '1/2/s/n.md');
});

test('on a disk that tells case apart the name as written wins', () => {
  assert.equal(found(resolve(['note.md', 'Note.md'], 'Note')), 'resolved Note.md path');
  assert.equal(resolve(['note.md', 'Note.md'], 'NOTE').state, 'ambiguous');
});

test('an alias is the last resort', () => {
  const resolver = createLinkResolver([
    { path: 'real.md', aliases: ['Other Name', 'taken'] },
    { path: 'x/taken.md' },
  ]);
  assert.equal(found(resolver.resolve({ target: 'other  name' }, 'a.md')), 'resolved real.md alias');
  assert.equal(found(resolver.resolve({ target: 'taken' }, 'a.md')), 'resolved x/taken.md name');
  resolver.add({ path: 'real.md', aliases: ['New'] });
  assert.equal(found(resolver.resolve({ target: 'Other Name' }, 'a.md')), 'unresolved');
  resolver.rename('real.md', 'moved/real2.md');
  assert.equal(found(resolver.resolve({ target: 'new' }, 'a.md')), 'resolved moved/real2.md alias');
});

test('names that JavaScript objects have are names like others', () => {
  for (const target of ['__proto__', 'constructor', 'toString']) {
    assert.equal(found(resolve(['a.md'], target)), 'unresolved');
    assert.equal(found(resolve([`x/${target}.md`], target)), `resolved x/${target}.md name`);
  }
});

test('a name that thousands of notes share is as quick to find as another', () => {
  const resolver = createLinkResolver(
    Array.from({ length: 20_000 }, (_, at) => ({ path: `f${at}/index.md` })),
  );
  const started = performance.now();
  for (let at = 0; at < 20_000; at += 1) resolver.resolve({ target: 'index' }, `f${at}/from.md`);
  // Twenty thousand scans of twenty thousand paths would take many times as long.
  assert.ok(performance.now() - started < 5_000);
});

test('an anchor is the section of its heading chain, or the block of its id', () => {
  const text = ['# A', 'a', '## **Bold** B', 'b', '### C', 'c', '## D', 'd ^block', '# B', 'x'].join('\n\n');
  const note = parseNote('n.md', text);
  const at = (...headings: string[]): unknown => findAnchor(note, { headings });
  assert.deepEqual(at('A'), { startLine: 1, endLine: 15 });
  assert.deepEqual(at('a', 'bold b'), { startLine: 5, endLine: 11 });
  assert.deepEqual(at('A', 'C'), { startLine: 9, endLine: 11 });
  assert.deepEqual(at('B'), { startLine: 17, endLine: 19 });
  assert.equal(at('missing'), undefined);
  assert.equal(at('D', 'C'), undefined);
  assert.deepEqual(at('bold-b'), { startLine: 5, endLine: 11 });
  assert.equal(at(), undefined);
  assert.deepEqual(findAnchor(note, { headings: [], blockId: 'BLOCK' }), { startLine: 15, endLine: 15 });
  assert.equal(findAnchor(note, { headings: [], blockId: 'nope' }), undefined);
});
