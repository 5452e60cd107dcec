import assert from 'node:assert/strict';
import { test } from 'node:test';

import { applyProfile, DEFAULT_NUM_CTX, runnerProfile } from './profile.ts';
import type { ProfileLayer } from './profile-values.ts';
import type { RunnerOptions } from '../queue/runner-options.ts';

const GIB = 1024 ** 3;

function configured(options: RunnerOptions, requestOptions: readonly string[] = []): readonly ProfileLayer[] {
  return [{ source: 'configured', values: { options, requestOptions } }];
}

test('the default window is what was trained, what fits and 16,384, whichever is least', () => {
  const numCtx = (facts: Parameters<typeof runnerProfile>[0]) => runnerProfile(facts).runner['num_ctx'];
  assert.equal(numCtx({ model: { contextLength: 2048 }, layers: [] }), 2048);
  assert.equal(numCtx({ model: { contextLength: 131_072 }, layers: [] }), DEFAULT_NUM_CTX);
  assert.equal(numCtx({ layers: [] }), DEFAULT_NUM_CTX);
  const shape = { architecture: 'llama', blockCount: 32, keyValueHeads: 8, keyLength: 128, valueLength: 128 };
  const tight = {
    model: { contextLength: 131_072, sizeBytes: 4.7e9, shape },
    layers: [],
    memoryBytes: 7 * GIB,
  };
  assert.equal(numCtx(tight), 9216);
  assert.equal(numCtx({ ...tight, parallel: 2 }), 4096);
});

test('what is said later comes over the model’s own parameters, option by option', () => {
  const model = { contextLength: 32_768, ownOptions: { num_ctx: 8192, num_thread: 2 } };
  assert.deepEqual(runnerProfile({ model, layers: [] }).runner, { num_ctx: 8192, num_thread: 2 });
  const layers = [...configured({ num_ctx: 4096 }), ...configured({ num_gpu: 0 })];
  assert.deepEqual(runnerProfile({ model, layers }).runner, { num_ctx: 4096, num_thread: 2, num_gpu: 0 });
});

test('the window that is known is the one that Ollama makes of it', () => {
  const profile = runnerProfile({
    model: { contextLength: 2048 },
    layers: configured({ num_ctx: 8192 }, ['num_ctx']),
  });
  assert.equal(profile.runner['num_ctx'], 2048);
  assert.equal(applyProfile(profile, { num_ctx: 4096 }).numCtx, 2048);
  const vision = { model: { vision: true, contextLength: 8192 }, layers: configured({ num_ctx: 512 }) };
  assert.equal(runnerProfile(vision).runner['num_ctx'], 2048);
});

test('sampling passes, runner options and unknown ones are dropped by name', () => {
  const profile = runnerProfile({
    model: { contextLength: 8192 },
    layers: configured({ num_thread: 4, num_ctx: 4096 }),
  });
  const effective = applyProfile(profile, {
    temperature: 0,
    stop: ['x'],
    num_ctx: 8192,
    num_gpu: 2,
    num_thread: 8,
    low_vram: true,
    numa: true,
    gpu_memory_fraction: 0.9,
    tyop: 1,
    seed: null,
  });
  assert.deepEqual(effective, {
    options: { num_ctx: 4096, num_thread: 4, temperature: 0, stop: ['x'] },
    numCtx: 4096,
    ignored: ['gpu_memory_fraction', 'low_vram', 'num_ctx', 'num_gpu', 'num_thread', 'numa', 'tyop'],
  });
});

test('who asks for what is so anyway, or for a smaller window, is served without a reload', () => {
  const profile = runnerProfile({ model: { contextLength: 8192 }, layers: configured({ num_thread: 4 }) });
  for (const asked of [{ num_thread: 4 }, { num_ctx: 8192 }, { num_ctx: 256 }, { num_gpu: -1 }]) {
    const { options, ignored } = applyProfile(profile, asked);
    assert.deepEqual({ options, ignored }, { options: { num_ctx: 8192, num_thread: 4 }, ignored: [] });
  }
});

test('an option that requests may set is theirs, up or down', () => {
  const layers = configured({ num_ctx: 4096, num_thread: 4 }, ['num_ctx']);
  const profile = runnerProfile({ model: { contextLength: 8192 }, layers });
  for (const num_ctx of [256, 8192]) {
    const effective = applyProfile(profile, { num_ctx, num_thread: 8 });
    assert.deepEqual(effective, {
      options: { num_ctx, num_thread: 4 },
      numCtx: num_ctx,
      ignored: ['num_thread'],
    });
  }
});

test('two requests that differ have the same runner options', () => {
  const profile = runnerProfile({ model: { contextLength: 8192 }, layers: configured({ num_thread: 4 }) });
  const one = applyProfile(profile, { temperature: 0, num_ctx: 512, num_batch: 64 }).options;
  const two = applyProfile(profile, { temperature: 1, num_predict: 5, num_gpu: 9 }).options;
  for (const name of ['num_ctx', 'num_thread', 'num_batch', 'num_gpu']) assert.equal(one[name], two[name]);
});

test('an option of the wrong type is refused, allowed or not', () => {
  const profile = runnerProfile({ layers: [] });
  assert.throws(() => applyProfile(profile, { num_ctx: 'big' }), {
    code: 'invalid_request',
    param: 'num_ctx',
  });
  assert.throws(() => applyProfile(profile, { num_gpu: 1.5 }), { code: 'invalid_request', param: 'num_gpu' });
});
