import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { until } from '../../../test/eventually.ts';
import { VaultFollower } from './vault-follower.ts';
import { VaultHost } from './vault-host.ts';

const PATIENCE_MS = 20_000;

test('a vault that fails between two full comparisons is looked at again soon, with nothing to notice in it', async (context) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-follower-'));
  const [root, dataDir] = [path.join(folder, 'notes'), path.join(folder, 'data')];
  mkdirSync(root);
  writeFileSync(path.join(root, 'Note.md'), 'A walrus has two tusks.');
  const log = (): void => undefined;
  const vault = { key: 'notes', name: 'notes', path: root };
  const host = new VaultHost({ vault, dataDir, onChange: log, log });
  const follower = new VaultFollower({ host, root, reconcileMs: 60_000, log });
  context.after(async () => {
    follower.close();
    await host.close();
    rmSync(folder, { recursive: true, force: true });
  });
  follower.start();
  writeFileSync(dataDir, 'in the way');
  await host.pass();
  assert.equal(host.status().state, 'failed');
  rmSync(dataDir);
  await until(() => host.status().state === 'ready', 'it is ready', PATIENCE_MS);
});
