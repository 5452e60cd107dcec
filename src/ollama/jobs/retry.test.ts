import assert from 'node:assert/strict';
import { test } from 'node:test';

import { never, startJobs } from '../../../test/jobs-setting.ts';
import { digestMismatch, forbidden } from '../../../test/scripted-ollama-faults.ts';
import { pullLines } from '../../../test/scripted-ollama-models.ts';

const LLAMA = { name: 'llama3' };
const PULL = { kind: 'pull', model: 'llama3' } as const;

test('a stream that just ends is no success: it is tried again', async () => {
  await using setting = await startJobs({ registry: [LLAMA] });
  setting.ollama.next('/api/pull', { kind: 'lines', lines: pullLines(LLAMA).slice(0, -1) });
  const job = await setting.ended(setting.jobs.start(PULL).id);
  assert.deepEqual([job.state, job.attempts], ['done', 2]);
});

for (const [what, fault] of [
  ['a connection that breaks', { kind: 'breaks', lines: pullLines(LLAMA).slice(0, 3) }],
  ['a digest that is not that of the bytes', digestMismatch(`sha256:${'1'.repeat(64)}`)],
  [
    'a registry that is slow',
    { kind: 'error-line', lines: [], error: 'max retries exceeded: unexpected EOF' },
  ],
  [
    'a server of another kind for a moment',
    { kind: 'page', status: 200, contentType: 'text/html', body: '<p>' },
  ],
  [
    'a busy server',
    {
      kind: 'refuse',
      status: 503,
      error: 'server busy, please try again.  maximum pending requests exceeded',
    },
  ],
] as const) {
  test(`after ${what} a pull is tried again`, async () => {
    await using setting = await startJobs({ registry: [LLAMA] });
    setting.ollama.next('/api/pull', fault, fault);
    const job = await setting.ended(setting.jobs.start(PULL).id);
    assert.deepEqual([job.state, job.attempts], ['done', 3]);
    const waited = setting.told.find(({ error }) => error !== undefined);
    assert.match(waited?.progress.status ?? '', /^trying again in \d+ s$/);
    assert.equal(job.error, undefined);
    const again = setting.told.find(({ attempts }) => attempts === 2);
    assert.deepEqual([again?.progress.status, again?.error], ['', undefined]);
  });
}

for (const [what, fault, message] of [
  [
    'a model that is nowhere',
    { kind: 'error-line', lines: [], error: 'pull model manifest: file does not exist' },
    /does not exist/,
  ],
  [
    'a full disk',
    { kind: 'error-line', lines: [], error: 'write /models/x: no space left on device' },
    /no space left/,
  ],
  [
    'a certificate that is not trusted',
    {
      kind: 'error-line',
      lines: [],
      error: 'pull model manifest: Get "https://r.example/v2/": x509: unknown authority',
    },
    /x509/,
  ],
  [
    'a registry that refuses without a word',
    { kind: 'error-line', lines: [], error: 'pull model manifest: 451: ' },
    /451/,
  ],
  ['a Host that Ollama refuses, with an empty body', forbidden, /refused the request/],
] as const) {
  test(`${what} fails at once, in its words`, async () => {
    await using setting = await startJobs({ registry: [LLAMA] });
    setting.ollama.always('/api/pull', fault);
    const job = await setting.ended(setting.jobs.start(PULL).id);
    assert.deepEqual([job.state, job.attempts], ['failed', 1]);
    assert.match(job.error?.message ?? '', message);
  });
}

test('a registry whose name was never found is given up after seconds, not minutes', async () => {
  await using setting = await startJobs({ registry: [LLAMA] });
  const error =
    'pull model manifest: Get "https://r.example/v2/": dial tcp: lookup r.example on [::1]:53: no such host';
  setting.ollama.always('/api/pull', { kind: 'error-line', lines: [], error });
  const job = await setting.ended(setting.jobs.start(PULL).id);
  assert.deepEqual([job.state, job.attempts], ['failed', 3]);
});

test('a name that is not found any more in the middle of a pull is waited for', async () => {
  await using setting = await startJobs(
    { registry: [LLAMA] },
    { retry: { firstPauseMs: 1, longestPauseMs: 1 } },
  );
  setting.ollama.next('/api/pull', { kind: 'breaks', lines: pullLines(LLAMA).slice(0, 4) });
  const error = 'dial tcp: lookup r.example on [::1]:53: no such host';
  const fault = { kind: 'error-line', lines: [], error } as const;
  setting.ollama.next('/api/pull', fault, fault, fault, fault);
  const job = await setting.ended(setting.jobs.start(PULL).id);
  assert.deepEqual([job.state, job.attempts], ['done', 6]);
});

test('a host that is killed in the middle is waited for, and the pull goes on', async () => {
  await using setting = await startJobs(
    { registry: [LLAMA] },
    { retry: { firstPauseMs: 20, longestPauseMs: 20, fruitlessTries: 1_000 } },
  );
  setting.ollama.next('/api/pull', { kind: 'stalls', lines: pullLines(LLAMA).slice(0, 3) });
  const { id } = setting.jobs.start(PULL);
  await setting.ollama.arrived('/api/pull');
  await setting.ollama.kill();
  for await (const { error } of setting.jobs.watch(id, never)) if (error !== undefined) break;
  await setting.ollama.revive();
  assert.equal((await setting.ended(id)).state, 'done');
});

test('tries that move something are not counted against a job', async () => {
  await using setting = await startJobs(
    { registry: [LLAMA] },
    { retry: { firstPauseMs: 1, fruitlessTries: 2 } },
  );
  for (const upTo of [2, 3, 4, 5, 6]) {
    setting.ollama.next('/api/pull', { kind: 'breaks', lines: pullLines(LLAMA).slice(0, upTo) });
  }
  const job = await setting.ended(setting.jobs.start(PULL).id);
  assert.deepEqual([job.state, job.attempts], ['done', 6]);
});

test('a download that is whole each time and never right is given up', async () => {
  await using setting = await startJobs(
    { registry: [LLAMA] },
    { retry: { firstPauseMs: 1, fruitlessTries: 3 } },
  );
  const wrong = {
    kind: 'error-line',
    lines: pullLines(LLAMA).slice(0, -2),
    error: 'digest mismatch, file must be downloaded again',
  } as const;
  setting.ollama.always('/api/pull', wrong);
  const job = await setting.ended(setting.jobs.start(PULL).id);
  assert.deepEqual([job.state, job.attempts], ['failed', 3]);
});

test('tries that move nothing are bounded', async () => {
  await using setting = await startJobs({}, { retry: { firstPauseMs: 1, fruitlessTries: 3 } });
  setting.ollama.always('/api/pull', { kind: 'breaks', lines: [{ status: 'pulling manifest' }] });
  const job = await setting.ended(setting.jobs.start(PULL).id);
  assert.deepEqual([job.state, job.attempts], ['failed', 3]);
});

test('a transfer that stands still is begun again', async () => {
  await using setting = await startJobs({ registry: [LLAMA] }, { retry: { firstPauseMs: 1, stallMs: 80 } });
  setting.ollama.next('/api/pull', { kind: 'stalls', lines: pullLines(LLAMA).slice(0, 3) });
  const job = await setting.ended(setting.jobs.start(PULL).id);
  assert.deepEqual([job.state, job.attempts], ['done', 2]);
  assert.match(setting.told.find(({ error }) => error !== undefined)?.error?.message ?? '', /stood still/);
});

test('bytes that fall back are told as they are', async () => {
  await using setting = await startJobs({ registry: [LLAMA] });
  const lines = pullLines(LLAMA, { fallsBack: true });
  setting.ollama.models.set('llama3:latest', LLAMA);
  setting.ollama.next('/api/pull', { kind: 'lines', lines, everyMs: 250 });
  const job = await setting.ended(setting.jobs.start(PULL).id);
  assert.equal(job.state, 'done');
  const completed = setting.told.map(({ progress }) => progress.completedBytes ?? 0);
  assert.ok(completed.includes(600_000) && completed.includes(200_000), String(completed));
  assert.ok(setting.told.every(({ progress }) => (progress.bytesPerSecond ?? 0) >= 0));
});
