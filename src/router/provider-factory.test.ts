import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ChatContext, ChatEvent, ChatRequest } from '../providers/chat.ts';
import { createProviderFactory } from './provider-factory.ts';
import type { ProviderFactory, ProviderFactoryOptions } from './provider-factory.ts';

type Setting = {
  readonly factory: ProviderFactory;
  readonly asked: { readonly request: ChatRequest; readonly context: ChatContext }[];
};

/** A factory on a gateway that says three words. */
function start(more: Partial<ProviderFactoryOptions> = {}): Setting {
  const asked: Setting['asked'] = [];
  async function* chat(request: ChatRequest, context: ChatContext): AsyncIterable<ChatEvent> {
    asked.push({ request, context });
    yield { type: 'reasoning-delta', text: 'hm' };
    for (const text of ['Machine', ' learning', '…']) yield { type: 'text-delta', text };
    yield { type: 'finish', reason: 'stop', usage: { promptTokens: 1, completionTokens: 3 } };
  }
  const factory = createProviderFactory({
    mode: 'smart',
    hasLitellm: true,
    chat,
    defaultModel: () => 'llama3:latest',
    ...more,
  });
  return { factory, asked };
}

const messages = [{ role: 'user' as const, content: 'What is machine learning?' }];

test('the design document’s example 2: capabilities are known before anything is asked', async () => {
  const { factory } = start();
  const provider = factory.getProvider('gpt-4');
  const capabilities = provider.getCapabilities();
  const printed: string[] = [];
  if (capabilities.supportsStreaming) {
    for await (const chunk of provider.streamCompletion(messages)) printed.push(chunk);
  } else {
    printed.push(await provider.completion(messages));
  }
  assert.deepEqual(printed, ['Machine', ' learning', '…']);
});

test('the design document’s example 1: the name and the hint decide, the options travel', async () => {
  const { factory, asked } = start();
  await factory.getProvider('llama3').completion(messages);
  await factory.getProvider('gpt-4').completion(messages);
  await factory.getProvider('ollama/llama3').completion(messages);
  await factory.getProvider('llama3', { providerHint: 'litellm' }).completion(messages);
  await factory.getProvider('llama3', { providerHint: 'ollama' }).completion(messages, {
    options: { num_gpu: 2, num_ctx: 4096, num_thread: 8 },
    temperature: 0,
    maxTokens: 5,
  });
  assert.deepEqual(
    asked.map(({ request }) => request.model),
    ['llama3', 'gpt-4', 'ollama/llama3', 'litellm_proxy/llama3', 'ollama/llama3'],
  );
  assert.deepEqual(asked[4]?.request, {
    model: 'ollama/llama3',
    messages: [{ role: 'user', text: 'What is machine learning?' }],
    stream: false,
    includeUsage: false,
    options: { num_gpu: 2, num_ctx: 4096, num_thread: 8 },
    temperature: 0,
    maxTokens: 5,
  });
});

test('each provider claims what it does and nothing else', () => {
  const { factory } = start();
  const claims = (model: string, providerHint?: 'ollama' | 'litellm'): readonly string[] => {
    const provider = factory.getProvider(model, providerHint === undefined ? {} : { providerHint });
    const capabilities = Object.entries(provider.getCapabilities());
    return [provider.kind, ...capabilities.filter(([, value]) => value).map(([name]) => name)];
  };
  assert.deepEqual(claims('gpt-4'), [
    'gateway',
    'supportsStreaming',
    'supportsRetry',
    'supportsLoadBalancing',
  ]);
  assert.deepEqual(claims('llama3', 'ollama'), [
    'ollama',
    'supportsStreaming',
    'supportsModelManagement',
    'supportsHardwareConfig',
  ]);
  assert.deepEqual(claims('llama3', 'litellm'), [
    'litellm',
    'supportsStreaming',
    'supportsRetry',
    'supportsFallback',
    'supportsLoadBalancing',
  ]);
});

test('without a proxy a hint at LiteLLM gives the gateway, which takes its place', () => {
  const { factory } = start({ hasLitellm: false });
  const provider = factory.getProvider('llama3', { providerHint: 'litellm' });
  assert.equal(provider.kind, 'gateway');
  assert.equal(provider.model, 'llama3');
});

test('the same question gets the same provider, another one another', () => {
  const { factory } = start();
  assert.equal(factory.getProvider('a'), factory.getProvider('a'));
  assert.notEqual(factory.getProvider('a'), factory.getProvider('b'));
  assert.notEqual(factory.getProvider('a'), factory.getProvider('a', { providerHint: 'ollama' }));
});

test('no name means the default, and no default is an error', () => {
  assert.equal(start().factory.getProvider().model, 'llama3:latest');
  assert.throws(() => start({ defaultModel: () => undefined }).factory.getProvider(), {
    code: 'model_not_found',
  });
});

test('leaving a stream early, or the caller’s signal, stops the model', async () => {
  const { factory, asked } = start();
  for await (const chunk of factory.getProvider('a').streamCompletion(messages)) {
    assert.equal(chunk, 'Machine');
    break;
  }
  assert.equal(asked[0]?.context.signal.aborted, true);
  const controller = new AbortController();
  for await (const chunk of factory
    .getProvider('a')
    .streamCompletion(messages, { signal: controller.signal })) {
    controller.abort();
    assert.equal(asked[1]?.context.signal.aborted, true);
    assert.ok(chunk);
    break;
  }
});
