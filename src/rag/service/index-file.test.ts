import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { openVaultIndex } from '../index/vault-index.ts';
import { isReadableIndex } from './index-file.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'obelisk-index-file-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('an index of this version is readable; none, a newer or a damaged one is not', () => {
  const file = path.join(folder, 'index.sqlite');
  assert.equal(isReadableIndex(file), false);
  openVaultIndex({ file }).close();
  assert.equal(isReadableIndex(file), true);
  const database = new DatabaseSync(file);
  database.exec('PRAGMA user_version = 99');
  database.close();
  assert.equal(isReadableIndex(file), false);
  writeFileSync(file, 'this was an index once, and a disk lost it'.repeat(100));
  assert.equal(isReadableIndex(file), false);
});
