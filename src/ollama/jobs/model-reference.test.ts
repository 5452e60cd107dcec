import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isObeliskError } from '../../shared/errors.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { parseModelReference, requireRegistry } from './model-reference.ts';

const RULES = {
  registries: ['registry.ollama.ai', 'hf.co', '127.0.0.1:5000'],
  insecureRegistries: ['127.0.0.1:5000'],
};

function refused(code: ErrorCode): (error: unknown) => boolean {
  return (error) => isObeliskError(error) && error.code === code;
}

test('a name is completed as Ollama completes it', () => {
  assert.deepEqual(parseModelReference(' llama3 '), {
    registry: 'registry.ollama.ai',
    namespace: 'library',
    model: 'llama3',
    tag: 'latest',
    name: 'llama3:latest',
  });
  assert.deepEqual(parseModelReference('HF.co/bartowski/Llama-3.2-1B-GGUF:Q4_K_M'), {
    registry: 'hf.co',
    namespace: 'bartowski',
    model: 'Llama-3.2-1B-GGUF',
    tag: 'Q4_K_M',
    name: 'HF.co/bartowski/Llama-3.2-1B-GGUF:Q4_K_M',
  });
  assert.equal(parseModelReference('127.0.0.1:5000/library/x').registry, '127.0.0.1:5000');
  assert.equal(parseModelReference('registry.ollama.ai/library/llama3').name, 'llama3:latest');
});

for (const name of [
  '',
  ' ',
  'a b',
  'a/b/c/d',
  '../x',
  'x/../y',
  '-x',
  'x:',
  'x:y:z',
  'x@sha256:00',
  '/x',
  'x/',
  'ho st/ns/x',
  'x\ny',
  'a'.repeat(81),
  'a/'.repeat(400),
]) {
  test(`${JSON.stringify(name.slice(0, 20))} is no name of a model`, () => {
    assert.throws(() => parseModelReference(name), refused('invalid_request'));
  });
}

for (const name of ['http://127.0.0.1:5000/library/x', 'https://registry.ollama.ai/library/x']) {
  test(`the scheme of ${name} is refused: how a registry is spoken to is not the asker’s`, () => {
    assert.throws(() => parseModelReference(name), refused('invalid_request'));
  });
}

test('a registry that is listed is allowed, with TLS', () => {
  assert.equal(requireRegistry(parseModelReference('llama3'), RULES, undefined), false);
  assert.equal(requireRegistry(parseModelReference('HF.CO/a/b'), RULES, false), false);
});

test('a registry that is not listed is refused, however its host is written', () => {
  for (const name of [
    'evil.example/a/b',
    'hf.co:8443/a/b',
    '127.0.0.1:5001/library/x',
    '10.0.0.1/a/b',
    'localhost/a/b',
  ]) {
    assert.throws(
      () => requireRegistry(parseModelReference(name), RULES, undefined),
      refused('forbidden'),
      name,
    );
  }
});

test('TLS is left away where the configuration says so, and nowhere else', () => {
  assert.equal(requireRegistry(parseModelReference('127.0.0.1:5000/library/x'), RULES, undefined), true);
  assert.throws(() => requireRegistry(parseModelReference('hf.co/a/b'), RULES, true), refused('forbidden'));
  assert.throws(() => requireRegistry(parseModelReference('llama3'), RULES, true), refused('forbidden'));
});
