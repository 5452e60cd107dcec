import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createObelisk } from './obelisk.ts';
import type { Obelisk } from './obelisk.ts';

const CONFIG = `server: {port: 0}
vaults: []
model_list: [{model_name: m, litellm_params: {model: openai/x, mock_response: Hello}}]
`;

type Opened = { readonly obelisk: Obelisk; readonly folder: string; log(): string };

async function opened(context: TestContext, dataDir: string): Promise<Opened> {
  const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-listen-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const config = path.join(folder, 'obelisk.yaml');
  writeFileSync(config, CONFIG);
  let log = '';
  const obelisk = await createObelisk({
    config,
    dataDir: path.join(folder, dataDir),
    environment: { OLLAMA_URL: 'http://127.0.0.1:1' },
    log: { write: (more) => (log += more) },
  });
  context.after(() => obelisk.close());
  return { obelisk, folder, log: () => log };
}

async function ask(url: string): Promise<number> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] }),
  });
  await answer.body?.cancel();
  return answer.status;
}

test('a data directory that cannot be written hides the server from the command line and hinders nobody', async (context) => {
  const { obelisk, log } = await opened(context, path.join('obelisk.yaml', 'data'));
  const { url, close } = await obelisk.listen();
  assert.equal(await ask(url), 200);
  await obelisk.reload();
  assert.equal(await ask(url), 200);
  await close();
  await obelisk.close();
  assert.match(
    log(),
    /warn .*the command line does not find this server.* choose another with data_dir directory=.*obelisk\.yaml.data"? reason="?ENOTDIR/,
  );
});

test('closing the program closes what listens too', async (context) => {
  const { obelisk, folder } = await opened(context, 'data');
  const { url } = await obelisk.listen();
  assert.equal(await ask(url), 200);
  assert.ok(readdirSync(path.join(folder, 'data')).includes('server.json'));
  await obelisk.close();
  await assert.rejects(ask(url));
  assert.deepEqual(
    readdirSync(path.join(folder, 'data')).filter((file) => file.startsWith('server.')),
    [],
  );
});
