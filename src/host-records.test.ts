import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { until } from '../test/eventually.ts';
import { ndjson, ollama } from '../test/upstream-scripts.ts';
import { startUpstream, wait } from '../test/upstream.ts';
import { createObelisk } from './obelisk.ts';

const LINES = [{ message: { content: 'well' } }, { done: true, total_duration: 9e6 }];

test('queues and books go on under a new configuration, and its limits hold for them', async (context) => {
  const usual = ollama([{ name: 'tiny:latest' }]);
  await using server = await startUpstream((request, index) => {
    if (request.path === '/api/chat') return [wait(300), ...ndjson(LINES)];
    return usual(request, index);
  });
  const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-records-'));
  const config = path.join(folder, 'obelisk.yaml');
  const write = (parallel: number, name: string): void =>
    writeFileSync(
      config,
      `vaults: []\nproviders: {ollama: {hosts: [{name: ${name}, url: "${server.origin}", parallel: ${parallel}}]}}\n`,
    );
  write(1, 'before');
  const dataDir = path.join(folder, 'data');
  const log = { write: (): void => undefined };
  const obelisk = await createObelisk({ config, dataDir, environment: {}, log });
  context.after(async () => {
    await obelisk.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const ask = (): Promise<string> =>
    obelisk.providers.getProvider('tiny').completion([{ role: 'user', content: 'hi' }]);
  const asked = (): number => server.requests.filter(({ path: at }) => at === '/api/chat').length;
  const uses = async (): Promise<unknown> => {
    const [host] = (await obelisk.control()).hosts();
    return [host?.name, ...(host?.loaded.map(({ inFlight, queued }) => [inFlight, queued]) ?? [])];
  };
  await until(() => obelisk.roleOf('tiny:latest') === 'chat', 'the model is found');
  const first = [ask(), ask()];
  await until(() => asked() === 1, 'the first is asked');
  write(1, 'after');
  await obelisk.reload();
  assert.deepEqual(await uses(), ['after', [1, 1]]);
  write(3, 'after');
  await obelisk.reload();
  const late = ask();
  await until(() => asked() === 3, 'three are asked at once');
  assert.deepEqual(await Promise.all([...first, late]), ['well', 'well', 'well']);
  assert.deepEqual(await uses(), ['after', [0, 0]]);
});
