import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { isObeliskError } from '../shared/errors.ts';
import { walkVault } from './walk.ts';

async function vaultWith(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const base = await realpath(await mkdtemp(join(tmpdir(), 'obelisk-walk-')));
  t.after(() => rm(base, { recursive: true, force: true }));
  const root = join(base, 'vault');
  await mkdir(root);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

const paths = (files: readonly { readonly path: string }[]): string[] => files.map((file) => file.path);
const posixOnly = process.platform === 'win32' ? 'needs a POSIX file system' : false;

test('notes and other files are listed apart, in order, with size and time', async (t) => {
  const root = await vaultWith(t, { 'b.md': '12', 'a/c.MD': '', 'a/pic.png': 'x', 'z.canvas': '{}' });
  const listing = await walkVault(root);
  assert.deepEqual(paths(listing.notes), ['a/c.MD', 'b.md']);
  assert.deepEqual(paths(listing.attachments), ['a/pic.png', 'z.canvas']);
  assert.deepEqual(listing.skipped, []);
  assert.equal(listing.notes[1]?.size, 2);
  assert.equal(listing.notes[1]?.fileName, join(root, 'b.md'));
  assert.ok((listing.notes[1]?.mtimeMs ?? 0) > 0);
});

test('hidden folders, the trash and what Obsidian excludes are left out', async (t) => {
  const settings = { userIgnoreFilters: ['Archive/', '/\\.draft\\.md$/', '/(a+)+$/', '/[/', 7] };
  const root = await vaultWith(t, {
    'kept.md': '',
    'archive/old.md': '',
    'x/Archive/kept too.md': '',
    'one.draft.md': '',
    '.trash/gone.md': '',
    '.obsidian/app.json': JSON.stringify(settings),
    '.hidden.md': '',
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!.md': '',
  });
  const listing = await walkVault(root);
  assert.deepEqual(paths(listing.notes), [
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!.md',
    'kept.md',
    'x/Archive/kept too.md',
  ]);
  assert.deepEqual(
    listing.skipped.map(({ reason }) => reason.split(':')[0]),
    ['excluded files /(a+)+$/', 'excluded files /[/'],
  );
});

test('broken settings of Obsidian are reported and stop nothing', async (t) => {
  const root = await vaultWith(t, { 'n.md': '', '.obsidian/app.json': '{' });
  const listing = await walkVault(root);
  assert.deepEqual(paths(listing.notes), ['n.md']);
  assert.equal(listing.skipped.length, 1);
});

test(
  'links inside the vault are not followed twice, links out of it not at all',
  { skip: posixOnly },
  async (t) => {
    const root = await vaultWith(t, { 'real/n.md': 'x', 'real/deep/m.md': 'y', '.store/s.md': 'z' });
    await symlink(root, join(root, 'real', 'loop'));
    await symlink(join(root, 'real'), join(root, 'again'));
    await symlink(join(root, 'real', 'n.md'), join(root, 'same.md'));
    await symlink(dirname(root), join(root, 'outside'));
    await symlink('/etc/hostname', join(root, 'secret.md'));
    await symlink(join(root, 'nowhere'), join(root, 'dangling.md'));
    await symlink(join(root, '.store'), join(root, 'store'));
    const listing = await walkVault(root);
    assert.deepEqual(paths(listing.notes), ['real/deep/m.md', 'real/n.md']);
    assert.deepEqual(paths(listing.skipped), [
      'again',
      'dangling.md',
      'outside',
      'real/loop',
      'same.md',
      'secret.md',
      'store',
    ]);
    assert.match(listing.skipped.find(({ path }) => path === 'outside')?.reason ?? '', /leaves the vault/);
  },
);

test('a vault that is itself a link is read where it leads', { skip: posixOnly }, async (t) => {
  const root = await vaultWith(t, { 'n.md': 'x' });
  await symlink(root, join(dirname(root), 'link'));
  const listing = await walkVault(join(dirname(root), 'link'));
  assert.deepEqual(paths(listing.notes), ['n.md']);
  assert.equal(listing.root, root);
});

test(
  'a pipe, a note of two gigabytes and what cannot be read are skipped with a reason',
  { skip: posixOnly },
  async (t) => {
    const root = await vaultWith(t, { 'big.md': '', 'big.mp4': '', 'locked/n.md': '', 'n.md': '' });
    execFileSync('mkfifo', [join(root, 'pipe.md')]);
    await truncate(join(root, 'big.md'), 2 * 1024 ** 3);
    await chmod(join(root, 'locked'), 0);
    const listing = await walkVault(root);
    await chmod(join(root, 'locked'), 0o700);
    const skipped = new Map(listing.skipped.map(({ path, reason }) => [path, reason]));
    assert.match(skipped.get('pipe.md') ?? '', /not a regular file/);
    assert.match(skipped.get('big.md') ?? '', /larger than 8 MiB/);
    // A superuser may read any folder.
    if (process.getuid?.() !== 0) assert.match(skipped.get('locked') ?? '', /cannot be read \(EACCES\)/);
    assert.ok(paths(listing.notes).includes('n.md'));
    assert.deepEqual(paths(listing.attachments), ['big.mp4']);
  },
);

test('names are NFC in the vault and as they are on disk', { skip: posixOnly }, async (t) => {
  const decomposed = 'Cafe\u0301.md';
  const root = await vaultWith(t, { [decomposed]: 'x' });
  const [note] = (await walkVault(root)).notes;
  assert.equal(note?.path, 'Caf\u00e9.md');
  assert.equal(note?.fileName.normalize('NFC'), join(root, 'Caf\u00e9.md'));
});

test(
  'of two names that are one in NFC one is kept and the other reported',
  { skip: process.platform !== 'linux' && 'needs a file system that tells them apart' },
  async (t) => {
    const root = await vaultWith(t, {
      'Cafe\u0301.md': 'x',
      'Caf\u00e9.md': 'y',
      'note.md': '',
      'Note.md': '',
    });
    const listing = await walkVault(root);
    assert.deepEqual(paths(listing.notes), ['Caf\u00e9.md', 'Note.md', 'note.md']);
    assert.deepEqual(paths(listing.skipped), ['Caf\u00e9.md']);
  },
);

test('a vault of no notes is empty, not an error', async (t) => {
  const { notes, attachments, skipped } = await walkVault(await vaultWith(t, {}));
  assert.deepEqual([notes, attachments, skipped], [[], [], []]);
});

test('a folder that is not there, or is a file, is named with a remedy', async (t) => {
  const root = await vaultWith(t, { 'file.md': '' });
  for (const [path, remedy] of [
    [join(root, 'missing'), /does not exist; correct the path/],
    [join(root, 'file.md'), /is not a folder; give the folder/],
  ] as const) {
    await assert.rejects(walkVault(path), (error) => {
      assert.ok(isObeliskError(error));
      assert.equal(error.code, 'vault_unreadable');
      assert.ok(error.message.includes(path));
      assert.match(error.message, remedy);
      return true;
    });
  }
});
