import assert from 'node:assert/strict';
import { test } from 'node:test';

import { applyProfile, DEFAULT_NUM_CTX, fittingContext, runnerProfile } from './profile.ts';

const GIB = 1024 ** 3;
/** Sizes of an 8-billion-parameter model with grouped attention. */
const shape = { blockCount: 32, headCount: 32, keyValueHeads: 8, embeddingLength: 4096 };

test('the default window is what was trained, what fits and 16,384, whichever is least', () => {
  assert.equal(runnerProfile({ trainedContext: 2048, hardware: {} }).runner['num_ctx'], 2048);
  assert.equal(runnerProfile({ trainedContext: 131_072, hardware: {} }).runner['num_ctx'], DEFAULT_NUM_CTX);
  assert.equal(runnerProfile({ hardware: {} }).runner['num_ctx'], DEFAULT_NUM_CTX);
  const tight = runnerProfile({
    trainedContext: 131_072,
    hardware: {},
    sizeBytes: 4.7e9,
    shape,
    memoryBytes: 7 * GIB,
  });
  assert.equal(tight.runner['num_ctx'], 9216);
});

test('what fits is file size plus key-value cache in 80 % of the memory', () => {
  // 2 × 32 blocks × 8 heads × 128 wide × 2 bytes = 131,072 bytes a token.
  const exact = (4.7e9 + 8192 * 131_072) / 0.8;
  assert.equal(fittingContext({ sizeBytes: 4.7e9, shape, memoryBytes: exact + 1 }), 8192);
  assert.equal(fittingContext({ sizeBytes: 4.7e9, shape, memoryBytes: exact - 1_000_000 }), 7168);
  assert.equal(fittingContext({ sizeBytes: 40e9, shape, memoryBytes: 8 * GIB }), 2048);
  assert.equal(fittingContext({ sizeBytes: 4.7e9, shape, memoryBytes: undefined }), DEFAULT_NUM_CTX);
});

test('configuration comes over the model’s own parameter, an override over it, the deployment over all', () => {
  const facts = { trainedContext: 32_768, ownNumCtx: 8192, hardware: {} };
  assert.equal(runnerProfile(facts).runner['num_ctx'], 8192);
  const configured = { ...facts, hardware: { num_ctx: 4096, num_thread: 8 } };
  assert.deepEqual(runnerProfile(configured).runner, { num_ctx: 4096, num_thread: 8 });
  const overridden = { ...configured, overrides: { num_ctx: 1024 } };
  assert.deepEqual(runnerProfile(overridden).runner, { num_ctx: 1024, num_thread: 8 });
  const deployed = { ...overridden, deployment: { num_ctx: 512, num_gpu: 0, temperature: 0, timeout: 5 } };
  assert.deepEqual(runnerProfile(deployed).runner, { num_ctx: 512, num_thread: 8, num_gpu: 0 });
});

test('more than was trained is never asked for, so the window that is known is the real one', () => {
  const profile = runnerProfile({ trainedContext: 2048, hardware: { num_ctx: 8192 } });
  assert.equal(profile.runner['num_ctx'], 2048);
  assert.equal(applyProfile(profile, { num_ctx: 4096 }).numCtx, 2048);
});

test('sampling passes, num_ctx passes, other runner options and unknown ones are dropped by name', () => {
  const profile = runnerProfile({ trainedContext: 8192, hardware: { num_thread: 4 } });
  const effective = applyProfile(profile, {
    temperature: 0,
    stop: ['x'],
    num_ctx: 256,
    num_gpu: 2,
    num_thread: 8,
    low_vram: true,
    numa: true,
    gpu_memory_fraction: 0.9,
    tyop: 1,
    seed: null,
  });
  assert.deepEqual(effective, {
    options: { num_ctx: 256, num_thread: 4, temperature: 0, stop: ['x'] },
    numCtx: 256,
    ignored: ['gpu_memory_fraction', 'low_vram', 'num_gpu', 'num_thread', 'numa', 'tyop'],
  });
});

test('asking for what the profile says anyway is not named as ignored', () => {
  const profile = runnerProfile({ trainedContext: 8192, hardware: { num_thread: 4 } });
  assert.deepEqual(applyProfile(profile, { num_thread: 4 }).ignored, []);
});

test('two requests that differ in sampling only have the same runner options', () => {
  const profile = runnerProfile({ trainedContext: 8192, hardware: { num_thread: 4 } });
  const one = applyProfile(profile, { temperature: 0 }).options;
  const two = applyProfile(profile, { temperature: 1, num_predict: 5 }).options;
  for (const name of ['num_ctx', 'num_thread']) assert.equal(one[name], two[name]);
});

test('an option of the wrong type is refused, allowed or not', () => {
  const profile = runnerProfile({ hardware: {} });
  assert.throws(() => applyProfile(profile, { num_ctx: 'big' }), {
    code: 'invalid_request',
    param: 'num_ctx',
  });
  assert.throws(() => applyProfile(profile, { num_gpu: 1.5 }), { code: 'invalid_request', param: 'num_gpu' });
});
