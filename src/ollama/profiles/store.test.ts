import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import { silentLogger } from '../../telemetry/log.ts';

import { openProfileStore, PROFILES_FILE } from './store.ts';

function dataDir(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'obelisk-profiles-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const SCOPE = { model: 'llama3:latest', host: '' };

test('what was set is there after a restart, and no file is made before', (context) => {
  const folder = dataDir(context);
  const store = openProfileStore(folder, silentLogger);
  assert.equal(store.of(SCOPE), undefined);
  assert.equal(existsSync(join(folder, PROFILES_FILE)), false);
  const values = { options: { num_ctx: 4096, use_mmap: false }, keepAlive: -1, requestOptions: ['num_ctx'] };
  store.change(SCOPE, () => values);
  assert.deepEqual(store.of(SCOPE), values);
  const again = openProfileStore(folder, silentLogger);
  assert.deepEqual(again.of(SCOPE), values);
  assert.deepEqual(again.all(), [{ ...SCOPE, values }]);
});

test('a profile of which nothing is left is gone', (context) => {
  const folder = dataDir(context);
  const store = openProfileStore(folder, silentLogger);
  store.change(SCOPE, () => ({ options: { num_gpu: 0 } }));
  store.change(SCOPE, () => ({ options: {} }));
  assert.equal(store.of(SCOPE), undefined);
  assert.deepEqual(openProfileStore(folder, silentLogger).all(), []);
});

test('a change begins with what is on disk, which another process may have written', (context) => {
  const folder = dataDir(context);
  const [one, two] = [openProfileStore(folder, silentLogger), openProfileStore(folder, silentLogger)];
  one.change(SCOPE, () => ({ options: { num_ctx: 4096 } }));
  two.change(SCOPE, ({ options }) => ({ options: { ...options, num_gpu: 0 } }));
  assert.deepEqual(two.of(SCOPE)?.options, { num_ctx: 4096, num_gpu: 0 });
});

test('a change that is refused leaves everything as it was', (context) => {
  const folder = dataDir(context);
  const store = openProfileStore(folder, silentLogger);
  store.change(SCOPE, () => ({ options: { num_ctx: 4096 } }));
  const refusal = new Error('no');
  assert.throws(
    () =>
      store.change(SCOPE, () => {
        throw refusal;
      }),
    { code: 'store_failed', message: /profiles\.sqlite cannot be used \(no\)/ },
  );
  assert.deepEqual(openProfileStore(folder, silentLogger).of(SCOPE), { options: { num_ctx: 4096 } });
});

test('a file that cannot be read is told of, counts as nothing, and is never replaced', (context) => {
  const folder = dataDir(context);
  const file = join(folder, PROFILES_FILE);
  writeFileSync(file, 'no database at all '.repeat(100));
  const said: string[] = [];
  const store = openProfileStore(folder, { ...silentLogger, error: (message) => void said.push(message) });
  assert.equal(said.length, 1);
  assert.deepEqual(store.all(), []);
  assert.throws(() => store.change(SCOPE, () => ({ options: { num_ctx: 4 } })), { code: 'store_failed' });
  assert.match(readFileSync(file, 'utf8'), /^no database/);
});

test('options that this program does not know are not sent', (context) => {
  const folder = dataDir(context);
  openProfileStore(folder, silentLogger).change(SCOPE, () => ({ options: { num_ctx: 4096 } }));
  const database = new DatabaseSync(join(folder, PROFILES_FILE));
  database.exec(`UPDATE profile SET profile = '{"options":{"num_ctx":512,"warp_drive":9},"colour":"blue"}'`);
  database.close();
  assert.deepEqual(openProfileStore(folder, silentLogger).of(SCOPE), { options: { num_ctx: 512 } });
});
