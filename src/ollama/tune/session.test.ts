import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { startTuningOllama } from '../../../test/tuning-ollama.ts';
import type { Speed } from '../../../test/tuning-ollama.ts';
import { even, likesTwo, newFile, tuneAt } from '../../../test/tuning-session.ts';

test('what is faster beyond noise is written, and nothing else with it', async () => {
  await using ollama = await startTuningOllama({ speed: likesTwo });
  const { report, written } = tuneAt(ollama);
  const { outcome, rows, now } = await report;
  assert.deepEqual(written, [{ num_thread: 2 }]);
  assert.ok(outcome.isComplete && outcome.found);
  const { speed } = outcome.found.comparison;
  assert.ok(speed.low > 1.1 && speed.high < 1.3 && speed.rounds === 8, JSON.stringify(speed));
  assert.ok(now && Math.abs(now.promptSpeed - 1_000) < 60 && Math.abs((now.answerSpeed ?? 0) - 50) < 3);
  assert.deepEqual([...new Set(rows.map(({ stage }) => stage))].toSorted(), ['check', 'search']);
});

test('where nothing is faster nothing is written, although luck made something look so', async () => {
  await using ollama = await startTuningOllama({ speed: even, noise: 0.3 });
  const { report, written } = tuneAt(ollama);
  const { outcome } = await report;
  assert.deepEqual(written, []);
  assert.equal(outcome.found, undefined);
  assert.ok(outcome.refused.length + outcome.traded.length > 0, 'the search was fooled');
});

test('two options that are faster each are compared together', async () => {
  await using ollama = await startTuningOllama({
    speed: (options) => {
      const factor = (options['num_batch'] === 1024 ? 1.2 : 1) * (options['num_thread'] === 2 ? 1.2 : 1);
      return { prompt: 1_000 * factor, answer: 50 * factor };
    },
  });
  const { report, written } = tuneAt(ollama);
  const { outcome, rows } = await report;
  assert.deepEqual(written, [{ num_thread: 2, num_batch: 1024 }]);
  assert.ok((outcome.found?.comparison.speed.low ?? 0) > 1.3);
  assert.equal(rows.at(-1)?.stage, 'together');
  assert.equal(rows.at(-1)?.against, 'now');
});

test('what makes prompts slower and answers faster is left alone, unless that is allowed', async () => {
  const speed = ({ num_thread: threads }: Readonly<Record<string, unknown>>): Speed =>
    threads === 2 ? { prompt: 600, answer: 150 } : { prompt: 1_000, answer: 50 };
  await using ollama = await startTuningOllama({ speed });
  const careful = tuneAt(ollama);
  const { outcome } = await careful.report;
  assert.deepEqual(careful.written, []);
  assert.deepEqual(
    outcome.traded.map(({ setting }) => setting),
    [{ num_thread: 2 }],
  );
  const bold = tuneAt(ollama, { wish: { allowsTrade: true } });
  await bold.report;
  assert.deepEqual(bold.written, [{ num_thread: 2 }]);
});

test('a setting with which the model does not load is said to have failed, and the rest goes on', async () => {
  await using ollama = await startTuningOllama({
    speed: likesTwo,
    refuses: ({ num_batch: batch }) => batch === 2048,
  });
  const { report, written } = tuneAt(ollama);
  const { rows } = await report;
  assert.match(
    rows.find(({ setting }) => setting.startsWith('num_batch=2048'))?.failure ?? '',
    /more system memory/,
  );
  assert.deepEqual(written, [{ num_thread: 2 }]);
});

test('of an embedding model only what does not bound its texts is tried', async () => {
  await using ollama = await startTuningOllama({ speed: likesTwo });
  const { report, written } = tuneAt(ollama, { model: 'embed:latest', baseline: { num_ctx: 512 } });
  const { skipped, now } = await report;
  assert.deepEqual(written, [{ num_thread: 2 }]);
  assert.ok(skipped.some(({ option }) => option === 'num_batch'));
  assert.equal(now?.answerSpeed, undefined);
});

test('broken off, the host is as it was, and the next command goes on from the last whole round', async () => {
  await using ollama = await startTuningOllama({ speed: likesTwo });
  ollama.load('other:latest', { num_ctx: 512 }, -1);
  const file = newFile();
  const stop = new AbortController();
  const first = tuneAt(ollama, { file, signal: stop.signal, onStep: (count) => count === 7 && stop.abort() });
  await assert.rejects(first.report, { code: 'client_gone' });
  assert.deepEqual([...ollama.loaded.keys()], ['other:latest'], 'what was not there is unloaded');
  const second = tuneAt(ollama, { file });
  assert.equal((await second.report).isResumed, true);
  assert.deepEqual(second.written, [{ num_thread: 2 }]);
  const kept = first.steps.slice(0, 4);
  assert.ok(
    kept.every((step) => !second.steps.includes(step)),
    'a whole round is not measured again',
  );
  assert.ok(
    first.steps.slice(4).every((step) => second.steps.includes(step)),
    'a round in pieces is',
  );
  const third = tuneAt(ollama, { file });
  assert.equal((await third.report).isResumed, false, 'what came to its end begins anew');
});

test('time that is up ends it after a round, and nothing is lost', async () => {
  await using ollama = await startTuningOllama({ speed: likesTwo });
  const file = newFile();
  let now = 0;
  const clock = { nowMs: () => (now += 1_000), dateMs: () => Date.now() };
  const short = tuneAt(ollama, { file, clock, wish: { budgetMs: 90_000 } });
  const { outcome } = await short.report;
  assert.equal(outcome.isComplete, false);
  assert.deepEqual(short.written, []);
  assert.ok(short.steps.length >= 4 && short.steps.length < 40, String(short.steps.length));
  const rest = tuneAt(ollama, { file });
  assert.equal((await rest.report).outcome.isComplete, true);
  assert.deepEqual(rest.written, [{ num_thread: 2 }]);
});

test('a measurement that someone else disturbed is repeated, and many of them end it', async () => {
  await using ollama = await startTuningOllama({ speed: likesTwo });
  const once = tuneAt(ollama, {
    wish: { only: ['num_thread'] },
    onStep: (count) => count === 2 && ollama.disturb(1),
  });
  await assert.doesNotReject(once.report);
  const often = tuneAt(ollama, {
    wish: { only: ['num_thread'] },
    onStep: (count) => count === 2 && ollama.disturb(99),
  });
  await assert.rejects(often.report, { code: 'overloaded', message: /someone else.*idle/ });
  assert.deepEqual([...ollama.loaded.keys()], []);
});

test('another environment of the server is told with what it was worth, and decides nothing', async () => {
  let factor = 1;
  await using ollama = await startTuningOllama({
    speed: () => ({ prompt: 1_000 * factor, answer: 50 * factor }),
  });
  const file = newFile();
  const wish = { only: ['use_mmap'] };
  const environment = { OLLAMA_FLASH_ATTENTION: '0' };
  assert.deepEqual((await tuneAt(ollama, { file, wish, environment }).report).advice, []);
  factor = 1.5;
  const { advice } = await tuneAt(ollama, { file, wish }).report;
  assert.equal(advice.length, 1);
  assert.match(
    advice[0] ?? '',
    /with OLLAMA_FLASH_ATTENTION=0 it made \d+\.\d tokens a second on \d{4}.*, now \d+\.\d; .*not measured side by side/,
  );
  assert.deepEqual((await tuneAt(ollama, { file, wish }).report).advice.length, 1);
});

test('what was measured without writing is written by the same command without measuring again', async () => {
  await using ollama = await startTuningOllama({ speed: likesTwo });
  const file = newFile();
  const wish = { only: ['num_thread'] };
  const dry = tuneAt(ollama, { file, wish, isDry: true });
  const { outcome, written } = await dry.report;
  assert.deepEqual([outcome.found?.setting, written, dry.written], [{ num_thread: 2 }, undefined, []]);
  const wet = tuneAt(ollama, { file, wish });
  assert.deepEqual((await wet.report).written, { num_thread: 2 });
  assert.deepEqual([wet.written, wet.steps], [[{ num_thread: 2 }], []]);
});

test('a file of measurements that is damaged is begun anew', async () => {
  await using ollama = await startTuningOllama({ speed: likesTwo });
  const file = newFile();
  writeFileSync(file, 'no database '.repeat(1_000));
  await assert.doesNotReject(tuneAt(ollama, { file, wish: { only: ['use_mmap'] } }).report);
});

test('a round that takes longer than there is time is broken off, and the host is as it was', async () => {
  await using ollama = await startTuningOllama({ speed: likesTwo });
  const { report, written } = tuneAt(ollama, {
    wish: { budgetMs: 2_000 },
    // From the third measurement on nothing is answered any more.
    onStep: (count) => count === 2 && ollama.stall(),
  });
  const { outcome } = await report;
  assert.equal(outcome.isComplete, false);
  assert.deepEqual(written, []);
  assert.deepEqual([...ollama.loaded.keys()], []);
});
