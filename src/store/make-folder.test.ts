import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { makeFolder } from './make-folder.ts';

test('a folder is made with those above it, and once it is there nothing is done', (context) => {
  const root = mkdtempSync(path.join(tmpdir(), 'obelisk-folder-'));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  const folder = path.join(root, 'a', 'b');
  makeFolder(folder);
  makeFolder(folder);
  assert.ok(statSync(folder).isDirectory());
});

test('what stands in the way is told', (context) => {
  const root = mkdtempSync(path.join(tmpdir(), 'obelisk-folder-'));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  const file = path.join(root, 'file');
  writeFileSync(file, '');
  assert.throws(() => makeFolder(file), { code: 'EEXIST', path: file });
  assert.throws(() => makeFolder(path.join(file, 'a', 'b')), {
    code: /^(EEXIST|ENOTDIR)$/,
  });
});

test('a link that leads nowhere is told', { skip: process.platform === 'win32' }, (context) => {
  const root = mkdtempSync(path.join(tmpdir(), 'obelisk-folder-'));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  const link = path.join(root, 'link');
  symlinkSync(path.join(root, 'nowhere', 'at', 'all'), link);
  assert.throws(() => makeFolder(path.join(link, 'a')));
});

test('a file system without folders of ours refuses at once', { skip: process.platform !== 'linux' }, () => {
  assert.throws(() => makeFolder('/proc/obelisk/a'), { code: 'ENOENT', path: '/proc/obelisk' });
});
