import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileIgnoreFilters } from './ignore-filters.ts';

test('a plain filter excludes the paths that begin with it, whatever their case', () => {
  const { ignores } = compileIgnoreFilters(['Archive/', 'Note.md', 'Caf\u0065\u0301', ' ']);
  for (const path of ['Archive', 'archive/x/y.md', 'note.md', 'Caf\u00e9/x.md'])
    assert.ok(ignores(path), path);
  for (const path of ['x/Archive/y.md', 'Archived.md', 'other.md']) assert.ok(!ignores(path), path);
});

test('a filter between slashes is an expression', () => {
  const { ignores, rejected } = compileIgnoreFilters([
    '/^(Old|Trash)\\//',
    '/\\.excalidraw\\.md$/',
    '/[^/]+-draft/',
  ]);
  assert.deepEqual(rejected, []);
  for (const path of ['Old/a.md', 'x/b.excalidraw.md', 'a-draft.md']) assert.ok(ignores(path), path);
  assert.ok(!ignores('New/a.md'));
});

test('expressions that are broken or could run without end are reported and not run', () => {
  const risky = [
    '/(a+)+$/',
    '/(a|a)*$/',
    '/(.*)*x/',
    '/(?=a)a/',
    '/(a)\\1/',
    '/.*.*.*.*x/',
    `/${'a'.repeat(300)}/`,
    '/[/',
    '/(/',
  ];
  const { ignores, rejected } = compileIgnoreFilters(risky);
  assert.deepEqual(
    rejected.map(({ filter }) => filter),
    risky,
  );
  assert.ok(!ignores('a'.repeat(5_000)));
});
