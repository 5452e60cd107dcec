import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isObeliskError, ObeliskError } from '../../shared/errors.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { until } from '../../../test/eventually.ts';
import { never, startJobs } from '../../../test/jobs-setting.ts';
import type { JobsSetting } from '../../../test/jobs-setting.ts';
import { pullLines } from '../../../test/scripted-ollama-models.ts';
import type { Job } from '../control-plane.ts';

const LLAMA = { name: 'llama3' };
const PULL = { kind: 'pull', model: 'llama3' } as const;

function refused(code: ErrorCode): (error: unknown) => boolean {
  return (error) => isObeliskError(error) && error.code === code;
}

test('a pull is done when Ollama said success and lists the model', async () => {
  await using setting = await startJobs({ registry: [LLAMA], stepMs: 5 });
  const begun = setting.jobs.start(PULL);
  assert.equal(begun.state, 'running');
  const job = await setting.ended(begun.id);
  assert.equal(job.state, 'done');
  assert.equal(job.attempts, 1);
  assert.equal(job.error, undefined);
  assert.deepEqual([job.progress.status, job.progress.completedBytes], ['success', 1_000_000]);
  assert.ok(setting.ollama.models.has('llama3:latest'));
  assert.deepEqual(setting.jobs.list(), [job]);
});

test('a success without the model in the list is not done', async () => {
  await using setting = await startJobs(
    { registry: [LLAMA] },
    { retry: { firstPauseMs: 1, fruitlessTries: 2 } },
  );
  setting.ollama.always('/api/pull', { kind: 'lines', lines: pullLines(LLAMA) });
  const job = await setting.ended(setting.jobs.start(PULL).id);
  assert.equal(job.state, 'failed');
  assert.match(job.error?.message ?? '', /does not list the model/);
});

test('cancelling closes the connection, and the job stays cancelled', async () => {
  await using setting = await startJobs({ registry: [LLAMA] });
  setting.ollama.always('/api/pull', { kind: 'stalls', lines: pullLines(LLAMA).slice(0, 3) });
  const { id } = setting.jobs.start(PULL);
  await setting.ollama.arrived('/api/pull');
  assert.equal(setting.jobs.cancel(id).state, 'cancelled');
  await until(() => setting.ollama.inFlight('/api/pull') === 0, 'its connection was closed');
  assert.equal(setting.jobs.cancel(id).state, 'cancelled');
  const again = setting.jobs.start(PULL);
  assert.notEqual(again.id, id);
  setting.jobs.cancel(again.id);
  assert.deepEqual(
    setting.jobs.list().map(({ state }) => state),
    ['cancelled', 'cancelled'],
  );
});

test('who asks for the same in another spelling gets the job that is there', async () => {
  await using setting = await startJobs({ registry: [LLAMA], stepMs: 5 });
  const { id } = setting.jobs.start(PULL);
  assert.equal(setting.jobs.start({ kind: 'pull', model: 'LLAMA3:latest' }).id, id);
  assert.equal(
    setting.jobs.start({ kind: 'pull', model: 'registry.ollama.ai/library/llama3', host: 'here' }).id,
    id,
  );
  assert.equal(setting.jobs.start({ ...PULL, ifMissing: true }).id, id);
  await setting.ended(id);
  assert.notEqual(setting.jobs.start(PULL).id, id);
  assert.equal(setting.ollama.peak('/api/pull'), 1);
});

test('to ensure a model that is there does not fail with an update of it', async () => {
  await using setting = await startJobs({ models: [LLAMA] }, { isInstalled: () => true });
  setting.ollama.always('/api/pull', { kind: 'error-line', lines: [], error: 'file does not exist' });
  const update = setting.jobs.start(PULL);
  const ensured = setting.jobs.start({ ...PULL, ifMissing: true });
  assert.deepEqual(
    [(await setting.ended(update.id)).state, (await setting.ended(ensured.id)).state],
    ['failed', 'done'],
  );
});

test('to ensure a model that is there asks for no download', async () => {
  await using setting = await startJobs({ models: [LLAMA] });
  const job = await setting.ended(setting.jobs.start({ kind: 'pull', model: 'Llama3', ifMissing: true }).id);
  assert.equal(job.state, 'done');
  assert.deepEqual(setting.ollama.sent('/api/pull'), []);
});

test('a thousand who watch cost one stream, and are given the same objects', async () => {
  await using setting = await startJobs({ registry: [LLAMA], stepMs: 60 });
  const { id } = setting.jobs.start(PULL);
  const watch = async (): Promise<readonly Job[]> => {
    const jobs: Job[] = [];
    for await (const job of setting.jobs.watch(id, never)) jobs.push(job);
    return jobs;
  };
  const seen = await Promise.all(Array.from({ length: 1_000 }, watch));
  assert.equal(setting.ollama.sent('/api/pull').length, 1);
  const distinct = new Set(seen.flat());
  assert.ok(distinct.size <= setting.told.length + 1, `${distinct.size} objects`);
  for (const jobs of seen) assert.equal(jobs.at(-1), seen[0]?.at(-1));
});

test('who stops watching stops nothing', async () => {
  await using setting = await startJobs({ registry: [LLAMA], stepMs: 5 });
  const { id } = setting.jobs.start(PULL);
  const leaving = new AbortController();
  for await (const _job of setting.jobs.watch(id, leaving.signal)) leaving.abort();
  assert.equal((await setting.ended(id)).state, 'done');
});

test('one who is slow to read sees the end all the same', async () => {
  await using setting = await startJobs({ registry: [LLAMA], stepMs: 1 });
  const { id } = setting.jobs.start(PULL);
  const states: string[] = [];
  for await (const { state } of setting.jobs.watch(id, never)) {
    states.push(state);
    await setting.ended(id);
  }
  assert.deepEqual(states, ['running', 'done']);
});

test('what may not be pulled, and from where, is refused before anything is sent', async () => {
  await using setting = await startJobs({ models: [LLAMA] });
  const { jobs, ollama } = setting;
  assert.throws(() => jobs.start({ kind: 'pull', model: 'evil.example/a/b' }), refused('forbidden'));
  assert.throws(() => jobs.start({ kind: 'push', model: 'evil.example/a/b' }), refused('forbidden'));
  assert.throws(() => jobs.start({ ...PULL, insecure: true }), refused('forbidden'));
  assert.throws(
    () => jobs.start({ kind: 'pull', model: 'http://127.0.0.1:5000/library/x' }),
    refused('invalid_request'),
  );
  assert.throws(() => jobs.start({ ...PULL, host: 'elsewhere' }), refused('not_found'));
  assert.throws(() => jobs.get('job_0'), refused('not_found'));
  assert.throws(() => jobs.cancel('job_0'), refused('not_found'));
  assert.throws(() => jobs.watch('job_0', never), refused('not_found'));
  assert.deepEqual([ollama.requests, jobs.list()], [[], []]);
});

test('a registry without TLS is told to Ollama as one', async () => {
  const name = '127.0.0.1:5000/library/x:1';
  await using setting = await startJobs({ models: [{ name }] });
  const job = await setting.ended(setting.jobs.start({ kind: 'push', model: name }).id);
  assert.equal(job.state, 'done');
  assert.equal(job.progress.status, 'success');
  assert.deepEqual(setting.ollama.sent('/api/push'), [{ model: name, insecure: true, stream: true }]);
});

test('a load carries the options of the profile, and is done when Ollama lists the model as loaded', async () => {
  await using setting = await startJobs({ models: [LLAMA] });
  const job = await setting.ended(setting.jobs.start({ kind: 'load', model: 'llama3' }).id);
  assert.equal(job.state, 'done');
  assert.deepEqual(
    setting.ollama.loads.map(({ options }) => options),
    [{ num_ctx: 2_048 }],
  );
});

test('a load of minutes is waited for, and can be cancelled in its silence', async () => {
  await using setting = await startJobs({ models: [LLAMA] });
  setting.ollama.always('/api/generate', { kind: 'silent' });
  const { id } = setting.jobs.start({ kind: 'load', model: 'llama3' });
  await setting.ollama.arrived('/api/generate');
  assert.equal(setting.jobs.get(id).progress.status, '');
  setting.jobs.cancel(id);
  await until(() => setting.ollama.inFlight('/api/generate') === 0, 'its connection was closed');
  assert.equal(setting.jobs.get(id).state, 'cancelled');
});

test('a runner that dies while it loads fails the job in Ollama’s words', async () => {
  await using setting = await startJobs({ models: [LLAMA] });
  setting.ollama.always('/api/generate', { kind: 'crash' });
  const job = await setting.ended(setting.jobs.start({ kind: 'load', model: 'llama3' }).id);
  assert.deepEqual([job.state, job.attempts], ['failed', 1]);
  assert.match(job.error?.message ?? '', /llama runner process has terminated/);
});

test('a host takes three transfers at once; the others wait for their turn, and for their model', async () => {
  const models = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name }));
  await using setting = await startJobs({ registry: models, stepMs: 4 });
  const begun = models.map(({ name }) => setting.jobs.start({ kind: 'pull', model: name }));
  const loading = setting.jobs.start({ kind: 'load', model: 'a' });
  assert.deepEqual(
    [...begun, loading].map(({ state }) => state),
    ['running', 'running', 'running', 'queued', 'queued', 'queued'],
  );
  const ended = await Promise.all([...begun, loading].map(({ id }) => setting.ended(id)));
  assert.ok(
    ended.every(({ state }) => state === 'done'),
    JSON.stringify(ended),
  );
  assert.equal(setting.ollama.peak('/api/pull'), 3);
});

/** Fills the lane of transfers with jobs that stand still, and cancels many that wait behind them. */
async function endMany(setting: JobsSetting): Promise<readonly Job[]> {
  setting.ollama.always('/api/pull', { kind: 'stalls', lines: pullLines(LLAMA).slice(0, 3) });
  const still = ['one', 'two', 'three'].map((model) => setting.jobs.start({ kind: 'pull', model }));
  await until(() => setting.ollama.inFlight('/api/pull') === still.length, 'the lane is full');
  for (let index = 0; index < 201; index += 1) {
    setting.jobs.cancel(setting.jobs.start({ kind: 'pull', model: `many-${index}` }).id);
  }
  return still;
}

test('a job that took long is not forgotten as soon as it ends, whatever has ended meanwhile', async () => {
  await using setting = await startJobs({ registry: [LLAMA] });
  const [{ id } = { id: '' }] = await endMany(setting);
  assert.equal(setting.jobs.cancel(id).state, 'cancelled');
  assert.equal(setting.jobs.get(id).state, 'cancelled');
  assert.equal(setting.jobs.list().length, 202);
});

test('a store that cannot forget keeps no job from ending', async () => {
  await using setting = await startJobs({ registry: [LLAMA] }, {}, (store) => ({
    ...store,
    get exists() {
      return store.exists;
    },
    forget: () => {
      throw new ObeliskError('store_failed', 'the disk is full');
    },
  }));
  const [{ id } = { id: '' }] = await endMany(setting);
  setting.jobs.cancel(id);
  await until(() => setting.ollama.inFlight('/api/pull') === 2, 'its connection was closed');
});
