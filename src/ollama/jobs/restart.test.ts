import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';

import { isObeliskError, ObeliskError } from '../../shared/errors.ts';
import { openDatabase } from '../../store/database.ts';
import { until } from '../../../test/eventually.ts';
import { startJobs } from '../../../test/jobs-setting.ts';
import { pullLines } from '../../../test/scripted-ollama-models.ts';
import { JOBS_FILE } from './job-store.ts';

const LLAMA = { name: 'llama3' };
const PULL = { kind: 'pull', model: 'llama3' } as const;
const STALLS = { kind: 'stalls', lines: pullLines(LLAMA).slice(0, 3) } as const;

test('what was under way when a process ended is gone on with by the next', async () => {
  await using setting = await startJobs({ registry: [LLAMA] });
  setting.ollama.next('/api/pull', STALLS);
  const { id, createdMs } = setting.jobs.start(PULL);
  await until(() => setting.jobs.get(id).progress.completedBytes !== undefined, 'bytes are told of');
  await setting.jobs.close();
  const next = setting.another();
  next.resume();
  const job = await setting.ended(id, next);
  assert.deepEqual([job.state, job.attempts, job.createdMs], ['done', 2, createdMs]);
  await next.close();
  const later = setting.another();
  assert.deepEqual(later.list(), [job]);
});

test('a process that only looks goes on with nothing, and says that the job waits', async () => {
  await using setting = await startJobs({ registry: [LLAMA] });
  setting.ollama.next('/api/pull', STALLS);
  const { id } = setting.jobs.start(PULL);
  await setting.ollama.arrived('/api/pull');
  await setting.jobs.close();
  const next = setting.another();
  assert.equal(next.get(id).state, 'queued');
  await sleep(20);
  assert.equal(setting.ollama.sent('/api/pull').length, 1);
  assert.equal(next.start(PULL).id, id);
  assert.equal((await setting.ended(id, next)).state, 'done');
});

test('what cannot be gone on with is lost, and says why', async () => {
  await using setting = await startJobs({ registry: [LLAMA], models: [LLAMA] });
  setting.ollama.always('/api/pull', STALLS);
  const forbidden = setting.jobs.start(PULL);
  setting.ollama.always('/api/generate', { kind: 'silent' });
  const homeless = setting.jobs.start({ kind: 'load', model: 'llama3', host: 'here' });
  await setting.jobs.close();
  const next = setting.another({
    rules: () => ({ registries: [], insecureRegistries: [] }),
    clientOf: () => undefined,
  });
  next.resume();
  assert.deepEqual(
    [forbidden, homeless].map(({ id }) => {
      const { state, error } = next.get(id);
      return [state, error?.code];
    }),
    [
      ['lost', 'forbidden'],
      ['lost', 'not_found'],
    ],
  );
});

test('a creation whose files are gone by the next start is lost, not failed', async () => {
  const gone = new ObeliskError('invalid_request', '/models/x.gguf is not there');
  let prepare: () => Promise<never> = () => new Promise(() => undefined);
  await using setting = await startJobs(
    {},
    { prepareCreate: (_of, signal) => Promise.race([prepare(), aborted(signal)]) },
  );
  const spec = { kind: 'create', model: 'mine', source: { from: '/models/x.gguf' } } as const;
  const { id } = setting.jobs.start(spec);
  await setting.jobs.close();
  prepare = () => Promise.reject(gone);
  const next = setting.another();
  next.resume();
  const job = await setting.ended(id, next);
  assert.deepEqual([job.state, job.error], ['lost', { code: 'invalid_request', message: gone.message }]);
  const again = await setting.ended(next.start(spec).id, next);
  assert.equal(again.state, 'failed');
});

test('what ended stays as it ended', async () => {
  await using setting = await startJobs({ models: [LLAMA] });
  const failed = await setting.ended(setting.jobs.start(PULL).id);
  setting.ollama.always('/api/pull', STALLS);
  const { id } = setting.jobs.start({ kind: 'pull', model: 'other' });
  const cancelled = setting.jobs.cancel(id);
  await setting.jobs.close();
  const next = setting.another();
  next.resume();
  assert.deepEqual(next.list(), [cancelled, failed]);
});

test('two processes do not have the same jobs', async () => {
  await using setting = await startJobs({ registry: [LLAMA] });
  await setting.ended(setting.jobs.start(PULL).id);
  const other = setting.another();
  other.resume();
  assert.throws(
    () => other.start(PULL),
    (error) => isObeliskError(error) && error.code === 'store_failed',
  );
  await setting.jobs.close();
  assert.equal(other.list().length, 1);
});

test('nothing is written where no job is', async () => {
  await using setting = await startJobs({});
  setting.jobs.resume();
  assert.deepEqual(setting.jobs.list(), []);
  assert.throws(
    () => setting.jobs.get('job_1'),
    (error) => isObeliskError(error) && error.code === 'not_found',
  );
  assert.deepEqual(readdirSync(setting.dataDir), []);
});

test('a row that nobody can read costs that row only', async () => {
  await using setting = await startJobs({ registry: [LLAMA] });
  const { id } = await setting.ended(setting.jobs.start(PULL).id);
  await setting.jobs.close();
  const { database } = openDatabase({
    file: path.join(setting.dataDir, JOBS_FILE),
    migrations: ['SELECT 1'],
    derived: false,
  });
  database.exec("INSERT INTO job (id, state, job) VALUES ('job_x', 'running', '{\"half')");
  database.close();
  const next = setting.another();
  next.resume();
  assert.deepEqual(
    next.list().map((job) => job.id),
    [id],
  );
});

test('two hundred that ended are remembered, the oldest are not', async () => {
  await using setting = await startJobs({ models: [LLAMA] });
  const ids: string[] = [];
  for (let count = 0; count < 203; count += 1) {
    const { id } = setting.jobs.start({ kind: 'pull', model: `m${count}`, ifMissing: true });
    setting.jobs.cancel(id);
    ids.push(id);
  }
  assert.deepEqual(
    setting.jobs
      .list()
      .map(({ id }) => id)
      .reverse(),
    ids.slice(3),
  );
  await setting.jobs.close();
  assert.equal(setting.another().list().length, 200);
});

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) =>
    signal.addEventListener('abort', () => reject(new Error('aborted'))),
  );
}

test('long texts of a creation are kept whole for the next process, and told of in short', async () => {
  const license = ['free '.repeat(100_000)];
  const made: unknown[] = [];
  await using setting = await startJobs(
    {},
    {
      prepareCreate: ({ source }, signal) => {
        made.push(source.license);
        return aborted(signal);
      },
    },
  );
  const spec = { kind: 'create', model: 'mine', source: { from: 'base', license } } as const;
  const { id } = setting.jobs.start(spec);
  assert.equal(setting.jobs.start(spec).id, id, 'it is known as the same');
  await until(() => made.length === 1, 'it is prepared');
  await setting.jobs.close();
  const next = setting.another();
  next.resume();
  await until(() => made.length === 2, 'it is prepared again');
  assert.deepEqual(made, [license, license]);
  assert.ok(setting.told.every((job) => JSON.stringify(job).length < 4_000));
});
