/** The real program is killed without a word at each point of a job, and the next one is asked what became of it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';

import type { Job, JobSpec } from '../../src/ollama/control-plane.ts';
import { hasEnded } from '../../src/ollama/jobs/follow-job.ts';
import { startManaged } from '../managed-program.ts';
import type { Fault } from '../scripted-ollama-faults.ts';
import { pullLines, pushLines } from '../scripted-ollama-models.ts';
import { startScriptedOllama } from '../scripted-ollama.ts';

const LLAMA = { name: 'llama3' };
const LINES = pullLines(LLAMA);
const PULL: JobSpec = { kind: 'pull', model: 'llama3' };
const upTo = (status: string): readonly unknown[] =>
  LINES.slice(0, LINES.findIndex((line) => line['status'] === status) + 1);

const ollama = await startScriptedOllama({ registry: [LLAMA], models: [{ name: 'here' }] });
const obelisk = await startManaged(ollama.url);
after(async () => {
  await obelisk[Symbol.asyncDispose]();
  await ollama[Symbol.asyncDispose]();
});

type Point = {
  readonly spec: JobSpec;
  readonly path: string;
  /** What holds the job where it is killed. */
  readonly fault: Fault;
  /** Whether the job has got there. */
  readonly isThere: (job: Job) => boolean;
};

const says =
  (status: string): Point['isThere'] =>
  ({ progress }) =>
    progress.status === status;
const anything: Point['isThere'] = ({ state }) => state === 'running';

const POINTS: Readonly<Record<string, Point>> = {
  'before the first word of a pull': {
    spec: PULL,
    path: '/api/pull',
    fault: { kind: 'silent' },
    isThere: anything,
  },
  'in the middle of a layer': {
    spec: PULL,
    path: '/api/pull',
    fault: { kind: 'stalls', lines: LINES.slice(0, 3) },
    isThere: ({ progress }) => progress.completedBytes === 250_000,
  },
  'while the digest is taken': {
    spec: PULL,
    path: '/api/pull',
    fault: { kind: 'stalls', lines: upTo('verifying sha256 digest') },
    isThere: says('verifying sha256 digest'),
  },
  'after the word success, with the model not there': {
    spec: PULL,
    path: '/api/pull',
    fault: { kind: 'stalls', lines: LINES },
    isThere: says('success'),
  },
  'in the pause before the next try': {
    spec: PULL,
    path: '/api/pull',
    fault: { kind: 'breaks', lines: LINES.slice(0, 3) },
    isThere: ({ progress }) => progress.status.startsWith('trying again'),
  },
  'in the middle of a push': {
    spec: { kind: 'push', model: 'here' },
    path: '/api/push',
    fault: { kind: 'stalls', lines: pushLines(LLAMA).slice(0, 2) },
    isThere: ({ progress }) => progress.completedBytes === 500_000,
  },
  'while a model is made': {
    spec: { kind: 'create', model: 'mine', source: { from: 'here', system: 'Be brief.' } },
    path: '/api/create',
    fault: { kind: 'stalls', lines: [{ status: 'parsing GGUF' }] },
    isThere: says('parsing GGUF'),
  },
  'while a model is loaded': {
    spec: { kind: 'load', model: 'here' },
    path: '/api/generate',
    fault: { kind: 'silent' },
    isThere: says('loading'),
  },
};

for (const [point, { spec, path, fault, isThere }] of Object.entries(POINTS)) {
  test(`a kill ${point} loses nothing: the next process does the job to its end`, async () => {
    ollama.models.delete('llama3:latest');
    const askedBefore = ollama.sent(path).length;
    ollama.always(path, fault);
    const begun = await obelisk.startJob(spec);
    await obelisk.until(begun.id, isThere);
    await obelisk.kill();
    ollama.always(path, undefined);
    await obelisk.start();
    const job = await obelisk.until(begun.id, hasEnded);
    assert.equal(job.state, 'done', JSON.stringify(job));
    assert.ok(job.attempts >= 2, `${job.attempts} attempts`);
    assert.ok(ollama.sent(path).length >= askedBefore + 2, 'Ollama was asked again');
    assert.equal(job.createdMs, begun.createdMs);
    if (spec.kind === 'pull') assert.ok(ollama.models.has('llama3:latest'));
  });
}

test('a kill while bytes are uploaded loses nothing; without the file the creation is lost, not done', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-gguf-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const states: string[] = [];
  for (const isGone of [false, true]) {
    const bytes = Buffer.from(`GGUF\u0003 of a test, ${isGone ? 'gone' : 'kept'}`);
    const from = path.join(folder, `${isGone ? 'gone' : 'kept'}.gguf`);
    const blob = `/api/blobs/sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    writeFileSync(from, bytes);
    ollama.next(blob, { kind: 'refuse', status: 404 }, { kind: 'silent' });
    const { id } = await obelisk.startJob({ kind: 'create', model: 'uploaded', source: { from } });
    await obelisk.until(id, ({ progress }) => progress.status.startsWith('uploading'));
    await ollama.arrived(blob, 2);
    await obelisk.kill();
    if (isGone) rmSync(from);
    await obelisk.start();
    states.push((await obelisk.until(id, hasEnded)).state);
  }
  assert.deepEqual(states, ['done', 'lost']);
});

test('a job that cannot succeed after a kill has failed, whatever was said before', async () => {
  ollama.models.delete('llama3:latest');
  ollama.always('/api/pull', { kind: 'stalls', lines: LINES });
  const { id } = await obelisk.startJob(PULL);
  await obelisk.until(id, says('success'));
  await obelisk.kill();
  ollama.always('/api/pull', {
    kind: 'error-line',
    lines: [],
    error: 'pull model manifest: file does not exist',
  });
  await obelisk.start();
  assert.equal((await obelisk.until(id, hasEnded)).state, 'failed');
  ollama.always('/api/pull', undefined);
});

test('what had ended when the process was killed is as it was', async () => {
  const { id } = await obelisk.startJob(PULL);
  const done = await obelisk.until(id, hasEnded);
  const asked = ollama.sent('/api/pull').length;
  await obelisk.kill();
  await obelisk.start();
  assert.deepEqual(await obelisk.job(id), done);
  assert.equal(ollama.sent('/api/pull').length, asked);
});

test('a server that is told to end waits for no job and for nobody who watches one; the next goes on', async () => {
  ollama.models.delete('llama3:latest');
  ollama.next('/api/pull', { kind: 'stalls', lines: LINES.slice(0, 3) });
  const { id } = await obelisk.startJob(PULL);
  await obelisk.until(id, ({ progress }) => progress.completedBytes === 250_000);
  const watching = await fetch(`${obelisk.url}/ollama/job-events/${id}`, { headers: obelisk.headers() });
  const seen = watching.text();
  const before = performance.now();
  assert.equal(await obelisk.end(), 0);
  assert.ok(performance.now() - before < 8_000, 'it did not wait until everybody was cut off');
  assert.doesNotMatch(await seen, /"state":"(?:done|failed|cancelled|lost)"/);
  await obelisk.start();
  const job = await obelisk.until(id, hasEnded);
  assert.deepEqual([job.state, job.attempts], ['done', 2]);
});
