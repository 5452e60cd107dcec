import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import { startJobs } from '../../../test/jobs-setting.ts';
import type { JobsSetting } from '../../../test/jobs-setting.ts';
import type { CreateSource } from '../control-plane.ts';
import { prepareCreate } from '../create/prepare-create.ts';

async function folderOf(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'obelisk-create-job-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  return folder;
}

function start(): Promise<JobsSetting> {
  const models = [{ name: 'base' }];
  return startJobs(
    { models, registry: [{ name: 'far' }] },
    { prepareCreate, retry: { firstPauseMs: 1, fruitlessTries: 2 } },
  );
}

const create = (setting: JobsSetting, source: CreateSource) =>
  setting.ended(setting.jobs.start({ kind: 'create', model: 'new', source }).id);

const WEIGHTS = `GGUF${'w'.repeat(100_000)}`;

test('what a model is made of is uploaded once, and the model is there', async (t) => {
  await using setting = await start();
  const folder = await folderOf(t, { 'a.gguf': WEIGHTS });
  const source = { modelfile: 'FROM a.gguf\nSYSTEM terse\nPARAMETER numa true', directory: folder };
  const job = await create(setting, source);
  assert.equal(job.state, 'done', job.error?.message);
  assert.deepEqual(
    job.progress.layers.map(({ totalBytes, completedBytes }) => [totalBytes, completedBytes]),
    [[WEIGHTS.length, WEIGHTS.length]],
  );
  assert.match(job.progress.notices?.[0] ?? '', /line 3 .*numa is left out/);
  assert.equal(setting.ollama.sent('/api/create')[0]?.['system'], 'terse');
  const posted = (): number =>
    setting.ollama.requests.filter((one) => one.method === 'POST' && one.path.startsWith('/api/blobs/'))
      .length;
  assert.equal(posted(), 1);
  assert.equal((await create(setting, source)).state, 'done');
  assert.equal(posted(), 1, 'bytes that are there are not sent again');
});

test('a model is made of files that the host has already, and of no others', async () => {
  await using setting = await start();
  const digest = `sha256:${'ab'.repeat(32)}`;
  const files = { 'a.gguf': digest };
  const early = await create(setting, { files });
  assert.deepEqual([early.state, early.attempts, early.error?.code], ['failed', 1, 'invalid_request']);
  assert.match(early.error?.message ?? '', /does not have sha256:abab/);
  setting.ollama.blobs.add(digest);
  assert.equal((await create(setting, { files, adapterFiles: { 'b/l.gguf': digest } })).state, 'done');
  assert.deepEqual(setting.ollama.sent('/api/create'), [
    { model: 'new', files, adapters: { 'b/l.gguf': digest }, stream: true },
  ]);
  assert.match((await create(setting, { files, from: 'base' })).error?.message ?? '', /not from both/);
});

test('what was left out of a model is known after a restart as well', async (t) => {
  await using setting = await start();
  const folder = await folderOf(t, { 'a.gguf': WEIGHTS });
  const { id } = await create(setting, {
    modelfile: 'FROM a.gguf\nPARAMETER f16_kv true',
    directory: folder,
  });
  await setting.jobs.close();
  assert.equal(setting.another().get(id).progress.notices?.length, 1);
});

test('a file that changes between its digest and its upload is not made a model of', async (t) => {
  await using setting = await start();
  const folder = await folderOf(t, { 'a.gguf': WEIGHTS });
  const file = path.join(folder, 'a.gguf');
  const prepare: typeof prepareCreate = async (...given) => {
    const prepared = await prepareCreate(...given);
    await writeFile(file, WEIGHTS.replaceAll('w', 'v'));
    return prepared;
  };
  const jobs = setting.another({ prepareCreate: prepare });
  const job = await setting.ended(
    jobs.start({ kind: 'create', model: 'new', source: { from: file } }).id,
    jobs,
  );
  assert.equal(job.state, 'failed');
  assert.match(job.error?.message ?? '', /digest mismatch/);
  assert.equal(setting.ollama.models.has('new:latest'), false);
});

test('what cannot be made fails at once, with the reason and without a request', async () => {
  await using setting = await start();
  for (const [source, message] of [
    [{ from: path.resolve('/none/a.gguf') }, /cannot be read/],
    [{ modelfile: 'FORM base' }, /line 1/],
    [{ from: 'base', quantize: 'q5_0' }, /cannot quantize/],
    [{ from: 'base', parameters: { num_ctx: 'many' } }, /num_ctx/],
  ] as const) {
    const job = await create(setting, source);
    assert.deepEqual([job.state, job.attempts, job.error?.code], ['failed', 1, 'invalid_request']);
    assert.match(job.error?.message ?? '', message);
  }
  assert.equal(setting.ollama.requests.filter(({ method }) => method === 'POST').length, 0);
});

test('a base that is missing is pulled first, and its success is not the end', async () => {
  await using setting = await start();
  assert.equal((await create(setting, { from: 'far' })).state, 'done');
  const pulled = [{ status: 'pulling manifest' }, { status: 'success' }];
  setting.ollama.always('/api/create', { kind: 'lines', lines: pulled });
  setting.ollama.models.delete('new:latest');
  const job = await create(setting, { from: 'far' });
  assert.equal(job.state, 'failed');
  assert.match(job.error?.message ?? '', /unfinished|does not list/);
});

test('cancelling in the middle of an upload closes it, and leaves no half of a model', async (t) => {
  await using setting = await start();
  const folder = await folderOf(t, { 'a.gguf': WEIGHTS });
  const [blob] = (await prepareCreate({ model: 'x', source: { from: folder } })).blobs;
  assert.ok(blob);
  const upload = `/api/blobs/${blob.digest}`;
  setting.ollama.next(upload, { kind: 'refuse', status: 404 }, { kind: 'silent' });
  const { id } = setting.jobs.start({ kind: 'create', model: 'new', source: { from: folder } });
  await setting.ollama.arrived(upload, 2);
  setting.jobs.cancel(id);
  assert.equal((await setting.ended(id)).state, 'cancelled');
  assert.equal(setting.ollama.blobs.size, 0);
  assert.equal(setting.ollama.models.has('new:latest'), false);
});
