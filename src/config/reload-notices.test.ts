import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConfigFolder } from '../../test/config-folder.ts';

const { load } = createConfigFolder();

function noticesOf(...params: readonly string[]): readonly string[] {
  const entries = params.map((text, index) => `  - {model_name: m${index}, litellm_params: {${text}}}\n`);
  return load(`model_list:\n${entries.join('')}`).notices;
}

test('two entries that load one model with other options are told of, with their lines', () => {
  const [notice, ...more] = noticesOf(
    'model: ollama/llama3, num_ctx: 4096',
    'model: ollama_chat/library/Llama3:latest, num_ctx: 8192, num_thread: 4, temperature: 1',
  );
  assert.match(notice ?? '', /^"m0" \(line 2\) and "m1" \(line 3\) load .* another num_ctx, num_thread: /);
  assert.deepEqual(more, []);
});

test('entries that load the same, another model, or at another host, are no matter', () => {
  assert.deepEqual(
    noticesOf(
      'model: ollama/llama3, num_ctx: 4096, temperature: 0',
      'model: ollama/llama3, num_ctx: 4096, temperature: 1',
      'model: ollama/mistral, num_ctx: 8192',
      'model: ollama/llama3, num_ctx: 8192, api_base: "http://box:11434"',
      'model: openai/llama3, num_ctx: 1',
    ),
    [],
  );
});
