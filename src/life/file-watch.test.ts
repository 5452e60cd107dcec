import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../test/eventually.ts';
import { watchFile } from './file-watch.ts';

type Watched = { readonly file: string; readonly folder: string; changes(): number };

function watched(context: TestContext, prepare: (folder: string, file: string) => void): Watched {
  const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-watch-'));
  const file = path.join(folder, 'obelisk.yaml');
  prepare(folder, file);
  let changes = 0;
  const onChange = (): void => void (changes += 1);
  const watch = watchFile({ file, onChange, readAtMs: Date.now() + 1_000, everyMs: 5, settleMs: 30 });
  context.after(() => {
    watch.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { file, folder, changes: () => changes };
}

test('an edit is told once, however many writes it takes', async (context) => {
  const { file, changes } = watched(context, (_folder, at) => writeFileSync(at, 'a'));
  await sleep(30);
  assert.equal(changes(), 0);
  for (let part = 0; part < 4; part += 1) writeFileSync(file, 'b'.repeat(part + 2));
  await until(() => changes() === 1, 'the edit is told');
  await sleep(60);
  assert.equal(changes(), 1);
});

test('an atomic save is told, and so is a file that appears or is gone for good', async (context) => {
  const { file, folder, changes } = watched(context, () => undefined);
  const draft = path.join(folder, 'draft');
  writeFileSync(file, 'a');
  await until(() => changes() === 1, 'the new file is told');
  writeFileSync(draft, 'b');
  renameSync(draft, file);
  await until(() => changes() === 2, 'the save is told');
  unlinkSync(file);
  await until(() => changes() === 3, 'its end is told');
});

test(
  'a link whose target changes far away is told, as Kubernetes swaps its volumes',
  { skip: process.platform === 'win32' },
  async (context) => {
    const { folder, changes } = watched(context, (at, file) => {
      for (const version of ['v1', 'v2']) {
        mkdirSync(path.join(at, version));
        writeFileSync(path.join(at, version, 'obelisk.yaml'), 'same length');
      }
      symlinkSync('v1', path.join(at, '..data'));
      symlinkSync(path.join('..data', 'obelisk.yaml'), file);
    });
    symlinkSync('v2', path.join(folder, '..data_tmp'));
    renameSync(path.join(folder, '..data_tmp'), path.join(folder, '..data'));
    await until(() => changes() === 1, 'the swap is told');
  },
);

test('what was written after the file was read and before it was watched is told', async (context) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-watch-'));
  const file = path.join(folder, 'obelisk.yaml');
  writeFileSync(file, 'a');
  let changes = 0;
  const watch = watchFile({ file, onChange: () => (changes += 1), readAtMs: 0, everyMs: 5, settleMs: 5 });
  context.after(() => {
    watch.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await until(() => changes === 1, 'the change is told');
});
