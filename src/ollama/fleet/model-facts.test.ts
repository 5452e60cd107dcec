import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toOllamaModel } from './model-facts.ts';

const tag = {
  name: 'llama3:latest',
  digest: 'abc',
  size: 10,
  modified_at: '2026-01-02T03:04:05.123456789Z',
  details: { family: 'llama', families: ['llama'] },
};

test('capabilities and sizes come from show', () => {
  const model = toOllamaModel(tag, {
    capabilities: ['completion', 'tools', 'thinking'],
    modelfile: `# FROM llama3:latest\n\nFROM /m/blobs/sha256-${'a'.repeat(64)}\nFROM C:\\m\\blobs\\sha256-${'b'.repeat(64)}\r\nSYSTEM x\n`,
    parameters:
      'stop    "<|im_start|>"\nnum_ctx                        8192\ntemperature 0.1\nuse_mmap false\nnum_batch big\nnum_gpu -1',
    model_info: {
      'general.architecture': 'llama',
      'llama.context_length': 131_072,
      'llama.block_count': 32,
      'llama.embedding_length': 4096,
      'llama.attention.head_count': 32,
      'llama.attention.head_count_kv': [8, 8, 4],
    },
  });
  assert.deepEqual(model, {
    name: 'llama3:latest',
    digest: 'abc',
    weights: `${'a'.repeat(64)} ${'b'.repeat(64)}`,
    sizeBytes: 10,
    modifiedMs: Date.parse('2026-01-02T03:04:05.123Z'),
    chat: true,
    embedding: false,
    tools: true,
    vision: false,
    thinking: true,
    contextLength: 131_072,
    ownOptions: { num_ctx: 8192, use_mmap: false, num_gpu: -1 },
    remoteHost: undefined,
    shape: {
      architecture: 'llama',
      blockCount: 32,
      keyValueHeads: [8, 8, 4],
      keyLength: 128,
      valueLength: 128,
    },
  });
});

test('a list that the server tells only when asked for everything leaves the shape unknown', () => {
  const sizes = {
    'general.architecture': 'gemma3n',
    'gemma3n.block_count': 30,
    'gemma3n.embedding_length': 2048,
    'gemma3n.attention.head_count': 8,
    'gemma3n.attention.key_length': 256,
    'gemma3n.attention.value_length': 256,
    'gemma3n.attention.sliding_window': 512,
  };
  const shapeOf = (heads: unknown) =>
    toOllamaModel(tag, { model_info: { ...sizes, 'gemma3n.attention.head_count_kv': heads } }).shape;
  assert.equal(shapeOf(null), undefined);
  assert.equal(shapeOf([]), undefined);
  assert.deepEqual(shapeOf(2), {
    architecture: 'gemma3n',
    blockCount: 30,
    keyValueHeads: 2,
    keyLength: 256,
    valueLength: 256,
    slidingWindow: 512,
  });
});

test('capabilities of the list are enough where show failed', () => {
  const model = toOllamaModel(
    { ...tag, capabilities: ['embedding'], details: { context_length: 512 } },
    undefined,
  );
  assert.equal(model.embedding, true);
  assert.equal(model.chat, false);
  assert.equal(model.contextLength, 512);
});

test('an old server that tells no capabilities is read by pooling, family and template', () => {
  const bert = toOllamaModel({ name: 'e', details: { family: 'nomic-bert' } }, undefined);
  assert.deepEqual([bert.chat, bert.embedding], [false, true]);
  const pooled = toOllamaModel({ name: 'e' }, { model_info: { 'qwen2.pooling_type': 3 } });
  assert.deepEqual([pooled.chat, pooled.embedding], [false, true]);
  const old = toOllamaModel(
    { name: 'llava', details: { family: 'llama', families: ['llama', 'clip'] } },
    { template: '{{ if .Tools }}{{ end }}' },
  );
  assert.deepEqual(
    [old.chat, old.embedding, old.tools, old.vision, old.thinking],
    [true, false, true, true, false],
  );
});

test('a model that Ollama forwards is known by its host or its name', () => {
  assert.equal(
    toOllamaModel({ name: 'x:latest', remote_host: 'https://ollama.com:443' }, undefined).remoteHost,
    'https://ollama.com:443',
  );
  assert.equal(toOllamaModel({ name: 'gpt-oss:120b-cloud' }, undefined).remoteHost, 'ollama.com');
  assert.equal(toOllamaModel({ name: 'x' }, { remote_host: 'ollama.com' }).remoteHost, 'ollama.com');
  assert.equal(toOllamaModel({ name: 'x' }, {}).remoteHost, undefined);
});

test('a list entry with nothing but a name is a model', () => {
  const model = toOllamaModel({ name: 'x' }, undefined);
  assert.equal(model.name, 'x:latest');
  assert.equal(model.modifiedMs, 0);
  assert.equal(model.shape, undefined);
});
