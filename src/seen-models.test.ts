import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { openSeenModels, SEEN_MODELS_FILE } from './seen-models.ts';
import { silentLogger } from './telemetry/log.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'obelisk-seen-'));
after(() => rm(folder, { recursive: true, force: true }));

test('the models of each host are known to the next process', async () => {
  const dataDir = path.join(folder, 'new', 'data');
  const first = openSeenModels(dataDir, silentLogger);
  assert.deepEqual(first.of('http://a'), []);
  first.note('http://a', ['x:latest', 'gone:latest']);
  first.note('http://b', ['y:latest']);
  first.note('http://a', ['x:latest']);
  await first.written();
  first.note('http://b', []);
  await first.written();
  const second = openSeenModels(dataDir, silentLogger);
  assert.deepEqual(second.of('http://a'), ['x:latest']);
  assert.deepEqual(second.of('http://b'), []);
  assert.deepEqual(await readdir(dataDir), [SEEN_MODELS_FILE], 'no draft is left');
});

for (const [name, text] of [
  ['half a file', '{"http://a":["x'],
  ['other JSON', '{"http://a":"x"}'],
  ['no text at all', ''],
] as const) {
  test(`${name} counts as nothing remembered, is told, and is written anew`, async () => {
    const dataDir = await mkdtemp(path.join(folder, 'damaged-'));
    await writeFile(path.join(dataDir, SEEN_MODELS_FILE), text);
    const told: string[] = [];
    const logger = { ...silentLogger, warn: (message: string) => void told.push(message) };
    const seen = openSeenModels(dataDir, logger);
    assert.deepEqual(seen.of('http://a'), []);
    assert.equal(told.length, 1);
    seen.note('http://a', ['x']);
    await seen.written();
    assert.deepEqual(openSeenModels(dataDir, silentLogger).of('http://a'), ['x']);
  });
}

test('a directory that cannot be written is told, and what was noted still counts', async () => {
  const dataDir = await mkdtemp(path.join(folder, 'blocked-'));
  await mkdir(path.join(dataDir, SEEN_MODELS_FILE));
  await writeFile(path.join(dataDir, SEEN_MODELS_FILE, 'x'), '');
  const told: string[] = [];
  const seen = openSeenModels(dataDir, {
    ...silentLogger,
    warn: (message: string) => void told.push(message),
  });
  seen.note('http://a', ['x']);
  await seen.written();
  assert.deepEqual(seen.of('http://a'), ['x']);
  assert.deepEqual(told, [
    'the models that were seen earlier cannot be read',
    'the models that were seen cannot be remembered',
  ]);
  assert.deepEqual(await readdir(dataDir), [SEEN_MODELS_FILE]);
});
