import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { selectProvider, withHint } from './selector.ts';
import { parseVaultModel } from './vault-models.ts';

const facts = fc.record({
  mode: fc.constantFrom('operation' as const, 'smart' as const, 'ollama' as const, 'litellm' as const),
  hint: fc.constantFrom(undefined, 'ollama' as const, 'litellm' as const),
  model: fc.string(),
  hasLitellm: fc.boolean(),
});

test('every choice for the gateway has a backend, none twice, and a proxy only where there is one', () => {
  fc.assert(
    fc.property(fc.string(), facts, (operation, given) => {
      const { provider, backends, reason } = selectProvider(operation, given);
      assert.notEqual(reason, '');
      assert.equal(new Set(backends).size, backends.length);
      assert.equal(backends.length > 0, provider === 'gateway');
      const named = given.model.startsWith('litellm_proxy/');
      if (!given.hasLitellm && !named) assert.ok(!backends.includes('litellm'));
    }),
  );
});

test('writing a hint into a name twice is writing it once', () => {
  fc.assert(
    fc.property(fc.string(), facts, (model, given) => {
      const once = withHint(model, given);
      assert.equal(withHint(once, given), given.hint === undefined ? model : once);
    }),
  );
});

test('a vault’s name and its writer come back from the name they were put into, encoded or not', () => {
  const vault = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .map((text) => text.replaceAll(/[:/%]/g, '_').normalize('NFC'))
    .filter((text) => text.isWellFormed() && text !== '');
  const writer = fc.constantFrom('llama3:8b', 'ollama/llama3', 'gpt-4');
  fc.assert(
    fc.property(vault, writer, fc.boolean(), (name, model, encoded) => {
      const id = `vault/${encoded ? encodeURIComponent(name) : name}:${model}`;
      assert.deepEqual(parseVaultModel(id), { vault: name, writer: model });
    }),
  );
});
