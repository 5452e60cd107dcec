import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../eventually.ts';
import { ask, configOf, endless, PATIENCE_MS, serving } from '../served-program.ts';
import { openAi } from '../upstream-scripts.ts';
import { startUpstream } from '../upstream.ts';

test(
  'SIGHUP puts a good file in force and keeps the old one for a bad one, naming its line',
  { skip: process.platform === 'win32' },
  async () => {
    await using first = await startUpstream(endless);
    await using second = await startUpstream(openAi(['new']));
    await using program = await serving(configOf(first.origin));
    const running = await ask(program);
    program.write(`${configOf(second.origin)}sever: {}\n`);
    program.signal('SIGHUP');
    await until(
      () => /obelisk\.yaml:4:1: unknown key sever/.test(program.stderr()),
      'the line is named',
      PATIENCE_MS,
    );
    assert.equal((await fetch(`${program.url}/v1/models`)).status, 200);
    program.write(configOf(second.origin, 'server: {transport: node}\n'));
    program.signal('SIGHUP');
    await until(
      () => program.stderr().includes('the configuration was reloaded'),
      'it is reloaded',
      PATIENCE_MS,
    );
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
  const vault = path.join(program.cwd, 'notes');
  mkdirSync(vault);
  writeFileSync(path.join(vault, 'Note.md'), 'A walrus has two tusks.\n');
  const named = (more: string): string =>
    configOf(upstream.origin, more).replace('vaults: []', `vaults: [{name: notes, path: ${vault}}]`);
  program.write(named('general_settings: {master_key: sk-first}\n'));
  await until(
    async () => (await fetch(`${program.url}/v1/models`)).status === 401,
    'a key is asked for',
    PATIENCE_MS,
  );
  const data = path.join(program.cwd, 'data');
  await until(() => program.word().includes('server.token'), 'the token is left', PATIENCE_MS);
  const token = readFileSync(path.join(data, 'server.token'), 'utf8');
  const models = async (key: string): Promise<string> =>
    (await fetch(`${program.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).text();
  assert.match(await models(token), /vault\/notes/);
  program.write(named('general_settings: {master_key: sk-second}\n'));
  await until(
    async () => (await models('sk-second')).includes('vault/notes'),
    'the new key opens',
    PATIENCE_MS,
  );
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
        program.write(configOf(upstream.origin, `# ${sent}\n`));
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
