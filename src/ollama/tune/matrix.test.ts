import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tuneMatrix } from './matrix.ts';
import type { TuneFacts } from './matrix.ts';
import { fitWorkload, promptOf } from './workload.ts';

const CPU: TuneFacts = {
  kind: 'chat',
  options: { num_ctx: 4096 },
  configured: new Set(),
  cores: 8,
  sizeBytes: 1e9,
  vramBytes: 0,
  blockCount: 32,
  hasDraft: false,
};

const tried = (facts: Partial<TuneFacts>, only: readonly string[] = []): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    tuneMatrix({ ...CPU, ...facts }, only).dimensions.map(({ option, values }) => [option, values]),
  );

test('on the CPU threads, batch and mapping are tried, without what counts already', () => {
  assert.deepEqual(tried({}), {
    num_thread: [4, 6, 8],
    num_batch: [128, 256, 1024, 2048],
    use_mmap: [false],
  });
  assert.deepEqual(tried({ options: { num_ctx: 512, num_thread: 8, num_batch: 256, use_mmap: false } }), {
    num_thread: [4, 6],
    num_batch: [128],
    use_mmap: [true],
  });
});

test('layers are tried only where a part of the model is in video memory, threads only where a part is not', () => {
  assert.deepEqual(tried({ vramBytes: 5e8 })['num_gpu'], [19, 33]);
  assert.equal(tried({ vramBytes: 1e9 })['num_gpu'], undefined);
  assert.equal(tried({ vramBytes: 1e9 })['num_thread'], undefined);
  assert.deepEqual(tried({ cores: 2 })['num_thread'], [1, 2]);
});

test('a batch bounds the texts of an embedding model, and a draft length means something only with a draft', () => {
  assert.equal(tried({ kind: 'embedding' })['num_batch'], undefined);
  assert.deepEqual(tried({ hasDraft: true })['draft_num_predict'], [0, 2, 8, 16]);
});

test('what the configuration sets is left alone until it is asked for', () => {
  const configured = new Set(['num_thread']);
  assert.equal(tried({ configured })['num_thread'], undefined);
  assert.deepEqual(Object.keys(tried({ configured }, ['num_thread'])), ['num_thread']);
  const { skipped } = tuneMatrix({ ...CPU, configured });
  assert.match(skipped.find(({ option }) => option === 'num_thread')?.reason ?? '', /configuration sets it/);
});

test('prompts of different seeds differ from their first word on, and those of one are the same', () => {
  const [one, two] = [promptOf(40, 1), promptOf(40, 2)];
  assert.equal(one, promptOf(40, 1));
  assert.notEqual(one.split(' ')[0], two.split(' ')[0]);
  assert.equal(one.split(' ').length, 40);
});

test('a workload is fitted into the context window', () => {
  const wanted = { kind: 'chat', promptTokens: 512, answerTokens: 96, wordsPerToken: 0.5 } as const;
  assert.deepEqual(fitWorkload(wanted, 4096), wanted);
  const small = fitWorkload(wanted, 256);
  assert.ok(small.promptTokens + small.answerTokens < 256);
  assert.equal(fitWorkload({ ...wanted, kind: 'embedding', promptTokens: 8192 }, 512).promptTokens, 8 * 384);
});
