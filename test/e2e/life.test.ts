import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { dataOf } from '../gateway.ts';
import { SECOND_SIGNAL_MS } from '../program.ts';
import type { Program } from '../program.ts';
import { until } from '../eventually.ts';
import { RawClient } from '../faults/client/raw-client.ts';
import { assertRefused, chatBody, get, post } from '../faults/client/requests.ts';
import { ask, configOf, endless, PATIENCE_MS, serving, slow } from '../served-program.ts';
import { openAi } from '../upstream-scripts.ts';
import { stall, startUpstream } from '../upstream.ts';

const refused = ({ url }: Program): Promise<boolean> => {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  return once(socket, 'connect').then(
    () => {
      socket.destroy();
      return false;
    },
    () => true,
  );
};

async function endOf(program: Program): Promise<{ readonly code: number | null; readonly ms: number }> {
  const startMs = performance.now();
  const code = await program.ended;
  return { code, ms: performance.now() - startMs };
}

test('told to end, the server takes nothing new, lets an open stream end and exits with 0', async () => {
  await using upstream = await startUpstream(slow);
  await using program = await serving(configOf(upstream.origin));
  const stream = await ask(program);
  program.signal('SIGTERM');
  await until(() => refused(program), 'no new connection is taken', PATIENCE_MS);
  const data = dataOf(await stream.text());
  assert.equal(data.at(-1), '[DONE]');
  assert.match(data.at(-2) ?? '', /"finish_reason":"stop"/);
  assert.equal((await endOf(program)).code, 0);
  assert.deepEqual(program.word(), []);
  assert.match(program.stderr(), /"outcome":"ok"/, 'the log is whole');
});

for (const transport of ['codec', 'node']) {
  test(`over ${transport}: what outlasts the drain is told so in its own dialect, and the exit code is 0`, async () => {
    await using upstream = await startUpstream((request) =>
      /"stream":true/.test(request.body.toString()) ? endless : [stall],
    );
    await using program = await serving(
      configOf(upstream.origin, `server: {drain: 0.3, transport: ${transport}}\n`),
    );
    const stream = await ask(program);
    const whole = ask(program, false);
    await upstream.request(1);
    program.signal('SIGINT');
    const data = dataOf(await stream.text());
    assert.equal(data.at(-1), '[DONE]');
    assert.equal(JSON.parse(data.at(-2) ?? '').error.code, 'overloaded');
    const answer = await whole;
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('retry-after'), '2');
    assert.equal(answer.headers.get('connection'), 'close');
    assert.match(await answer.text(), /"code":"overloaded"/);
    const { code, ms } = await endOf(program);
    assert.equal(code, 0);
    assert.ok(ms < 5_000, `${ms} ms`);
  });
}

test('signals that come together are one: a group and its process are both told to end', async () => {
  await using upstream = await startUpstream(slow);
  await using program = await serving(configOf(upstream.origin));
  const stream = await ask(program);
  program.signal('SIGTERM');
  await sleep(20);
  program.signal('SIGTERM');
  assert.equal(dataOf(await stream.text()).at(-1), '[DONE]');
  assert.equal((await endOf(program)).code, 0);
});

test('a second signal ends the server at once, and nothing of it is left behind', async () => {
  await using upstream = await startUpstream(endless);
  await using program = await serving(configOf(upstream.origin, 'general_settings: {master_key: sk-m}\n'));
  assert.ok(program.word().includes('server.token'));
  const stream = await ask(program, true, 'sk-m');
  program.signal('SIGTERM');
  await until(() => refused(program), 'no new connection is taken', PATIENCE_MS);
  await sleep(SECOND_SIGNAL_MS);
  program.signal('SIGTERM');
  await assert.rejects(stream.text());
  assert.equal((await endOf(program)).code, 143);
  assert.deepEqual(program.word(), []);
});

test('what nobody caught is logged with its stack, open streams end, and the exit code is 1', async () => {
  await using upstream = await startUpstream(slow);
  const preload = `process.on('SIGUSR2', () => { setTimeout(() => { throw new TypeError('a defect with sk-upstream'); }); });`;
  await using program = await serving(configOf(upstream.origin), { preload });
  const stream = await ask(program);
  program.signal('SIGUSR2');
  await until(() => refused(program), 'no new connection is taken', PATIENCE_MS);
  assert.equal(dataOf(await stream.text()).at(-1), '[DONE]');
  assert.equal((await endOf(program)).code, 1);
  assert.match(program.stderr(), /an error that nobody caught.*a defect with \[secret\].*preload\.mjs/);
  assert.deepEqual(program.word(), []);
});

test('a crash gives open streams no longer than an end in order does', async () => {
  await using upstream = await startUpstream(endless);
  const preload = `process.on('SIGUSR2', () => { setTimeout(() => { throw new Error('a defect'); }); });`;
  await using program = await serving(configOf(upstream.origin, 'server: {drain: 0.3}\n'), { preload });
  const stream = await ask(program);
  const startMs = performance.now();
  program.signal('SIGUSR2');
  assert.match(await stream.text(), /"code":"overloaded".*\n\ndata: \[DONE\]\n\n$/s);
  assert.equal((await endOf(program)).code, 1);
  const tookMs = performance.now() - startMs;
  assert.ok(tookMs < 5_000, `${tookMs} ms`);
});

test('a rejection that nobody handled ends the server too', async () => {
  await using upstream = await startUpstream(openAi());
  const preload = `process.on('SIGUSR2', () => { void Promise.reject(new Error('left alone')); });`;
  await using program = await serving(configOf(upstream.origin), { preload });
  program.signal('SIGUSR2');
  assert.equal((await endOf(program)).code, 1);
  assert.match(program.stderr(), /an error that nobody caught.*left alone/);
});

async function readiness({ url }: Program): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`${url}/health/ready`);
  return { status: response.status, text: await response.text() };
}

test('a blocked loop refuses what piled up, lets open streams end and heals by itself', async () => {
  await using upstream = await startUpstream(slow);
  const preload = `process.on('SIGUSR2', () => { for (const end = performance.now() + 1500; performance.now() < end; ); });`;
  await using program = await serving(configOf(upstream.origin), { preload });
  const stream = await ask(program);
  program.signal('SIGUSR2');
  await sleep(300);
  const [shed, ready] = await Promise.all([ask(program, false), readiness(program)]);
  assert.equal(shed.status, 503);
  assert.equal(shed.headers.get('retry-after'), '2');
  assert.equal(JSON.parse(await shed.text()).error.code, 'overloaded');
  assert.equal(ready.status, 503);
  assert.match(ready.text, /"status":"overloaded","reason":"[^"]*event loop/);
  assert.equal(dataOf(await stream.text()).at(-1), '[DONE]');
  await until(async () => (await readiness(program)).status === 200, 'it heals', PATIENCE_MS);
  assert.match(
    await (await fetch(`${program.url}/metrics`)).text(),
    /obelisk_overloads_total\{cause="event_loop"\} 1/,
  );
});

test('a heap that is nearly full refuses new work, lets open streams end and heals by itself', async () => {
  await using upstream = await startUpstream(slow);
  const preload = `
    import { getHeapStatistics } from 'node:v8';
    let held = [];
    const fill = () => {
      if (held === undefined || getHeapStatistics().used_heap_size > 240 * 2 ** 20) return;
      held.push(new Array(40_000).fill(0.5));
      setTimeout(fill, 1);
    };
    process.on('SIGUSR2', fill).on('SIGWINCH', () => { held = undefined; });`;
  await using program = await serving(configOf(upstream.origin), {
    preload,
    flags: '--max-old-space-size=256',
  });
  const stream = await ask(program);
  program.signal('SIGUSR2');
  await until(async () => (await readiness(program)).status === 503, 'it is not ready', PATIENCE_MS);
  assert.match((await readiness(program)).text, /"status":"overloaded","reason":"[^"]*memory/);
  const shed = await ask(program, false);
  assert.equal(shed.status, 503);
  assert.equal(shed.headers.get('retry-after'), '2');
  await shed.body?.cancel();
  assert.equal(dataOf(await stream.text()).at(-1), '[DONE]');
  program.signal('SIGWINCH');
  await until(async () => (await readiness(program)).status === 200, 'it heals', PATIENCE_MS);
});

/** Lets a process open no more files, or as many as it had; only Linux can. */
function limitFiles(pid: number, most: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${most}:`]);
}

test(
  'without a file descriptor left new work is refused, and nothing stays of it',
  { skip: process.platform !== 'linux' },
  async () => {
    await using upstream = await startUpstream(openAi());
    await using program = await serving(configOf(upstream.origin));
    const client = await RawClient.open(program.url);
    client.write(get('/health/liveliness'));
    await client.answers(1);
    const taken = new Set(readdirSync(`/proc/${program.pid}/fd`).map(Number));
    const firstFree = Array.from({ length: taken.size + 1 }, (_, fd) => fd).find((fd) => !taken.has(fd));
    limitFiles(program.pid, firstFree ?? 0);
    const question = post(chatBody({ model: 'm', says: 'Hi', stream: false }));
    client.write(question);
    const refusal = (await client.answers(2))[1];
    assertRefused(refusal, { status: 503, code: 'overloaded' });
    assert.ok(Number(refusal?.headers['retry-after']) >= 1);
    await until(
      () => /error:overloaded".*"reason":"[^"]*open no more connections \(EMFILE\)/.test(program.stderr()),
      'the log tells why',
      PATIENCE_MS,
    );
    limitFiles(program.pid, 1_000);
    client.write(question);
    assert.equal((await client.answers(3))[2]?.status, 200, 'the deployment is not blamed');
    assert.equal((await ask(program, false)).status, 200);
    client.leave();
  },
);
