import assert from 'node:assert/strict';
import { test } from 'node:test';
import { vaultNameOf, vaultNameProblem } from './vault-name.ts';

test('names hold letters of any script, digits, spaces and ._-', () => {
  for (const name of ['notes', 'Заметки', '笔记 2', 'حافظة', 'हिन्दी', 'a.b_c-d', 'Cafe\u0301']) {
    assert.equal(vaultNameProblem(name), undefined, name);
  }
  for (const name of ['', ' x', 'x ', 'a:b', 'a/b', '.', '..', '.hidden', 'a\\b', 'a\nb', 'x'.repeat(101)]) {
    assert.ok(vaultNameProblem(name), JSON.stringify(name));
  }
});

test('a folder’s name becomes a name that is allowed, or none', () => {
  assert.equal(vaultNameOf('My Vault (2024)'), 'My Vault 2024');
  assert.equal(vaultNameOf("Ada's notes"), 'Ada s notes');
  assert.equal(vaultNameOf('Cafe\u0301'), 'Caf\u00e9');
  assert.equal(vaultNameOf('.notes'), 'notes');
  assert.equal(vaultNameOf('📚'), undefined);
  assert.equal(vaultNameOf(''), undefined);
});
