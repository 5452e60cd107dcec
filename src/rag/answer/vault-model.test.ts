import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseVaultModel } from './vault-model.ts';

const CASES: readonly [string, { vault: string; writer?: string }][] = [
  ['vault/Notes', { vault: 'Notes' }],
  ['Notes', { vault: 'Notes' }],
  ['vault/Notes:llama3:8b', { vault: 'Notes', writer: 'llama3:8b' }],
  ['vault/My%20Notes:extractive', { vault: 'My Notes', writer: 'extractive' }],
  ['vault/100%', { vault: '100%' }],
  ['vault/Notizbu\u0308cher', { vault: 'Notizb\u00fccher' }],
  ['vault/Notes:', { vault: 'Notes' }],
];
for (const [model, expected] of CASES) {
  test(`${model} names vault ${expected.vault}`, () => {
    assert.deepEqual(parseVaultModel(model), expected);
  });
}

test('a model without a vault is refused', () => {
  assert.throws(() => parseVaultModel('vault/'), { code: 'model_not_found' });
});
