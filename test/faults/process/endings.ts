import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../eventually.ts';
import { SECOND_SIGNAL_MS } from '../../program.ts';
import { PATIENCE_MS } from '../client/arena.ts';
import type { Arena } from '../client/arena.ts';
import { RawClient } from '../client/raw-client.ts';
import { assertRefused, chatBody, CLOSE, get, post } from '../client/requests.ts';
import { askAll } from './process-case.ts';
import type { ProcessCase, Waiting } from './process-case.ts';

/** How soon nothing new may be taken, in milliseconds; a machine at work may be late. */
const CLOSED_WITHIN_MS = 1_000;
const DRAIN_SECONDS = 0.5;

async function isRefused(url: string): Promise<boolean> {
  try {
    const client = await RawClient.open(url);
    client.leave();
    return false;
  } catch {
    // Whatever keeps a connection from being made: nobody is served.
    return true;
  }
}

async function assertAnswered({ client, mode }: Waiting): Promise<void> {
  const answer = await client.answer();
  assert.equal(answer.status, 200, answer.body);
  if (mode === 'whole') assert.equal(JSON.parse(answer.body).choices[0].finish_reason, 'stop');
  else assert.match(answer.body, /"finish_reason":"stop".*data: \[DONE\]\n\n$/s);
}

async function assertTold({ client, mode }: Waiting): Promise<void> {
  const answer = await client.answer();
  if (mode === 'whole') {
    assertRefused(answer, { status: 503, code: 'overloaded' });
    assert.ok(Number(answer.headers['retry-after']) >= 1);
    return;
  }
  assert.equal(answer.status, 200);
  const [failure, done] = answer.body.split('\n\n').filter(Boolean).slice(-2);
  assert.equal(done, 'data: [DONE]');
  assert.equal(JSON.parse((failure ?? '').slice('data: '.length)).error.code, 'overloaded');
}

/** Adds a line to the configuration and asks for it to be read. */
async function reload({ program, configFile }: Arena, text: string): Promise<void> {
  await writeFile(configFile, text);
  program.signal('SIGHUP');
}

/** Row 53. */
export const ENDINGS: readonly ProcessCase[] = [
  {
    row: 53,
    side: 'process',
    fault: 'SIGTERM while answers are under way.',
    sees: 'Open answers, to their end. No new connection is taken meanwhile. Then the process exits with 0.',
    async check(arena) {
      const waiting = await askAll(arena, 'paced 60');
      const startedMs = performance.now();
      arena.program.signal('SIGTERM');
      await until(() => isRefused(arena.url), 'no new connection is taken', PATIENCE_MS);
      assert.ok(performance.now() - startedMs <= CLOSED_WITHIN_MS);
      for (const one of waiting) await assertAnswered(one);
      assert.equal(await arena.program.ended, 0);
    },
  },
  {
    row: 53,
    side: 'process',
    fault: 'SIGTERM, and a client that asks on an open connection.',
    sees: '503 `overloaded` with `Retry-After`, or the end of the connection.',
    async check(arena) {
      const waiting = await askAll(arena, 'paced 40');
      const kept = await RawClient.open(arena.url);
      kept.write(get('/health/liveliness'));
      await kept.answers(1);
      arena.program.signal('SIGTERM');
      await until(() => isRefused(arena.url), 'no new connection is taken', PATIENCE_MS);
      kept.write(post(chatBody({ model: arena.lanes[0]?.model ?? '', says: 'answer', stream: false })));
      const answered = (): boolean => kept.received.toString().split('HTTP/1.1 ').length > 2;
      await until(() => kept.isClosed || answered(), 'the client is told', PATIENCE_MS);
      if (!kept.isClosed) assertRefused((await kept.answers(2))[1], { status: 503, code: 'overloaded' });
      for (const one of waiting) await assertAnswered(one);
      assert.equal(await arena.program.ended, 0);
    },
  },
  {
    row: 53,
    side: 'process',
    fault: 'SIGTERM, and answers that do not end within `server.drain` (30 s).',
    sees: 'A stream: an error frame `overloaded`, then `[DONE]`. A whole answer: 503 `overloaded` with `Retry-After`. The upstreams’ connections are closed, and the process exits with 0.',
    options: { config: `server: {drain: ${DRAIN_SECONDS}}\n` },
    async check(arena) {
      const waiting = await askAll(arena, 'halfway');
      arena.program.signal('SIGTERM');
      await Promise.all(waiting.map((one) => assertTold(one)));
      assert.equal(await arena.program.ended, 0);
      await until(
        () => arena.lanes.every(({ upstream }) => upstream.open === 0),
        'upstreams are let go',
        PATIENCE_MS,
      );
    },
  },
  {
    row: 53,
    side: 'process',
    fault: 'SIGINT twice.',
    sees: 'The end of every connection at once; the process exits with 130.',
    async check(arena) {
      const waiting = await askAll(arena, 'halfway');
      arena.program.signal('SIGINT');
      await until(() => isRefused(arena.url), 'no new connection is taken', PATIENCE_MS);
      await sleep(SECOND_SIGNAL_MS);
      const startedMs = performance.now();
      arena.program.signal('SIGINT');
      assert.equal(await arena.program.ended, 130);
      assert.ok(performance.now() - startedMs <= CLOSED_WITHIN_MS);
      await Promise.all(waiting.map(({ client }) => client.closed));
    },
  },
  {
    row: 53,
    side: 'process',
    fault: 'SIGHUP with a configuration that is wrong.',
    sees: 'Nothing: answers under way and later ones are as before. The log names file and line, and the next good configuration is taken.',
    async check(arena) {
      const { program, configFile, lanes, url } = arena;
      const good = await readFile(configFile, 'utf8');
      const waiting = await askAll(arena, 'paced 40');
      const wrongLine = good.split('\n').length;
      await reload(arena, `${good}servre: {port: 1}\n`);
      await until(
        () => program.stderr().includes(`obelisk.yaml:${wrongLine}:`),
        'the log names the line',
        PATIENCE_MS,
      );
      await askOnce(url, lanes[0]?.model ?? '', 200);
      await askOnce(url, 'added', 404);
      await reload(
        arena,
        `${good}  - {model_name: added, litellm_params: {model: openai/x, mock_response: Hello}}\n`,
      );
      await until(
        () => program.stderr().includes('the configuration was reloaded'),
        'the good one is taken',
        PATIENCE_MS,
      );
      await askOnce(url, 'added', 200);
      for (const one of waiting) await assertAnswered(one);
    },
  },
];

async function askOnce(url: string, model: string, status: number): Promise<void> {
  const client = await RawClient.open(url);
  client.write(post(chatBody({ model, says: 'answer', stream: false }), [CLOSE]));
  const answer = await client.answer();
  assert.equal(answer.status, status, answer.body);
}

/** How long the process is held up, in milliseconds. */
const HELD_UP_MS = 1_600;

/** Row 55. */
export const LOADS: readonly ProcessCase[] = [
  {
    row: 55,
    side: 'process',
    fault: 'The event loop is blocked for a second.',
    sees: 'Open answers go on to their end. New work is refused with 503 `overloaded` and `Retry-After`, and `/health/ready` answers 503, until the loop has been calm for a second; `/health/liveliness` answers 200 all the while.',
    async check(arena) {
      const { program, lanes, url } = arena;
      const waiting = await askAll(arena, 'paced 150');
      // A process that is stopped and goes on sees what a blocked one sees: its timers are late.
      program.signal('SIGSTOP');
      await sleep(HELD_UP_MS);
      program.signal('SIGCONT');
      await until(
        async () => (await fetch(`${url}/health/ready`)).status === 503,
        'it is not ready',
        PATIENCE_MS,
      );
      const client = await RawClient.open(url);
      client.write(post(chatBody({ model: lanes[0]?.model ?? '', says: 'answer', stream: false }), [CLOSE]));
      const refusal = await client.answer();
      assertRefused(refusal, { status: 503, code: 'overloaded' });
      assert.ok(Number(refusal.headers['retry-after']) >= 1);
      assert.equal((await fetch(`${url}/health/liveliness`)).status, 200);
      for (const one of waiting) await assertAnswered(one);
      await until(
        async () => (await fetch(`${url}/health/ready`)).status === 200,
        'it is ready again',
        PATIENCE_MS,
      );
      await askOnce(url, lanes[0]?.model ?? '', 200);
    },
  },
  {
    row: 55,
    side: 'process',
    fault: 'The heap is at 90 % of its limit.',
    sees: 'As for a blocked event loop, until it is below 85 %.',
    options: {
      env: {
        NODE_OPTIONS: `--max-old-space-size=512 --import=${new URL('heap-filler.mjs', import.meta.url).href}`,
      },
    },
    async check(arena) {
      const { program, lanes, url } = arena;
      const waiting = await askAll(arena, 'paced 150');
      program.signal('SIGUSR2');
      await until(
        async () => (await fetch(`${url}/health/ready`)).status === 503,
        'it is not ready',
        PATIENCE_MS,
      );
      const client = await RawClient.open(url);
      client.write(post(chatBody({ model: lanes[1]?.model ?? '', says: 'answer', stream: true }), [CLOSE]));
      assertRefused(await client.answer(), { status: 503, code: 'overloaded' });
      for (const one of waiting) await assertAnswered(one);
      program.signal('SIGWINCH');
      await until(
        async () => (await fetch(`${url}/health/ready`)).status === 200,
        'it is ready again',
        PATIENCE_MS,
      );
      await askOnce(url, lanes[0]?.model ?? '', 200);
    },
  },
];
