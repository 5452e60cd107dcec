import assert from 'node:assert/strict';
import { test } from 'node:test';

import { defaultFleet } from '../config/default-fleet.ts';
import type { ModelEntry, Settings } from '../config/settings.ts';
import { Secret } from '../shared/secret.ts';
import { toConfiguredModel } from './configured-models.ts';
import type { ConfiguredModel } from './configured-models.ts';

const providers: Settings['providers'] = {
  mode: 'operation',
  ollama: {
    url: 'http://127.0.0.1:11434',
    hardware: {},
    modelOverrides: {},
    pollMs: 5000,
    ...defaultFleet('http://127.0.0.1:11434'),
  },
  litellm: { apiBase: 'http://litellm:4000', apiKey: new Secret('sk-proxy') },
};

function configured(fields: Partial<ModelEntry>): ConfiguredModel {
  return toConfiguredModel(
    { modelName: 'm', model: 'openai/m', params: {}, modelInfo: {}, ...fields },
    0,
    providers,
  );
}

/** `dialect baseUrl model local`, or the reason. */
function place(fields: Partial<ModelEntry>): string {
  const model = configured(fields);
  if (model.kind === 'unservable') return model.reason;
  const { dialect, baseUrl, model: name, local } = model.deployment;
  return `${dialect} ${baseUrl} ${name} ${String(local)}`;
}

test('each provider of LiteLLM’s leads where LiteLLM would lead', () => {
  const local = 'http://127.0.0.1:1234/v1';
  const cases: readonly (readonly [Partial<ModelEntry>, string])[] = [
    [{ model: 'openai/gpt-4o' }, 'openai https://api.openai.com/v1 gpt-4o false'],
    [{ model: 'gpt-4o' }, 'openai https://api.openai.com/v1 gpt-4o false'],
    [{ model: 'openai/meta/llama', apiBase: local }, `openai ${local} meta/llama true`],
    [
      { model: 'hosted_vllm/x', apiBase: 'http://gpu.example.com/v1' },
      'openai http://gpu.example.com/v1 x false',
    ],
    [{ model: 'meta-llama/Llama-3', apiBase: local }, `openai ${local} meta-llama/Llama-3 true`],
    [{ model: 'anything', apiBase: local }, `openai ${local} anything true`],
    [{ model: 'ollama/llama3' }, 'ollama http://127.0.0.1:11434 llama3:latest true'],
    [
      { model: 'ollama_chat/me/x:8b', apiBase: 'http://box:11434/v1' },
      'ollama http://box:11434 me/x:8b true',
    ],
    [
      { model: 'ollama/x', apiBase: 'https://gpu.example.com' },
      'ollama https://gpu.example.com x:latest false',
    ],
    [{ model: 'litellm_proxy/gpt-4' }, 'openai http://litellm:4000 gpt-4 false'],
  ];
  for (const [fields, expected] of cases) assert.equal(place(fields), expected);
});

test('what leads nowhere says why', () => {
  assert.match(place({ model: 'anthropic/claude' }), /anthropic\/ yet.*LiteLLM proxy/);
  assert.match(place({ model: 'groq/llama' }), /groq\/ needs an api_base/);
  assert.match(place({ model: 'claude-x' }), /names no provider/);
  const bare = toConfiguredModel(
    { modelName: 'm', model: 'litellm_proxy/m', params: {}, modelInfo: {}, line: 7 },
    0,
    { mode: 'operation', ollama: providers.ollama },
  );
  assert.ok(bare.kind === 'unservable');
  assert.equal(bare.source, 'model_list, line 7');
  assert.match(bare.reason, /needs an api_base/);
});

test('the key of the proxy goes to the proxy’s own address only', () => {
  const key = (fields: Partial<ModelEntry>): string | undefined => {
    const model = configured(fields);
    return model.kind === 'deployment' ? model.deployment.apiKey?.reveal() : undefined;
  };
  assert.equal(key({ model: 'litellm_proxy/x' }), 'sk-proxy');
  assert.equal(key({ model: 'litellm_proxy/x', apiBase: 'http://elsewhere' }), undefined);
  assert.equal(key({ model: 'openai/x', apiKey: new Secret('sk-own') }), 'sk-own');
  assert.equal(key({ model: 'ollama/x', apiKey: new Secret('sk-own') }), undefined);
});

test('an answer made up needs no provider', () => {
  assert.equal(place({ model: 'anthropic/claude', mockResponse: 'hi' }), 'openai  claude true');
  assert.equal(place({ model: 'whatever', mockResponse: 'hi' }), 'openai  whatever true');
});

test('model_info tells what a model can do, nothing else is guessed', () => {
  const capabilities = (modelInfo: Readonly<Record<string, unknown>>): unknown => {
    const model = configured({ modelInfo });
    return model.kind === 'deployment' ? model.deployment.capabilities : undefined;
  };
  assert.deepEqual(capabilities({}), {});
  assert.deepEqual(capabilities({ mode: 'embedding', max_input_tokens: 512 }), {
    chat: false,
    embedding: true,
    contextLength: 512,
  });
  assert.deepEqual(capabilities({ mode: 'chat', supports_vision: true, supports_function_calling: false }), {
    chat: true,
    embedding: false,
    vision: true,
    tools: false,
  });
});
