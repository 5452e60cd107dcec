import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, suite, test } from 'node:test';
import { findRealOllama } from '../ollama-models.ts';
import { runProgram, startProgram } from '../program.ts';
import type { ProgramResult } from '../program.ts';
import { startTuningOllama } from '../tuning-ollama.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-tune-e2e-'));
after(() => rmSync(folder, { recursive: true, force: true }));

type Run = {
  readonly url: string;
  readonly data: string;
  readonly args: readonly string[];
  readonly stopAt?: RegExp;
  readonly with?: NodeJS.Signals;
};

/** Runs a command beside its own data; `stopAt` ends it as soon as it says so. */
function obelisk({ url, data, args, stopAt, with: name = 'SIGINT' }: Run): Promise<ProgramResult> {
  let isStopped = false;
  return runProgram({
    args,
    env: { OLLAMA_HOST: url, OBELISK_DATA_DIR: path.join(folder, data) },
    onStderr: (text, signal) => {
      if (stopAt === undefined || isStopped || !stopAt.test(text)) return;
      isStopped = true;
      signal(name);
    },
  });
}

test('tune finds what is faster, survives Ctrl-C, writes the profile, and shows a table and a chart', async () => {
  const speed = ({
    num_batch: batch,
  }: Readonly<Record<string, unknown>>): { prompt: number; answer: number } =>
    batch === 1024 ? { prompt: 2_000, answer: 50 } : { prompt: 1_000, answer: 50 };
  await using ollama = await startTuningOllama({ speed });
  const at = { url: ollama.url, data: 'found' };
  const args = ['tune', 'tiny', '--only', 'num_batch', '--rounds', '6', '--prompt-tokens', '2048'];
  const broken = await obelisk({ ...at, args, stopAt: /round 2 of 3.*\n/ });
  assert.equal(broken.code, 130);
  assert.match(broken.stderr, /What was measured is kept/);
  assert.deepEqual([...ollama.loaded.keys()], []);
  const { code, stdout, stderr } = await obelisk({ ...at, args });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /goes on with what was measured before/);
  assert.match(stdout, /num_batch=1024 \(check\) .* faster/);
  assert.match(stdout, /0\.5 +1\.0 +1\.5 times as fast/);
  assert.match(stdout, /num_batch=1024 is written to the profile of tiny:latest/);
  const profile = await obelisk({
    ...at,
    args: ['ollama', 'profiles', 'tiny', '--json', '--host', new URL(ollama.url).host],
  });
  assert.match(
    profile.stdout.replaceAll(/\s/g, ''),
    /"num_batch":\{"value":1024,"source":"runtime"\}/,
    profile.stderr,
  );
});

test('beside a running server the profile is written there, and counts for its next request', async () => {
  const likesOne = ({
    num_batch: batch,
  }: Readonly<Record<string, unknown>>): { prompt: number; answer: number } =>
    batch === 256 ? { prompt: 3_000, answer: 90 } : { prompt: 1_000, answer: 50 };
  await using ollama = await startTuningOllama({ speed: likesOne });
  const data = path.join(folder, 'served');
  const vault = mkdtempSync(path.join(folder, 'vault-'));
  const server = await startProgram({
    args: ['serve', '--port', '0', '--vault', vault],
    env: { OLLAMA_HOST: ollama.url, OBELISK_DATA_DIR: data },
  });
  try {
    const tuned = await obelisk({
      url: ollama.url,
      data: 'served',
      args: ['tune', 'tiny', '--only', 'num_batch', '--rounds', '6'],
    });
    assert.match(tuned.stdout, /num_batch=256 is written to the profile/, tuned.stderr);
    const body = JSON.stringify({ model: 'tiny:latest', messages: [{ role: 'user', content: 'hi' }] });
    const headers = { 'content-type': 'application/json' };
    await (await fetch(`${server.url}/v1/chat/completions`, { method: 'POST', headers, body })).arrayBuffer();
    assert.equal(ollama.loads.at(-1)?.options['num_batch'], 256);
  } finally {
    await server.stop();
  }
});

test('what is asked wrongly is refused before anything is loaded', async () => {
  await using ollama = await startTuningOllama({ speed: () => ({ prompt: 1, answer: 1 }) });
  const at = { url: ollama.url, data: 'wrong' };
  assert.equal((await obelisk({ ...at, args: ['tune'] })).code, 2);
  assert.equal((await obelisk({ ...at, args: ['tune', 'tiny', '--only', 'num_ctx'] })).code, 2);
  assert.equal((await obelisk({ ...at, args: ['tune', 'tiny', '--rounds', '3'] })).code, 2);
  const missing = await obelisk({ ...at, args: ['tune', 'nope'] });
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /no host of Ollama has nope/);
  assert.deepEqual(ollama.loads, []);
});

const real = await findRealOllama();
const skip = 'skip' in real ? real.skip : false;
if (skip !== false) console.log(`SKIPPED: tuning on a real Ollama: ${skip}`);

suite('tuning on a real Ollama', { skip }, () => {
  const { url, chat, embed } = 'url' in real ? real : { url: '', chat: '', embed: '' };

  after(async () => {
    if ('url' in real) await real[Symbol.asyncDispose]();
  });

  /** What it has loaded of the models of this test: until when, and in how large a window. */
  async function running(): Promise<readonly (readonly [string, number, number])[]> {
    const body: unknown = await (await fetch(`${url}/api/ps`)).json();
    const models: readonly unknown[] =
      typeof body === 'object' && body !== null && 'models' in body && Array.isArray(body.models)
        ? body.models
        : [];
    return models
      .map((one) => JSON.stringify(one))
      .map((text) =>
        [/"name":"([^"]+)"/, /"expires_at":"([^"]+)"/, /"context_length":(\d+)/].map(
          (part) => part.exec(text)?.[1] ?? '',
        ),
      )
      .filter(([name]) => name === chat || name === embed)
      .map(([name = '', expires = '', context = '']) => [name, Date.parse(expires), Number(context)] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  async function load(model: string, numCtx: number, keepAlive: number | string): Promise<void> {
    const route = model === embed ? 'embed' : 'generate';
    const asked = {
      model,
      keep_alive: keepAlive,
      options: { num_ctx: numCtx },
      ...(model === embed ? { input: [] } : {}),
    };
    const response = await fetch(`${url}/api/${route}`, { method: 'POST', body: JSON.stringify(asked) });
    assert.equal(response.status, 200, await response.text());
  }

  const small = ['--rounds', '6', '--prompt-tokens', '32', '--answer-tokens', '8', '--minutes', '2'];

  test('a chat model is measured, and what was loaded is loaded again as it was, also after a kill', async () => {
    await load(chat, 512, '25m');
    await load(embed, 256, -1);
    const before = await running();
    assert.deepEqual(
      before.map(([name, , context]) => [name, context]),
      [
        [chat, 512],
        [embed, 256],
      ],
    );
    const at = { url, data: 'real', args: ['tune', chat, '--only', 'use_mmap', ...small] };
    const killed = await obelisk({ ...at, stopAt: /round 1 of 3.*\n/, with: 'SIGKILL' });
    assert.equal(killed.code, null);
    const stopped = await obelisk({ ...at, stopAt: /round 2 of 3.*\n/ });
    assert.equal(stopped.code, 130, stopped.stderr);
    assertSame(await running(), before);
    const { code, stdout, stderr } = await obelisk(at);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /now +\d+(?:\.\d+)?\/s +\d+(?:\.\d+)?\/s +\d+ ms/);
    assertSame(await running(), before);
  });

  test('an embedding model is measured, and unloaded where it was not loaded', async () => {
    await fetch(`${url}/api/generate`, {
      method: 'POST',
      body: JSON.stringify({ model: embed, keep_alive: 0 }),
    });
    const { code, stdout, stderr } = await obelisk({
      url,
      data: 'embed',
      args: ['tune', embed, '--only', 'use_mmap', '--json', '--dry-run', ...small],
    });
    assert.equal(code, 0, stderr);
    const report: unknown = JSON.parse(stdout);
    assert.match(JSON.stringify(report), /"kind":"embedding".*"promptSpeed":\d/);
    assert.ok(!(await running()).some(([name]) => name === embed));
  });
});

/** The same models in the same windows, to go at the same time but for the rounding to seconds. */
function assertSame(
  after: readonly (readonly [string, number, number])[],
  before: readonly (readonly [string, number, number])[],
): void {
  assert.deepEqual(
    after.map(([name, , context]) => [name, context]),
    before.map(([name, , context]) => [name, context]),
  );
  for (const [index, [name, expires]] of after.entries()) {
    const expected = before[index]?.[1] ?? 0;
    const isForEver = Math.min(expires, expected) > Date.UTC(2200, 0, 1);
    assert.ok(
      isForEver || Math.abs(expires - expected) < 30_000,
      `${name} goes ${(expires - expected) / 1_000} s later`,
    );
  }
}
