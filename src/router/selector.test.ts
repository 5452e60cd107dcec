import assert from 'node:assert/strict';
import { test } from 'node:test';

import { selectProvider, withHint } from './selector.ts';
import type { SelectionFacts } from './selector.ts';

const facts: SelectionFacts = { mode: 'operation', hasLitellm: true };
const backends = (more: Partial<SelectionFacts>): string =>
  selectProvider('chat', { ...facts, ...more }).backends.join(' ');

test('completions and embeddings go through the gateway, in every mode', () => {
  for (const operation of ['chat', 'completion', 'embedding']) {
    for (const mode of ['operation', 'smart', 'ollama', 'litellm'] as const) {
      for (const hint of [undefined, 'ollama', 'litellm'] as const) {
        assert.equal(selectProvider(operation, { mode, hint, hasLitellm: true }).provider, 'gateway');
      }
    }
  }
});

test('model management and hardware go to Ollama directly, whatever is hinted', () => {
  for (const operation of [
    'model.list',
    'model.show',
    'model.pull',
    'model.push',
    'model.create',
    'model.delete',
    'model.copy',
    'hardware',
  ]) {
    for (const hint of [undefined, 'ollama', 'litellm'] as const) {
      const selection = selectProvider(operation, { mode: 'litellm', hint, hasLitellm: true });
      assert.equal(selection.provider, 'ollama', operation);
      assert.match(selection.reason, new RegExp(operation));
    }
  }
});

test('what is unknown goes through the gateway', () => {
  assert.equal(selectProvider('rerank', facts).provider, 'gateway');
  assert.equal(selectProvider('model.', facts).provider, 'gateway');
});

test('model_list comes first; the mode orders what was found', () => {
  assert.equal(backends({}), 'configured ollama litellm');
  assert.equal(backends({ mode: 'ollama' }), 'configured ollama litellm');
  assert.equal(backends({ mode: 'litellm' }), 'configured litellm ollama');
  assert.equal(backends({ mode: 'litellm', hasLitellm: false }), 'configured ollama');
});

test('smart asks the proxy first for names that only a cloud has', () => {
  assert.equal(backends({ mode: 'smart', model: 'llama3' }), 'configured ollama litellm');
  assert.equal(backends({ mode: 'smart', model: 'gpt-oss:20b' }), 'configured ollama litellm');
  for (const model of [
    'gpt-4',
    'claude-sonnet-4',
    'o3-mini',
    'gemini-2.5-pro',
    'anthropic/claude',
    'azure/x',
  ]) {
    assert.equal(backends({ mode: 'smart', model }), 'configured litellm ollama', model);
  }
});

test('a hint confines, also where the model says otherwise', () => {
  assert.equal(backends({ hint: 'ollama', model: 'gpt-4', mode: 'litellm' }), 'ollama');
  assert.equal(backends({ hint: 'litellm', model: 'llama3', mode: 'ollama' }), 'litellm');
});

test('without a proxy the gateway is what LiteLLM would be', () => {
  assert.equal(backends({ hint: 'litellm', hasLitellm: false }), 'configured ollama');
});

test('a prefix confines as well', () => {
  assert.equal(backends({ model: 'ollama/llama3', mode: 'litellm' }), 'configured ollama');
  assert.equal(backends({ model: 'ollama_chat/llama3' }), 'configured ollama');
  assert.equal(backends({ model: 'litellm_proxy/gpt-4' }), 'configured litellm');
});

test('a hint can be written into the name, once', () => {
  assert.equal(withHint('llama3', { hint: 'ollama', hasLitellm: true }), 'ollama/llama3');
  assert.equal(withHint('ollama_chat/llama3', { hint: 'ollama', hasLitellm: true }), 'ollama/llama3');
  assert.equal(withHint('ollama/llama3', { hint: 'litellm', hasLitellm: true }), 'litellm_proxy/llama3');
  assert.equal(withHint('llama3', { hint: 'litellm', hasLitellm: false }), 'llama3');
  assert.equal(withHint('ollama/llama3', { hint: undefined, hasLitellm: true }), 'ollama/llama3');
});
