import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { runCli } from '../../test/command-line.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-env-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A program that passes for Ollama: its name, what it is given, and what it answers. */
const SERVER = `
  const server = require('node:http').createServer((request, response) => response.end('{"version":"0.31.0"}'));
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

const onLinux = process.platform === 'linux' ? {} : { skip: 'processes are found through /proc' };

test('the environment of a running server is found, explained and checked', onLinux, async () => {
  const server = spawn(process.execPath, ['-e', SERVER, 'serve'], {
    argv0: 'ollama',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { OLLAMA_NUM_PARALLEL: '4', OLLAMA_NUM_GPU: '1', SECRET_OF_OTHERS: 'x', LLAMA_ARG_FIT: 'off' },
  });
  try {
    const [line] = await once(server.stdout, 'data');
    const environment = { OLLAMA_URL: `http://127.0.0.1:${String(line).trim()}` };
    const shown = await runCli(['ollama', 'env'], { cwd: folder, environment });
    assert.equal(shown.code, 0);
    assert.match(shown.stdout, /Ollama 0\.31\.0/);
    assert.match(shown.stdout, new RegExp(`read from process ${server.pid}`));
    assert.match(shown.stdout, /OLLAMA_NUM_PARALLEL +4/);
    assert.match(shown.stdout, /note OLLAMA_NUM_PARALLEL is 4, which Obelisk finds out/);
    assert.match(shown.stdout, /warn OLLAMA_NUM_GPU does nothing/);
    assert.doesNotMatch(shown.stdout, /SECRET_OF_OTHERS/);
    const one = await runCli(['ollama', 'env', 'LLAMA_ARG_FIT'], { cwd: folder, environment });
    assert.match(one.stdout, /at 127\.0\.0\.1:\d+ +off/);
    const json: unknown = JSON.parse(
      (await runCli(['ollama', 'env', '--json'], { cwd: folder, environment })).stdout,
    );
    assert.match(JSON.stringify(json), /"source":"process".*"name":"LLAMA_ARG_FIT","value":"off"/);
  } finally {
    server.kill();
  }
});

test('a server that does not answer and cannot be seen is said to be unknown', async () => {
  const shown = await runCli(['ollama', 'env'], {
    cwd: folder,
    environment: { OLLAMA_URL: 'http://192.0.2.1:9' },
  });
  assert.equal(shown.code, 0);
  assert.match(shown.stdout, /environment is unknown: it runs on another machine/);
});

test('a wanted setting is printed for the service that was asked for, and nonsense is refused', async () => {
  const shown = await runCli(['ollama', 'env', 'OLLAMA_NUM_PARALLEL=2', '--for', 'systemd']);
  assert.match(shown.stdout, /\[Service\]\nEnvironment="OLLAMA_NUM_PARALLEL=2"/);
  assert.equal((await runCli(['ollama', 'env', 'OLLAMA_NUM_PARALLEL=2', '--for', 'openrc'])).code, 2);
  assert.equal((await runCli(['ollama', 'env', 'OLLAMA_NUM_PARALLEL=2', 'OLLAMA_HOST'])).code, 2);
  const vain = await runCli(['ollama', 'env', 'OLLAMA_NUM_GPU=2']);
  assert.equal(vain.code, 1);
  assert.match(vain.stderr, /layers, not GPUs/);
});

test('a command or a name that is not there is told the nearest one', async () => {
  const wrong = await runCli(['ollama', 'evn']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /did you mean "ollama env"/);
  const unknown = await runCli(['ollama', 'env', 'OLLAMA_KV_CACHE']);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /did you mean OLLAMA_KV_CACHE_TYPE/);
});
