import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toOllamaModel } from './model-facts.ts';
import type { OllamaModel } from './model-facts.ts';
import { effectiveOptions, servedContext } from './prepare.ts';

const TARGET = { baseUrl: 'http://127.0.0.1:11434', model: 'llama3:latest', defaults: {} };
const NO_HARDWARE = { hardware: {}, modelOverrides: {} };

function model(more: Partial<OllamaModel> = {}): OllamaModel {
  const told = { model_info: { 'general.architecture': 'llama', 'llama.context_length': 131_072 } };
  return { ...toOllamaModel({ name: 'llama3:latest' }, told), ...more };
}

test('the context that is served is the one a request without num_ctx is sent with', () => {
  const cases = [
    [TARGET, { model: model(), hardware: NO_HARDWARE }, 16_384],
    [TARGET, { model: model({ contextLength: 2_048 }), hardware: NO_HARDWARE }, 2_048],
    [TARGET, { model: model({ ownNumCtx: 8_192 }), hardware: NO_HARDWARE }, 8_192],
    [TARGET, { model: model(), hardware: { ...NO_HARDWARE, hardware: { num_ctx: 32_768 } } }, 32_768],
    [
      { ...TARGET, defaults: { num_ctx: 512, temperature: 'hot' } },
      { model: model(), hardware: NO_HARDWARE },
      512,
    ],
  ] as const;
  for (const [target, facts, expected] of cases) {
    assert.equal(servedContext(target, facts), expected);
    const sent = effectiveOptions({ ...target, defaults: { ...target.defaults, temperature: 1 } }, facts, {});
    assert.equal(sent.numCtx, expected);
  }
});

test('of an unknown model, and of one of Ollama’s cloud, no context is claimed', () => {
  assert.equal(servedContext(TARGET, { model: undefined, hardware: NO_HARDWARE }), undefined);
  const remote = model({ remoteHost: 'ollama.com' });
  assert.equal(servedContext(TARGET, { model: remote, hardware: NO_HARDWARE }), undefined);
});
