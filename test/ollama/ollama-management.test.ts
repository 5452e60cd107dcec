/** A real Ollama managed from the command line: beside a running server, and without one. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { findRealOllama } from '../ollama-models.ts';
import { runProgram, startProgram } from '../program.ts';
import type { Program, ProgramResult } from '../program.ts';

const real = await findRealOllama();
const skip = 'skip' in real ? real.skip : false;
if (skip !== false) console.log(`SKIPPED: a real Ollama: ${skip}`);
const [url, chat, embed] = 'url' in real ? [real.url, real.chat, real.embed] : ['', '', ''];
const made = `obelisk-test-made-${process.pid}:latest`;
const copied = `obelisk-test/copied-${process.pid}:v1`;

suite('a real Ollama is managed from the command line', { skip }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-management-'));
  const env = { OLLAMA_HOST: url, OBELISK_DATA_DIR: path.join(folder, 'data') };
  let server: Program;

  before(async () => {
    // Notes would be embedded with the models of the test.
    writeFileSync(path.join(folder, 'obelisk.yaml'), 'vaults: []\n');
    server = await startProgram({ args: ['serve', '--port', '0'], env, cwd: folder });
  });

  after(async () => {
    await server.stop();
    if ('url' in real) await real[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = async (...args: readonly string[]): Promise<ProgramResult> => {
    const result = await runProgram({ args, env, cwd: folder });
    assert.equal(result.code, 0, `${args.join(' ')}\n${result.stderr}`);
    return result;
  };
  const json = async (...args: readonly string[]): Promise<unknown> =>
    JSON.parse((await run(...args, '--json')).stdout);
  const names = async (): Promise<readonly string[]> => {
    const models = await json('models', 'list');
    assert.ok(Array.isArray(models));
    return models.map((model: { name: string }) => model.name);
  };

  test('a model is made, shown, copied and deleted', async () => {
    await run('models', 'create', made, '--from', chat, '-p', 'temperature=0.5', '--system', 'Be brief.');
    const shown = (await run('models', 'show', made)).stdout;
    assert.match(shown, /temperature +0\.5/);
    assert.match(shown, /Be brief\./);
    assert.match((await run('models', 'show', made, '--modelfile')).stdout, /^FROM /m);
    await run('models', 'cp', made, copied);
    assert.ok((await names()).includes(copied));
    await run('models', 'rm', copied, made);
    const left = await names();
    assert.ok(!left.includes(copied) && !left.includes(made));
    assert.ok(left.includes(chat));
  });

  test('a chat model and an embedding model are loaded, seen and unloaded', async () => {
    for (const model of [chat, embed]) {
      // A runner of the same bytes may be left of another name, which Ollama would list instead.
      await run('models', 'unload', model);
      await run('models', 'load', model, '--keep-alive', '10m');
      const running = (await run('models', 'ps')).stdout;
      assert.match(running, new RegExp(`${model} +\\S+ +loaded +\\d.* +(?:9m \\d\\ds|10m 00s)`));
      await run('models', 'unload', model);
      assert.doesNotMatch((await run('models', 'ps')).stdout, new RegExp(`${model} +\\S+ +loaded`));
    }
  });

  test('a second name of a loaded model is loaded with it, and ends its runner', async () => {
    await run('models', 'cp', chat, copied);
    await run('models', 'load', chat);
    await run('models', 'load', copied);
    await run('models', 'unload', copied);
    assert.doesNotMatch((await run('models', 'ps')).stdout, new RegExp(`${chat} +\\S+ +loaded`));
    await run('models', 'rm', copied);
  });

  test('what is there already is ensured at once, and what no registry has ends with its error', async () => {
    const jobs = await json('models', 'ensure', chat.replace(':latest', ''));
    assert.ok(Array.isArray(jobs));
    assert.equal(jobs[0].state, 'done');
    const refused = await runProgram({ args: ['models', 'pull', 'evil.example/x/y'], env, cwd: folder });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /registry evil\.example, which is not allowed/);
    const none = await runProgram({ args: ['models', 'show', 'obelisk-test-none'], env, cwd: folder });
    assert.equal(none.code, 1);
    assert.match(none.stderr, /no host of Ollama has the model obelisk-test-none/);
  });

  test('a profile that is set counts for the load that follows, and is taken back', async () => {
    await run('ollama', 'profiles', chat, '--set', 'num_ctx=512');
    await run('models', 'load', chat);
    assert.match((await run('models', 'ps')).stdout, new RegExp(`${chat} .* 512 `));
    await run('models', 'unload', chat);
    const back = (await run('ollama', 'profiles', chat, '--unset', 'num_ctx')).stdout;
    assert.match(back, /num_ctx +2048 +default/);
    assert.match((await run('models', 'fit', chat, '--ctx', '1024')).stdout, /fits +1024 +1/);
  });

  test('without a server the command does the same itself', async () => {
    const alone = { ...env, OBELISK_DATA_DIR: path.join(folder, 'alone') };
    const created = await runProgram({
      args: ['models', 'create', made, '--from', chat],
      env: alone,
      cwd: folder,
    });
    assert.equal(created.code, 0, created.stderr);
    assert.match(created.stderr, /✓ create/);
    const removed = await runProgram({ args: ['models', 'rm', made], env: alone, cwd: folder });
    assert.equal(removed.code, 0, removed.stderr);
    const hosts = await runProgram({ args: ['ollama', 'hosts', '--json'], env: alone, cwd: folder });
    assert.equal(JSON.parse(hosts.stdout)[0].state, 'up');
  });
});
