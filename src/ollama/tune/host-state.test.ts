import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { startTuningOllama } from '../../../test/tuning-ollama.ts';
import { even, likesTwo, newFile, PROFILE, tuneAt } from '../../../test/tuning-session.ts';
import { openTuneStore } from './store.ts';

test('what was loaded is loaded afterwards, for the time that it had left, also what had to make room', async () => {
  await using ollama = await startTuningOllama({ speed: likesTwo, maxLoaded: 1 });
  ollama.load('other:latest', { num_ctx: 512 }, 1_800);
  const expected = ollama.loaded.get('other:latest');
  await tuneAt(ollama, { wish: { only: ['num_thread'] } }).report;
  assert.deepEqual([...ollama.loaded.keys()], ['other:latest']);
  const there = ollama.loaded.get('other:latest');
  assert.deepEqual(there?.options, { num_ctx: 512 }, 'with the context window that it had');
  assert.ok(Math.abs((there?.expiresMs ?? 0) - (expected?.expiresMs ?? 0)) < 60_000);
});

test('a model that was loaded for ever is so again, with what was written', async () => {
  await using ollama = await startTuningOllama({ speed: likesTwo });
  ollama.load('tiny:latest', PROFILE, -1);
  await tuneAt(ollama, { wish: { only: ['num_thread'] } }).report;
  const there = ollama.loaded.get('tiny:latest');
  assert.deepEqual(there?.options, { num_ctx: 2048, num_thread: 2 });
  assert.ok((there?.expiresMs ?? 0) > Date.UTC(2200, 0, 1));
});

test('what a killed command left loaded is brought back by the next one', async () => {
  await using ollama = await startTuningOllama({ speed: likesTwo });
  const file = newFile();
  const store = openTuneStore(file);
  const about = { host: ollama.url, model: 'other:latest', key: 'x' };
  const killed = store.begin(about, { nowMs: Date.now(), fresh: false });
  killed.setHostState({
    loaded: [{ model: 'other:latest', expiresMs: Date.now() + 1e6, contextLength: 512 }],
  });
  killed.release();
  store.close();
  await tuneAt(ollama, { file, wish: { only: ['num_thread'] } }).report;
  assert.deepEqual(
    [...ollama.loaded].map(([name, { options }]) => [name, options]),
    [['other:latest', { num_ctx: 512 }]],
  );
  const again = openTuneStore(file);
  assert.equal(again.begin(about, { nowMs: Date.now(), fresh: false }).hostState(), undefined);
  again.close();
});

test('two commands do not tune one host at once, and a dead one holds nothing', async () => {
  await using ollama = await startTuningOllama({ speed: even });
  const file = newFile();
  const store = openTuneStore(file);
  const about = { host: ollama.url, model: 'other:latest', key: 'x' };
  const other = store.begin(about, { nowMs: Date.now(), fresh: false });
  await assert.rejects(tuneAt(ollama, { file }).report, {
    code: 'overloaded',
    message: new RegExp(`process ${process.pid} tunes on`),
  });
  assert.deepEqual(ollama.loads, [], 'and touches nothing');
  const elsewhere = { ...about, host: 'http://elsewhere:11434' };
  store.begin(elsewhere, { nowMs: Date.now(), fresh: false }).release();
  other.release();
  store.close();
  assert.equal(beginAndDie(file, ollama.url), 'began');
  await assert.doesNotReject(tuneAt(ollama, { file, wish: { only: ['use_mmap'] } }).report);
});

/** What another process printed that began to tune, and was killed. */
function beginAndDie(file: string, host: string): string {
  const store = new URL('store.ts', import.meta.url).href;
  const about = { host, model: 'other:latest', key: 'x' };
  const script = `
    import { writeSync } from 'node:fs';
    import { openTuneStore } from ${JSON.stringify(store)};
    openTuneStore(${JSON.stringify(file)}).begin(${JSON.stringify(about)}, { nowMs: Date.now(), fresh: false });
    writeSync(1, 'began');
    process.kill(process.pid, 'SIGKILL');
  `;
  return spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }).stdout;
}
