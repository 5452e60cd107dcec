import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fromOllamaEmbed, toOllamaEmbed, toOllamaEmbedded } from './embed.ts';

const host = 'http://127.0.0.1:11434';

test('a batch goes with truncation off', () => {
  assert.deepEqual(
    toOllamaEmbed(
      { model: 'e', input: ['a', 'b'], dimensions: 8, options: {} },
      { model: 'e:latest', options: { num_ctx: 512 }, keepAlive: '-1' },
    ),
    {
      model: 'e:latest',
      input: ['a', 'b'],
      truncate: false,
      options: { num_ctx: 512 },
      dimensions: 8,
      keep_alive: -1,
    },
  );
});

test('vectors come back in order with the tokens', () => {
  const result = fromOllamaEmbed(
    {
      embeddings: [
        [1, 0],
        [0, 1],
      ],
      prompt_eval_count: 4,
    },
    { count: 2, host },
  );
  assert.deepEqual(result, {
    vectors: [Float32Array.of(1, 0), Float32Array.of(0, 1)],
    promptTokens: 4,
  });
});

test('too few vectors, vectors of unequal length and other shapes are an invalid answer', () => {
  for (const json of [
    { embeddings: [[1]] },
    { embeddings: [[1], [1, 2]] },
    { embeddings: [[], []] },
    {},
    null,
  ]) {
    assert.throws(() => fromOllamaEmbed(toOllamaEmbedded(json, host), { count: 2, host }), {
      code: 'upstream_invalid',
    });
  }
});

test('fewer dimensions than asked for are an error, not a shorter vector', () => {
  assert.throws(() => fromOllamaEmbed({ embeddings: [[1, 2]] }, { count: 1, host, dimensions: 8 }), {
    code: 'invalid_request',
    param: 'dimensions',
  });
});

test('an Ollama that cuts no vectors is named, not the model', () => {
  assert.throws(() => fromOllamaEmbed({ embeddings: [[1, 2, 3]] }, { count: 1, host, dimensions: 2 }), {
    code: 'upstream_invalid',
    message: /sent 3 dimensions although 2 were asked for; update it, or leave dimensions out/,
  });
});
