import assert from 'node:assert/strict';
import { test } from 'node:test';

import { OLLAMA_OPTIONS, requireOllamaOption } from './options.ts';

test('an option of the wrong type, or too small to mean anything, is refused by name, before Ollama answers 500', () => {
  for (const [name, value] of [
    ['num_ctx', '4096'],
    ['num_ctx', 1.5],
    ['num_ctx', 0],
    ['num_ctx', -5],
    ['num_batch', 0],
    ['temperature', Number.NaN],
    ['use_mmap', 1],
    ['stop', [1]],
  ] as const) {
    assert.throws(() => requireOllamaOption(name, value), { code: 'invalid_request', param: name });
  }
  for (const [name, value] of [
    ['num_ctx', 4096],
    ['temperature', 0],
    ['use_mmap', false],
    ['stop', 'x'],
    ['stop', ['x']],
  ] as const) {
    assert.doesNotThrow(() => requireOllamaOption(name, value));
  }
});

test('what loads a model is told from what samples a token', () => {
  const runner = [...OLLAMA_OPTIONS].filter(([, rule]) => rule.kind === 'runner').map(([name]) => name);
  assert.deepEqual(runner.sort(), [
    'draft_num_predict',
    'main_gpu',
    'num_batch',
    'num_ctx',
    'num_gpu',
    'num_thread',
    'use_mmap',
  ]);
});
