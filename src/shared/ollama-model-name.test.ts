import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isOllamaCloudName, ollamaModelKey, ollamaModelName } from './ollama-model-name.ts';

test('names are written as Ollama lists them', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['llama3', 'llama3:latest'],
    ['llama3:8b', 'llama3:8b'],
    ['library/llama3', 'llama3:latest'],
    ['registry.ollama.ai/library/llama3:8b', 'llama3:8b'],
    ['me/mine', 'me/mine:latest'],
    ['localhost:5000/me/mine', 'localhost:5000/me/mine:latest'],
    ['hf.co/org/repo:Q4_K_M', 'hf.co/org/repo:Q4_K_M'],
  ];
  for (const [name, expected] of cases) assert.equal(ollamaModelName(name), expected);
  assert.equal(ollamaModelKey('LLaMa3'), ollamaModelKey('llama3:latest'));
});

test('names that Ollama forwards to its cloud are told apart', () => {
  for (const name of ['gpt-oss:120b-cloud', 'kimi:cloud']) assert.equal(isOllamaCloudName(name), true);
  for (const name of ['cloud', 'cloud-model:7b', 'nimbus:cloudy'])
    assert.equal(isOllamaCloudName(name), false);
});
