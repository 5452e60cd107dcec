import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { obsidianUrl, obsidianVaultOf } from './obsidian-address.ts';

function folder(context: TestContext, ...inside: readonly string[]): string {
  const root = mkdtempSync(path.join(os.tmpdir(), 'obelisk-address-'));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  for (const each of inside) mkdirSync(path.join(root, each), { recursive: true });
  return root;
}

test('a vault is named by its folder', (context) => {
  const root = folder(context, 'My Notes/.obsidian');
  const vault = obsidianVaultOf(path.join(root, 'My Notes') + path.sep);
  assert.deepEqual(vault, { name: 'My Notes', prefix: '' });
  assert.equal(
    obsidianUrl(vault, 'Größe/100% [a] #1.md'),
    'obsidian://open?vault=My%20Notes&file=Gr%C3%B6%C3%9Fe%2F100%25%20%5Ba%5D%20%231',
  );
});

test('a folder inside a vault opens in that vault', (context) => {
  const root = folder(context, 'Notes/.obsidian', 'Notes/Work/2024');
  const vault = obsidianVaultOf(path.join(root, 'Notes', 'Work', '2024'));
  assert.deepEqual(vault, { name: 'Notes', prefix: 'Work/2024/' });
  assert.equal(obsidianUrl(vault, 'a.md'), 'obsidian://open?vault=Notes&file=Work%2F2024%2Fa');
});

test('a vault inside another is its own, and a folder that is none has its own name', (context) => {
  const root = folder(context, 'Out/.obsidian', 'Out/In/.obsidian', 'Plain');
  assert.deepEqual(obsidianVaultOf(path.join(root, 'Out', 'In')), { name: 'In', prefix: '' });
  assert.deepEqual(obsidianVaultOf(path.join(root, 'Plain')), { name: 'Plain', prefix: '' });
});
