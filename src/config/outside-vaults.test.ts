import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { requireDataOutsideVaults } from './outside-vaults.ts';

const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'obelisk-outside-')));
after(() => rmSync(folder, { recursive: true, force: true }));
const vault = path.join(folder, 'Notes');
mkdirSync(vault);
mkdirSync(path.join(folder, 'Notes data'));

function check(dataDir: string, vaultPath = vault): void {
  const origins = new Map([['data_dir', { kind: 'environment', name: 'OBELISK_DATA_DIR' } as const]]);
  const vaults = [{ name: 'Notes', path: vaultPath }];
  requireDataOutsideVaults({ dataDir, vaults }, { origins, platform: process.platform });
}

test('a data directory inside a vault is refused, also where it does not exist yet', () => {
  for (const dataDir of [vault, path.join(vault, 'data'), path.join(vault, '.obelisk', 'deep')]) {
    assert.throws(() => check(dataDir), {
      code: 'config_invalid',
      message: /inside the vault .*OBELISK_DATA_DIR/,
    });
  }
});

test('a link does not lead it in', () => {
  const link = path.join(folder, 'link');
  symlinkSync(vault, link, 'junction');
  assert.throws(() => check(path.join(link, 'data')), { code: 'config_invalid' });
  assert.throws(() => check(path.join(vault, 'data'), link), { code: 'config_invalid' });
});

test('a data directory beside or around a vault is fine', () => {
  for (const dataDir of [folder, path.join(folder, 'Notes data'), path.join(folder, 'Notesx')])
    check(dataDir);
  check(path.join(folder, '..data'), folder + path.sep + 'Notes');
});
