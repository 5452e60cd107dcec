import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { until } from '../../test/eventually.ts';

const executable = fileURLToPath(new URL('../../bin/obelisk.js', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-process-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const surroundings = {
  cwd: folder,
  env: { ...process.env, OBELISK_DATA_DIR: folder, OLLAMA_URL: 'http://127.0.0.1:1' },
};

function start(args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [executable, ...args], {
    ...surroundings,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += String(chunk);
  return text;
}

test('a reader that goes away ends the program quietly', async () => {
  const lines = Array.from(
    { length: 3000 },
    (_, index) => `  - {name: vault ${index}, path: ${'x'.repeat(80)}}`,
  );
  writeFileSync(path.join(folder, 'long.yaml'), `vaults:\n${lines.join('\n')}\n`);
  const child = start(['config', '-c', 'long.yaml', '--json']);
  const errors = textOf(child.stderr);
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  assert.equal(await errors, '');
});

test('Ctrl-C ends an answer with 130', { skip: process.platform === 'win32' && 'signals' }, async () => {
  const server = createServer((request, response) => {
    if (request.url === '/health/liveliness') response.end('"alive"');
    else if (request.url === '/obelisk/v1/vaults') {
      const links = { resolved: 0, ambiguous: 0, unresolved: 0 };
      const vault = {
        name: 'N',
        state: 'ready',
        notes: 1,
        chunks: 1,
        pendingNotes: 0,
        embeddedChunks: 0,
        links,
      };
      response.end(JSON.stringify({ data: [vault] }));
    } else {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"choices":[{"delta":{"content":"Twice"}}]}\n\n');
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const facts = { url: `http://127.0.0.1:${address.port}`, pid: process.pid };
  writeFileSync(path.join(folder, 'server.json'), JSON.stringify(facts));
  const child = start(['ask', 'How often?']);
  const errors = textOf(child.stderr);
  const [text] = await once(child.stdout, 'data');
  assert.equal(String(text), 'Twice');
  child.kill('SIGINT');
  const [code] = await once(child, 'close');
  server.closeAllConnections();
  server.close();
  assert.equal(code, 130);
  assert.equal(await errors, '');
});

/** Asks until it is answered; every request is a line of the log. */
async function askForModels(url: string, times: number): Promise<void> {
  for (let asked = 0; asked < times; asked += 1) {
    const answer = await fetch(`${url}/v1/models`);
    await answer.body?.cancel();
    assert.equal(answer.status, 200);
    // Lines of the log wait for a moment.
    await sleep(LOG_MS);
  }
}

/** Longest wait for a server to start, in milliseconds: far more than it takes. */
const READY_MS = 20_000;

/** How long lines of the log wait to be written, and a little. */
const LOG_MS = 150;

test('a server outlives the readers of its outputs', async () => {
  writeFileSync(path.join(folder, 'serve.yaml'), 'vaults: []\n');
  const child = start(['serve', '-c', 'serve.yaml', '--port', '0']);
  const [text] = await once(child.stdout, 'data');
  const url = /listening on (\S+)/.exec(String(text))?.[1] ?? '';
  child.stderr.destroy();
  child.stdout.destroy();
  await askForModels(url, 5);
  child.kill('SIGTERM');
  const [code, signal] = await once(child, 'close');
  assert.deepEqual([code, signal], process.platform === 'win32' ? [null, 'SIGTERM'] : [0, null]);
});

test(
  'a server ends in order though the reader of its log has stopped',
  { skip: process.platform === 'win32' && 'signals' },
  async (context) => {
    writeFileSync(path.join(folder, 'serve.yaml'), 'vaults: []\n');
    const child = start(['serve', '-c', 'serve.yaml', '--port', '0']);
    context.after(() => child.kill('SIGKILL'));
    const [text] = await once(child.stdout, 'data');
    const url = /listening on (\S+)/.exec(String(text))?.[1] ?? '';
    child.stderr.pause();
    // More lines than a pipe and both its ends hold.
    for (let round = 0; round < 20; round += 1)
      await Promise.all(
        Array.from({ length: 200 }, () => fetch(`${url}/v1/models`).then((got) => got.text())),
      );
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    assert.deepEqual(await Promise.race([ended, sleep(8_000, 'still there')]), [0, null]);
    child.stderr.destroy();
  },
);

test(
  'a server starts and serves while the disk of its log is full',
  { skip: !existsSync('/dev/full') && 'a device that is always full' },
  async (context) => {
    writeFileSync(path.join(folder, 'serve.yaml'), 'vaults: []\n');
    const full = openSync('/dev/full', 'w');
    const word = path.join(folder, 'server.json');
    rmSync(word, { force: true });
    const child = spawn(process.execPath, [executable, 'serve', '-c', 'serve.yaml', '--port', '0'], {
      ...surroundings,
      stdio: ['ignore', full, full],
    });
    context.after(() => {
      child.kill('SIGKILL');
      closeSync(full);
    });
    const ended = once(child, 'close');
    await until(() => existsSync(word) || child.exitCode !== null, 'it serves or ends', READY_MS);
    assert.equal(child.exitCode, null, 'it runs');
    const { url } = JSON.parse(readFileSync(word, 'utf8')) as { readonly url: string };
    await askForModels(url, 5);
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
  },
);
