import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseVaultModel } from './vault-models.ts';

test('the first colon separates the vault from who writes', () => {
  assert.deepEqual(parseVaultModel('vault/Notes'), { vault: 'Notes' });
  assert.deepEqual(parseVaultModel('vault/Notes:llama3:8b'), { vault: 'Notes', writer: 'llama3:8b' });
  assert.deepEqual(parseVaultModel('vault/My Notes:ollama/llama3'), {
    vault: 'My Notes',
    writer: 'ollama/llama3',
  });
  assert.deepEqual(parseVaultModel('vault/Notes:'), { vault: 'Notes' });
});

test('percent-encoding is decoded and names are compared in NFC', () => {
  assert.deepEqual(parseVaultModel('vault/M%C3%BCller%20%CE%B1'), { vault: 'Müller α' });
  assert.deepEqual(parseVaultModel('vault/Mu\u0308ller'), { vault: 'Müller' });
  assert.deepEqual(parseVaultModel('vault%2FNotes'), { vault: 'Notes' });
  assert.deepEqual(parseVaultModel('vault/100%'), { vault: '100%' });
});

test('other names are no vaults', () => {
  for (const name of ['vault/', 'vault/:llama3', 'vaults/x', 'llama3', '']) {
    assert.equal(parseVaultModel(name), undefined, name);
  }
});
