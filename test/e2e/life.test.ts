import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { dataOf } from '../gateway.ts';
import { startProgram } from '../program.ts';
import type { Program } from '../program.ts';
import { chunk, chunkedHead, lastChunk, openAi } from '../upstream-scripts.ts';
import { send, stall, startUpstream, wait } from '../upstream.ts';
import type { Script } from '../upstream.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-life-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const event = (content: string, finish: string | null = null): string =>
  chunk(
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`,
  );

const begun = [send(chunkedHead('text/event-stream') + event('Hi'))];

/** Begins to stream and never goes on. */
const endless: Script = [...begun, stall];

/** Goes on after a moment and ends well. */
const slow: Script = [
  ...begun,
  wait(800),
  send(event(' there', 'stop') + chunk('data: [DONE]\n\n') + lastChunk),
];

type Place = { readonly file: string; readonly cwd: string; write(text: string): void; data(): string[] };

let places = 0;

/** A folder with a configuration file of its own. */
function place(): Place {
  places += 1;
  const cwd = mkdtempSync(path.join(folder, `${places}-`));
  const file = path.join(cwd, 'obelisk.yaml');
  const data = path.join(cwd, 'data');
  return { file, cwd, write: (text) => writeFileSync(file, text), data: () => readdirSync(data) };
}

function configOf(origin: string, more = ''): string {
  const params = `{model: openai/x, api_base: "${origin}/v1", api_key: sk-upstream}`;
  return `model_list:\n  - {model_name: m, litellm_params: ${params}}\nvaults: []\n${more}`;
}

type Serving = AsyncDisposable & Program & { readonly at: Place };

/** Starts the server on a configuration; `preload` runs in its process before it. */
async function serving(text: string, preload?: string, flags = ''): Promise<Serving> {
  const at = place();
  at.write(text);
  const script = path.join(at.cwd, 'preload.mjs');
  if (preload !== undefined) writeFileSync(script, preload);
  const program = await startProgram({
    args: ['serve', '--port', '0'],
    cwd: at.cwd,
    env: {
      OBELISK_DATA_DIR: path.join(at.cwd, 'data'),
      NODE_OPTIONS:
        `${preload === undefined ? '' : `--import=${pathToFileURL(script).href}`} ${flags}`.trim(),
    },
  });
  return { ...program, at, [Symbol.asyncDispose]: () => program.stop() };
}

function ask({ url }: Pick<Program, 'url'>, stream = true, model = 'm'): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'Hi' }] }),
  });
}

/** Waits for what a signal, a poll or a timer in the program brings about. */
async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 30_000; !(await holds());) {
    assert.ok(performance.now() < end, `in vain: ${what}`);
    await sleep(25);
  }
}

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
  await eventually('no new connection is taken', () => refused(program));
  const data = dataOf(await stream.text());
  assert.equal(data.at(-1), '[DONE]');
  assert.match(data.at(-2) ?? '', /"finish_reason":"stop"/);
  assert.equal((await endOf(program)).code, 0);
  assert.deepEqual(
    program.at.data().filter((file) => file.startsWith('server.')),
    [],
  );
  assert.match(program.stderr(), /"outcome":"ok"/, 'the log is whole');
});

test('what outlasts the drain is told so in its own dialect, and the exit code is 0', async () => {
  await using upstream = await startUpstream((request) =>
    /"stream":true/.test(request.body.toString()) ? endless : [stall],
  );
  await using program = await serving(configOf(upstream.origin, 'server: {drain: 0.3}\n'));
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

test('a second signal ends the server at once, and nothing of it is left behind', async () => {
  await using upstream = await startUpstream(endless);
  await using program = await serving(configOf(upstream.origin, 'general_settings: {master_key: sk-m}\n'));
  assert.ok(program.at.data().includes('server.token'));
  program.signal('SIGTERM');
  await eventually('no new connection is taken', () => refused(program));
  program.signal('SIGTERM');
  assert.equal((await endOf(program)).code, 143);
  assert.deepEqual(
    program.at.data().filter((file) => file.startsWith('server.')),
    [],
  );
});

test(
  'SIGHUP puts a good file in force and keeps the old one for a bad one, naming its line',
  { skip: process.platform === 'win32' },
  async () => {
    await using first = await startUpstream(endless);
    await using second = await startUpstream(openAi(['new']));
    await using program = await serving(configOf(first.origin));
    const running = await ask(program);
    program.at.write(`${configOf(second.origin)}sever: {}\n`);
    program.signal('SIGHUP');
    await eventually('the line is named', () =>
      /obelisk\.yaml:4:1: unknown key sever/.test(program.stderr()),
    );
    assert.equal((await fetch(`${program.url}/v1/models`)).status, 200);
    program.at.write(configOf(second.origin, 'server: {transport: node}\n'));
    program.signal('SIGHUP');
    await eventually('it is reloaded', () => program.stderr().includes('the configuration was reloaded'));
    assert.match(program.stderr(), /only after a restart","setting":"server\.transport"/);
    assert.match(await (await ask(program, false)).text(), /new/);
    assert.equal(first.open, 1, 'what was under way goes on with the old configuration');
    const metrics = await (await fetch(`${program.url}/metrics`)).text();
    assert.match(metrics, /obelisk_config_reloads_total\{outcome="failed"\} [1-9]/);
    await running.body?.cancel();
  },
);

test('a changed file takes effect by itself: models, the key, vaults; the token of the command line stays', async () => {
  await using upstream = await startUpstream(openAi());
  await using program = await serving(configOf(upstream.origin));
  const vault = path.join(program.at.cwd, 'notes');
  mkdirSync(vault);
  writeFileSync(path.join(vault, 'Note.md'), 'A walrus has two tusks.\n');
  const named = (more: string): string =>
    configOf(upstream.origin, more).replace('vaults: []', `vaults: [{name: notes, path: ${vault}}]`);
  program.at.write(named('general_settings: {master_key: sk-first}\n'));
  await eventually(
    'a key is asked for',
    async () => (await fetch(`${program.url}/v1/models`)).status === 401,
  );
  const data = path.join(program.at.cwd, 'data');
  await eventually('the token is left', () => program.at.data().includes('server.token'));
  const token = readFileSync(path.join(data, 'server.token'), 'utf8');
  const models = async (key: string): Promise<string> =>
    (await fetch(`${program.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).text();
  assert.match(await models(token), /vault\/notes/);
  program.at.write(named('general_settings: {master_key: sk-second}\n'));
  await eventually('the new key opens', async () => (await models('sk-second')).includes('vault/notes'));
  assert.match(await models('sk-first'), /invalid_api_key/);
  assert.match(await models(token), /vault\/notes/);
  assert.match(readFileSync(path.join(data, 'server.json'), 'utf8'), /"name":"notes"/);
});

test(
  '100 reloads under 200 requests a second fail none of them',
  { skip: process.platform === 'win32' },
  async () => {
    await using upstream = await startUpstream(openAi());
    await using program = await serving(configOf(upstream.origin));
    const agent = new Agent({ keepAlive: true, maxSockets: 64 });
    const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] });
    const headers = { 'content-type': 'application/json', 'content-length': String(body.length) };
    const askOnce = async (): Promise<string> => {
      const asked = httpRequest(`${program.url}/v1/chat/completions`, { method: 'POST', agent, headers });
      asked.end(body);
      const [answer] = await once(asked, 'response');
      let text = '';
      for await (const part of answer) text += String(part);
      return answer.statusCode === 200 && text.includes('Hello') ? 'ok' : `${answer.statusCode} ${text}`;
    };
    const failures: string[] = [];
    const running = new Set<Promise<void>>();
    const reloads = (): number => program.stderr().split('the configuration was reloaded').length - 1;
    let asked = 0;
    let sent = 0;
    const startMs = performance.now();
    while (reloads() < 100) {
      assert.ok(performance.now() - startMs < 120_000, `${reloads()} reloads`);
      if (sent <= reloads()) {
        sent += 1;
        program.at.write(configOf(upstream.origin, `# ${sent}\n`));
        program.signal('SIGHUP');
      }
      for (const due = (performance.now() - startMs) / 5; asked < due; asked += 1) {
        const one: Promise<void> = askOnce()
          .catch((error: unknown) => String(error))
          .then((came) => {
            if (came !== 'ok') failures.push(came);
            running.delete(one);
          });
        running.add(one);
      }
      await sleep(5);
    }
    await Promise.all(running);
    agent.destroy();
    assert.deepEqual(failures, []);
    assert.ok(asked > 100, `${asked} requests`);
  },
);

test('what nobody caught is logged with its stack, open streams end, and the exit code is 1', async () => {
  await using upstream = await startUpstream(slow);
  const preload = `process.on('SIGUSR2', () => { setTimeout(() => { throw new TypeError('a defect with sk-upstream'); }); });`;
  await using program = await serving(configOf(upstream.origin), preload);
  const stream = await ask(program);
  program.signal('SIGUSR2');
  await eventually('no new connection is taken', () => refused(program));
  assert.equal(dataOf(await stream.text()).at(-1), '[DONE]');
  assert.equal((await endOf(program)).code, 1);
  assert.match(program.stderr(), /an error that nobody caught.*a defect with \[secret\].*preload\.mjs/);
  assert.deepEqual(
    program.at.data().filter((file) => file.startsWith('server.')),
    [],
  );
});

test('a rejection that nobody handled ends the server too', async () => {
  await using upstream = await startUpstream(openAi());
  const preload = `process.on('SIGUSR2', () => { void Promise.reject(new Error('left alone')); });`;
  await using program = await serving(configOf(upstream.origin), preload);
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
  await using program = await serving(configOf(upstream.origin), preload);
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
  await eventually('it heals', async () => (await readiness(program)).status === 200);
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
  await using program = await serving(configOf(upstream.origin), preload, '--max-old-space-size=256');
  const stream = await ask(program);
  program.signal('SIGUSR2');
  await eventually('it is not ready', async () => (await readiness(program)).status === 503);
  assert.match((await readiness(program)).text, /"status":"overloaded","reason":"[^"]*memory/);
  const shed = await ask(program, false);
  assert.equal(shed.status, 503);
  assert.equal(shed.headers.get('retry-after'), '2');
  await shed.body?.cancel();
  assert.equal(dataOf(await stream.text()).at(-1), '[DONE]');
  program.signal('SIGWINCH');
  await eventually('it heals', async () => (await readiness(program)).status === 200);
});
