import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { until } from '../test/eventually.ts';
import { ollama } from '../test/upstream-scripts.ts';
import { startUpstream } from '../test/upstream.ts';
import type { TestUpstream } from '../test/upstream.ts';
import { createObelisk } from './obelisk.ts';
import type { Obelisk } from './obelisk.ts';

const NOWHERE = 'http://127.0.0.1:1';
const mock = (name: string): string =>
  `model_list: [{model_name: ${name}, litellm_params: {model: openai/x, mock_response: from ${name}}}]\n`;

type Opened = {
  readonly obelisk: Obelisk;
  readonly folder: string;
  write(text: string): void;
  log(): string;
};

async function opened(context: TestContext, text: string): Promise<Opened> {
  const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-reload-'));
  const config = path.join(folder, 'obelisk.yaml');
  const write = (next: string): void => writeFileSync(config, next);
  write(text);
  let log = '';
  const obelisk = await createObelisk({
    config,
    dataDir: path.join(folder, 'data'),
    environment: { OLLAMA_URL: NOWHERE },
    log: { write: (more) => (log += more) },
  });
  context.after(async () => {
    await obelisk.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { obelisk, folder, write, log: () => log };
}

async function names(obelisk: Obelisk): Promise<readonly string[]> {
  return (await obelisk.models()).map(({ modelName }) => modelName);
}

const tags = (server: TestUpstream): number =>
  server.requests.filter((request) => request.path === '/api/tags').length;

test('a reload puts the file in force as it is by now, and names what needs a restart', async (context) => {
  const { obelisk, write } = await opened(context, `${mock('old')}vaults: []\nlog: {format: json}\n`);
  assert.deepEqual(await names(obelisk), ['old']);
  write(`${mock('new')}vaults: []\nserver: {port: 4999, timeouts: {body: 5}}\n`);
  assert.deepEqual(await obelisk.reload(), {
    needRestart: ['server.port', 'server.timeouts', 'log.format'],
  });
  assert.deepEqual(await names(obelisk), ['new']);
  assert.equal(obelisk.config.settings.server.port, 4000, 'what cannot change is told as it is');
});

test(
  'a pipe in the place of the file is refused, because nobody may ever write to it',
  { skip: process.platform === 'win32' && 'named pipes' },
  async (context) => {
    const { obelisk, folder } = await opened(context, `${mock('old')}vaults: []\n`);
    const config = path.join(folder, 'obelisk.yaml');
    rmSync(config);
    execFileSync('mkfifo', [config]);
    await assert.rejects(obelisk.reload(), /obelisk\.yaml is a pipe or a device/);
    assert.deepEqual(await names(obelisk), ['old']);
  },
);

test('a bad file, an empty one, one that is gone and a missing vault leave the old configuration in force', async (context) => {
  const { obelisk, write, folder } = await opened(context, `${mock('old')}vaults: []\n`);
  for (const [text, message] of [
    ['model_list: [}\n', /obelisk\.yaml:1:14: /],
    [`${mock('new')}vaults: [{path: missing}]\n`, /the vault "missing" at .*missing does not exist/],
    [`${mock('new')}vaults: [{path: ${JSON.stringify(folder)}}]\n`, /lies inside the vault/],
  ] as const) {
    write(text);
    await assert.rejects(obelisk.reload(), { message });
    assert.deepEqual(await names(obelisk), ['old']);
  }
  for (const nothing of ['', '# vaults: []\n']) {
    write(nothing);
    await assert.rejects(obelisk.reload(), /obelisk\.yaml is empty/);
    assert.deepEqual(await names(obelisk), ['old']);
  }
  rmSync(path.join(folder, 'obelisk.yaml'));
  await assert.rejects(obelisk.reload(), /does not exist/);
  assert.deepEqual(await names(obelisk), ['old']);
});

test('a server that others reach does not lose its key, though the new file would listen elsewhere', async (context) => {
  const open = 'server: {host: 0.0.0.0}\ngeneral_settings: {master_key: sk-long-enough}\nvaults: []\n';
  const { obelisk, write } = await opened(context, open);
  write('server: {host: 127.0.0.1}\nvaults: []\n');
  await assert.rejects(obelisk.reload(), { code: 'unsafe_bind' });
  assert.ok(obelisk.config.settings.masterKey);
});

test('an Ollama that stays is not looked for anew, another one is known as soon as it is in force', async (context) => {
  await using first = await startUpstream(ollama([{ name: 'one:latest', capabilities: ['completion'] }]));
  await using second = await startUpstream(ollama([{ name: 'two:latest', capabilities: ['completion'] }]));
  const at = ({ origin }: TestUpstream): string =>
    `providers: {ollama: {url: "${origin}", poll_seconds: 3600}}\nvaults: []\n`;
  const { obelisk, write } = await opened(context, at(first));
  assert.deepEqual(await names(obelisk), ['one:latest']);
  const looked = tags(first);
  write(`${at(first)}rag: {model: "one:latest"}\n`);
  await obelisk.reload();
  assert.deepEqual(await names(obelisk), ['one:latest']);
  assert.equal(tags(first), looked);
  write(at(second));
  await obelisk.reload();
  assert.deepEqual(await names(obelisk), ['two:latest']);
});

test('a vault that stays is not read again, one that goes is closed, one that comes is indexed', async (context) => {
  const { obelisk, write, folder } = await opened(context, 'vaults: []\n');
  for (const name of ['a', 'b']) {
    mkdirSync(path.join(folder, name));
    writeFileSync(path.join(folder, name, 'Note.md'), `A walrus has two tusks, says ${name}.\n`);
  }
  write('vaults: [{path: a}]\n');
  await obelisk.reload();
  await obelisk.ready();
  write('vaults: [{path: a}, {path: b}]\n');
  await obelisk.reload();
  assert.deepEqual(
    obelisk.vaults().map(({ name, state }) => `${name} ${state}`),
    ['a ready', 'b starting'],
  );
  const found = await obelisk.search('walrus tusks', { vault: 'b' });
  assert.match(found.hits[0]?.text ?? '', /says b/);
  write('vaults: [{path: b}]\n');
  await obelisk.reload();
  await assert.rejects(obelisk.search('walrus tusks', { vault: 'a' }), { code: 'not_found' });
});

test('a session of the page lives through a reload and ends with the key it was opened with', async (context) => {
  const text = (key: string): string =>
    `server: {port: 0}\ngeneral_settings: {master_key: ${key}}\nvaults: []\nlog: {level: info}\n`;
  const { obelisk, write, log } = await opened(context, text('sk-long-enough-1'));
  const listening = await obelisk.listen();
  context.after(() => listening.close(0));
  const opening = await fetch(`${listening.url}/obelisk/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key: 'sk-long-enough-1' }),
  });
  const cookie = opening.headers.get('set-cookie')?.split(';')[0] ?? '';
  const status = async (): Promise<number> =>
    (await fetch(`${listening.url}/v1/models`, { headers: { cookie } })).status;
  assert.equal(await status(), 200);
  write(`${text('sk-long-enough-1')}rag: {model: extractive}\n`);
  await obelisk.reload();
  assert.equal(await status(), 200);
  write(text('sk-long-enough-2').replace('info', 'error'));
  await obelisk.reload();
  assert.equal(await status(), 401);
  const requests = (): number => log().split(' request ').length - 1;
  await until(() => requests() === 2, 'what was asked before is in the log');
  assert.equal(await status(), 401);
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(requests(), 2, 'the level of the log changed too');
});
