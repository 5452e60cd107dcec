import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { eventually } from '../../test/eventually.ts';
import { watchVault } from './watch.ts';
import type { VaultChange, WatchMode, WatchOptions } from './watch.ts';

type Watched = {
  readonly root: string;
  readonly modes: WatchMode[];
  readonly stop: () => void;
  /** Resolves when a change names the path or a folder above it, or says everything; fails after ten seconds. */
  readonly sees: (path: string | undefined) => Promise<void>;
  readonly changes: VaultChange[];
};

async function watched(t: TestContext, options: Partial<WatchOptions> = {}): Promise<Watched> {
  const root = join(await realpath(await mkdtemp(join(tmpdir(), 'obelisk-watch-'))), 'vault');
  await mkdir(join(root, 'folder'), { recursive: true });
  await writeFile(join(root, 'folder', 'note.md'), 'one');
  const controller = new AbortController();
  const changes: VaultChange[] = [];
  const modes: WatchMode[] = [];
  const waiting = new Set<() => void>();
  t.after(async () => {
    controller.abort();
    await rm(join(root, '..'), { recursive: true, force: true });
  });
  await watchVault(root, {
    onChange: (change) => {
      changes.push(change);
      for (const check of waiting) check();
    },
    onMode: (mode) => modes.push(mode),
    signal: controller.signal,
    debounceMs: 20,
    pollMs: 50,
    ...options,
  });
  const sees = (path: string | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const isSeen = (): boolean =>
        changes.some(
          ({ paths }) =>
            paths === 'everything' ||
            (path !== undefined && paths.some((seen) => seen === path || path.startsWith(`${seen}/`))),
        );
      const timer = setTimeout(
        () => reject(new Error(`no change of ${path ?? 'everything'} was seen`)),
        10_000,
      );
      const check = (): void => {
        if (!isSeen()) return;
        clearTimeout(timer);
        waiting.delete(check);
        changes.length = 0;
        resolve();
      };
      waiting.add(check);
      check();
    });
  return { root, modes, stop: () => controller.abort(), sees, changes };
}

for (const polling of [false, true]) {
  const how = polling ? 'by polling' : 'by the system’s events';

  test(`edits, atomic saves, new folders, renames and deletions are seen ${how}`, async (t) => {
    const { root, sees } = await watched(t, { polling });
    await writeFile(join(root, 'folder', 'note.md'), 'longer text');
    await sees('folder/note.md');
    await writeFile(join(root, 'folder', '.note.md.tmp'), 'saved atomically, longer');
    await rename(join(root, 'folder', '.note.md.tmp'), join(root, 'folder', 'note.md'));
    await sees('folder/note.md');
    await writeFile(join(root, 'folder', 'note.md'), 'edited after an atomic save');
    await sees('folder/note.md');
    await mkdir(join(root, 'new', 'deep'), { recursive: true });
    await writeFile(join(root, 'new', 'deep', 'n.md'), 'x');
    await sees('new/deep/n.md');
    await rename(join(root, 'new'), join(root, 'renamed'));
    await sees('renamed/deep/n.md');
    await writeFile(join(root, 'renamed', 'deep', 'n.md'), 'edited in a renamed folder');
    await sees('renamed/deep/n.md');
    await rm(join(root, 'folder', 'note.md'));
    await sees('folder/note.md');
  });
}

test('hidden files change nothing, Obsidian’s list of excluded files changes everything', async (t) => {
  const { root, sees, changes } = await watched(t);
  await mkdir(join(root, '.obsidian'));
  await writeFile(join(root, '.obsidian', 'workspace.json'), '{}');
  await writeFile(join(root, 'folder', 'seen.md'), 'x');
  await sees('folder/seen.md');
  assert.ok(
    changes.every(
      ({ paths }) => paths === 'everything' || paths.every((path) => !path.includes('.obsidian')),
    ),
  );
  await writeFile(join(root, '.obsidian', 'app.json'), '{}');
  await sees(undefined);
});

test('a vault that is deleted and made again is followed again', async (t) => {
  const { root, sees, modes } = await watched(t);
  await rm(root, { recursive: true });
  await sees(undefined);
  await mkdir(root);
  await eventually(() => assert.equal(modes.length, 2), 10_000);
  await writeFile(join(root, 'again.md'), 'x');
  await sees('again.md');
});

test('polling says why', async (t) => {
  const { modes } = await watched(t, { polling: true });
  assert.equal(modes[0]?.kind, 'polling');
});

test('after the signal nothing is reported', async (t) => {
  const { root, stop, changes } = await watched(t);
  await writeFile(join(root, 'folder', 'note.md'), 'changed just before');
  stop();
  await writeFile(join(root, 'folder', 'note.md'), 'changed after');
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(changes, []);
});
