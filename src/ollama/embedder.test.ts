import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MODELS, sent, startServing } from '../../test/ollama-serving.ts';
import { json, ollama, routes } from '../../test/upstream-scripts.ts';
import { createOllamaEmbedder } from './embedder.ts';

test('texts are embedded in batches, in order, with the tokens of all', async () => {
  await using setting = await startServing(
    routes({
      'GET /api/tags': [json({ models: [{ name: 'embed:latest' }] })],
      'GET /api/ps': [json({ models: [] })],
      'GET /api/version': [json({ version: '0.0.0' })],
      'POST /api/show': [json({ capabilities: ['embedding'] })],
      'POST /api/embed': (one) => {
        const input: readonly string[] = Object(one.json()).input;
        return [
          json({ embeddings: input.map((text) => [Number(text), 1]), prompt_eval_count: input.length }),
        ];
      },
    }),
  );
  const embed = createOllamaEmbedder(setting.serving)({
    baseUrl: setting.server.origin,
    model: 'embed:latest',
    defaults: { keep_alive: 60 },
  });
  const input = Array.from({ length: 70 }, (_, index) => String(index));
  const { signal } = new AbortController();
  const result = await embed({ model: 'embed', input, options: {} }, signal);
  assert.deepEqual(
    result.vectors.map((vector) => vector[0]),
    input.map(Number),
  );
  assert.equal(result.promptTokens, 70);
  const bodies = sent(setting, '/api/embed').map(Object);
  assert.deepEqual(
    bodies.map((body) => body.input.length),
    [32, 32, 6],
  );
  assert.ok(bodies.every((body) => body.truncate === false && body.keep_alive === 60));
  await assert.rejects(embed({ model: 'embed', input: ['a', ''], options: {} }, signal), {
    code: 'invalid_request',
    message: /input\[1\]/,
  });
  await assert.rejects(embed({ model: 'embed', input: [], options: {} }, signal), {
    code: 'invalid_request',
  });
});

test('a text that does not fit, and a chat model, are refused for embedding', async () => {
  await using setting = await startServing((one, index) => {
    if (one.path === '/api/embed')
      return [json({ error: 'the input length exceeds the context length' }, 400)];
    return ollama(MODELS)(one, index);
  });
  const of = (model: string) =>
    createOllamaEmbedder(setting.serving)({ baseUrl: setting.server.origin, model, defaults: {} });
  const asked = { model: 'm', input: ['long'], options: {} };
  const { signal } = new AbortController();
  await assert.rejects(of('embed:latest')(asked, signal), { code: 'context_length_exceeded' });
  await assert.rejects(of('tiny:latest')(asked, signal), { code: 'unsupported', param: 'model' });
});
