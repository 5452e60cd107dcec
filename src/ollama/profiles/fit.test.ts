import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cacheBytes, estimateFit, fittingContext, largestContext, parallelOf } from './fit.ts';
import type { FitFacts } from './fit.ts';
import { toOllamaModel } from '../fleet/model-facts.ts';
import type { ModelShape } from '../fleet/model-facts.ts';

const GIB = 1024 ** 3;
/** Sizes of an 8-billion-parameter model with grouped attention. */
const llama: ModelShape = {
  architecture: 'llama',
  blockCount: 32,
  keyValueHeads: 8,
  keyLength: 128,
  valueLength: 128,
};
/** 32 blocks × 8 heads × (128 + 128) wide × 2 bytes. */
const TOKEN_BYTES = 131_072;

test('the cache is blocks × heads × key and value × tokens, for each request at once', () => {
  assert.equal(cacheBytes(llama, { numCtx: 1, parallel: 1 }), TOKEN_BYTES);
  assert.equal(cacheBytes(llama, { numCtx: 4096, parallel: 4 }), 4096 * 4 * TOKEN_BYTES);
});

test('a quantized cache takes what GGML packs 32 elements into', () => {
  const ask = { numCtx: 1024, parallel: 1 };
  const full = cacheBytes(llama, ask);
  assert.equal(cacheBytes(llama, { ...ask, cacheType: 'q8_0' }) / full, 34 / 64);
  assert.equal(cacheBytes(llama, { ...ask, cacheType: 'q4_0' }) / full, 18 / 64);
});

test('blocks with a sliding window stop growing at it, every sixth of gemma3 sees everything', () => {
  const gemma: ModelShape = { ...llama, architecture: 'gemma3', blockCount: 12, slidingWindow: 1024 };
  const blockBytes = 8 * 256 * 2;
  const tokens = 32_768;
  const expected = 2 * blockBytes * tokens + 10 * blockBytes * (1024 + 512);
  assert.equal(cacheBytes(gemma, { numCtx: tokens, parallel: 1 }), expected);
  assert.equal(cacheBytes(gemma, { numCtx: 256, parallel: 1 }), 12 * blockBytes * 256);
});

test('heads that differ from block to block are counted one by one', () => {
  const shape: ModelShape = { ...llama, blockCount: 4, keyValueHeads: [8, 0, 8, 0] };
  assert.equal(cacheBytes(shape, { numCtx: 10, parallel: 1 }), 16 * 256 * 2 * 10);
});

test('what fits is weights and cache in 80 % of the memory, in steps of 1,024 tokens', () => {
  const exact = (4.7e9 + 8192 * TOKEN_BYTES) / 0.8;
  const room = { sizeBytes: 4.7e9, shape: llama, parallel: 1 };
  assert.equal(largestContext({ ...room, memoryBytes: exact + 1 }, 131_072), 8192);
  assert.equal(largestContext({ ...room, memoryBytes: exact - 1_000_000 }, 131_072), 7168);
  assert.equal(largestContext({ ...room, memoryBytes: exact + 1, parallel: 2 }, 131_072), 4096);
  assert.equal(largestContext({ ...room, memoryBytes: 1e12 }, 2000), 2000);
  assert.equal(largestContext({ ...room, memoryBytes: 4e9 }, 131_072), 0);
});

test('a default window is never too small to be of use, and unlimited where something is not known', () => {
  const room = { sizeBytes: 40e9, shape: llama, memoryBytes: 8 * GIB };
  assert.equal(fittingContext(room, 16_384), 2048);
  assert.equal(fittingContext(room, 512), 512);
  assert.equal(fittingContext({ ...room, sizeBytes: 4.7e9, memoryBytes: 7 * GIB }, 16_384), 9216);
  assert.equal(fittingContext({ sizeBytes: 40e9, shape: llama }, 16_384), 16_384);
  assert.equal(fittingContext({ sizeBytes: 40e9, memoryBytes: 8 * GIB }, 16_384), 16_384);
});

function model(name = 'llama3:latest') {
  return toOllamaModel(
    { name, size: 4.7e9 },
    {
      capabilities: ['completion'],
      model_info: {
        'general.architecture': 'llama',
        'llama.context_length': 131_072,
        'llama.block_count': 32,
        'llama.embedding_length': 4096,
        'llama.attention.head_count': 32,
        'llama.attention.head_count_kv': 8,
      },
    },
  );
}

function facts(more: Partial<FitFacts> = {}): FitFacts {
  return {
    model: model(),
    host: 'gpu',
    memoryBytes: 8 * GIB,
    memorySource: 'configured',
    ask: { numCtx: 8192, parallel: 1 },
    ...more,
  };
}

test('an estimate says what it reckoned with', () => {
  assert.deepEqual(estimateFit(facts()), {
    host: 'gpu',
    model: 'llama3:latest',
    numCtx: 8192,
    parallel: 1,
    weightsBytes: 4.7e9,
    cacheBytes: GIB,
    totalBytes: 4.7e9 + GIB,
    memoryBytes: 8 * GIB,
    verdict: 'fits',
    largestNumCtx: 16_384,
    explanation:
      'weights of 4.7 GB and a cache of 1.1 GB (f16, 8192 tokens) are 5.8 GB; Ollama uses up to 80 % of the 8.6 GB that the configuration says',
  });
  assert.match(
    estimateFit(facts({ tooLong: 900_000 })).explanation,
    /^it was trained for 8192 tokens and gets no 900000; weights/,
  );
});

test('what is too large is told with what would fit', () => {
  const long = estimateFit(facts({ ask: { numCtx: 65_536, parallel: 2 } }));
  assert.equal(long.verdict, 'too large');
  assert.match(long.explanation, /for each of 2 requests at once/);
  assert.match(long.explanation, /lower num_ctx to 8192, or start Ollama with OLLAMA_KV_CACHE_TYPE=q8_0$/);
  const heavy = estimateFit(facts({ memoryBytes: 4 * GIB, memorySource: 'this machine' }));
  assert.equal(heavy.largestNumCtx, undefined);
  assert.match(heavy.explanation, /of this machine: not even the weights fit/);
});

test('what is not known is said, never guessed', () => {
  const { memoryBytes: _memory, ...remote } = facts({ memorySource: 'unknown' });
  const unplaced = estimateFit(remote);
  assert.equal(unplaced.verdict, 'unknown');
  assert.equal(unplaced.totalBytes, 4.7e9 + GIB);
  assert.match(unplaced.explanation, /the memory of gpu is not known.*set memory for the host/);
  const shapeless = estimateFit(facts({ model: { ...model(), shape: undefined } }));
  assert.equal(shapeless.verdict, 'unknown');
  assert.equal(shapeless.cacheBytes, undefined);
  assert.match(shapeless.explanation, /does not tell the sizes/);
});

test('an embedding model, and what Ollama serves one by one, has one window', () => {
  assert.equal(parallelOf(model(), 4), 4);
  assert.equal(parallelOf({ ...model(), chat: false, embedding: true }, 4), 1);
  assert.equal(parallelOf({ ...model(), shape: { ...llama, architecture: 'qwen3next' } }, 4), 1);
});
