import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { ObeliskError } from '../../src/shared/errors.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import type { VaultLibrary } from '../../src/rag/library.ts';
import { createVaultLibrary, type VaultLibraryOptions } from '../../src/rag/service/vault-library.ts';
import { eventually, until } from '../eventually.ts';

type Fixture = {
  readonly vault: string;
  readonly dataDir: string;
  write(name: string, text: string): void;
  open(options?: Partial<VaultLibraryOptions>): VaultLibrary;
};

function fixture(context: TestContext, notes: Readonly<Record<string, string>> = {}): Fixture {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'obelisk-library-'));
  const vault = path.join(folder, 'vault');
  const dataDir = path.join(folder, 'data');
  mkdirSync(vault);
  const opened: VaultLibrary[] = [];
  const write = (name: string, text: string): void => {
    const file = path.join(vault, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  for (const [name, text] of Object.entries(notes)) write(name, text);
  context.after(async () => {
    for (const library of opened) await library.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const open = (options: Partial<VaultLibraryOptions> = {}): VaultLibrary => {
    const vaults = [{ name: 'v', path: vault }];
    const library = createVaultLibrary({ vaults, dataDir, watch: false, logger: silentLogger, ...options });
    opened.push(library);
    return library;
  };
  return { vault, dataDir, write, open };
}

async function paths(library: VaultLibrary, query: string): Promise<string[]> {
  const { hits } = await library.search('v', query, {});
  return [...new Set(hits.map((hit) => hit.path))];
}

/** How long a test waits for what a watcher or a background task brings about, in milliseconds. */
const PATIENCE_MS = 15_000;

const statusOf = (library: VaultLibrary): ReturnType<VaultLibrary['status']>[number] => {
  const [status] = library.status();
  assert.ok(status);
  return status;
};

test('a search gives sources with lines and both addresses', async (context) => {
  const { open } = fixture(context, { 'Folder/Walrus notes.md': '# Tusks\n\nA walrus has two tusks.\n' });
  const library = open();
  await library.ready();
  const { sources, supported } = await library.search('v', 'walrus tusks', {});
  assert.equal(supported, true);
  assert.deepEqual(
    sources.map(({ score: _score, text: _text, ...rest }) => rest),
    [
      {
        index: 1,
        vault: 'v',
        path: 'Folder/Walrus notes.md',
        title: 'Walrus notes',
        headingPath: ['Tusks'],
        startLine: 3,
        endLine: 3,
        obsidianUrl: 'obsidian://open?vault=vault&file=Folder%2FWalrus%20notes',
        url: '/vault/v/Folder/Walrus%20notes.md#L3',
      },
    ],
  );
});

test('an edit, a delete and a new note show in the next answer, unwatched', async (context) => {
  const { vault, write, open } = fixture(context, { 'a.md': 'walrus', 'b.md': 'walrus and heron' });
  const library = open();
  await library.ready();
  assert.deepEqual(new Set(await paths(library, 'walrus')), new Set(['a.md', 'b.md']));
  write('a.md', 'pelican is what it says now');
  assert.deepEqual(await paths(library, 'walrus'), ['b.md']);
  unlinkSync(path.join(vault, 'b.md'));
  assert.deepEqual(await paths(library, 'walrus'), []);
  assert.deepEqual(await paths(library, 'pelican'), ['a.md']);
  write('c.md', 'walrus again');
  await library.refresh();
  assert.deepEqual(await paths(library, 'walrus'), ['c.md']);
});

test('a watched vault is followed through edit, new, rename and delete', async (context) => {
  const { vault, write, open } = fixture(context, { 'a.md': 'walrus' });
  const library = open({ watch: true });
  await library.ready();
  write('b.md', 'heron');
  await eventually(async () => assert.deepEqual(await paths(library, 'heron'), ['b.md']), PATIENCE_MS);
  renameSync(path.join(vault, 'b.md'), path.join(vault, 'c.md'));
  await eventually(async () => assert.deepEqual(await paths(library, 'heron'), ['c.md']), PATIENCE_MS);
  unlinkSync(path.join(vault, 'c.md'));
  await eventually(() => assert.equal(statusOf(library).notes, 1), PATIENCE_MS);
});

test('an index is used again by the next process without reading the notes', async (context) => {
  const { open } = fixture(context, { 'a.md': 'walrus', 'b.md': 'heron' });
  const first = open();
  await first.ready();
  await first.close();
  const second = open();
  await second.ready();
  assert.deepEqual(await paths(second, 'walrus'), ['a.md']);
});

test('links and warnings are counted, after a warm start too', async (context) => {
  const { open } = fixture(context, { 'a.md': '[[b]] [[nowhere]]', 'b.md': '---\nx: [\n---\ntext' });
  for (let run = 0; run < 2; run += 1) {
    const library = open();
    await library.refresh();
    const { links, warnings, notes } = statusOf(library);
    assert.deepEqual(links, { resolved: 1, ambiguous: 0, unresolved: 1 });
    assert.deepEqual(
      warnings.map(({ path }) => path),
      ['b.md'],
    );
    assert.equal(notes, 2);
    await library.close();
  }
});

test('a vault that does not exist is failed, says so, and heals', async (context) => {
  const { vault, write, open } = fixture(context, { 'a.md': 'walrus' });
  renameSync(vault, `${vault}-away`);
  const library = open({ watch: true, reconcileMs: 50 });
  await library.ready();
  assert.equal(statusOf(library).state, 'failed');
  assert.match(statusOf(library).error ?? '', /does not exist/);
  renameSync(`${vault}-away`, vault);
  await until(
    async () => statusOf(library).state === 'ready' && (await paths(library, 'walrus')).length === 1,
    'the vault is read',
    PATIENCE_MS,
  );
  write('b.md', 'heron');
  await eventually(async () => assert.equal((await paths(library, 'heron')).length, 1), PATIENCE_MS);
});

test('a vault that vanishes keeps its index and is served again when it is back', async (context) => {
  const { vault, open } = fixture(context, { 'a.md': 'walrus', 'b.md': 'heron' });
  const library = open({ watch: true, reconcileMs: 50 });
  await library.ready();
  renameSync(vault, `${vault}-away`);
  await eventually(() => assert.equal(statusOf(library).state, 'failed'), PATIENCE_MS);
  await assert.rejects(library.search('v', 'walrus', {}), { code: 'model_unavailable' });
  mkdirSync(vault);
  await library.refresh();
  assert.equal(
    statusOf(library).state,
    'failed',
    'an empty folder in its place is a drive that is not mounted',
  );
  rmSync(vault, { recursive: true });
  renameSync(`${vault}-away`, vault);
  await eventually(() => assert.equal(statusOf(library).state, 'ready'), PATIENCE_MS);
  assert.equal(statusOf(library).notes, 2);
  assert.deepEqual(await paths(library, 'walrus'), ['a.md']);
});

test('a vault of zero notes is ready and finds nothing', async (context) => {
  const library = fixture(context).open();
  await library.ready();
  assert.equal(statusOf(library).state, 'ready');
  const { hits, supported } = await library.search('v', 'walrus', {});
  assert.deepEqual([hits.length, supported], [0, false]);
});

test('the last note of a vault can be deleted', async (context) => {
  const { vault, open } = fixture(context, { 'a.md': 'walrus' });
  const library = open();
  await library.ready();
  unlinkSync(path.join(vault, 'a.md'));
  await library.refresh();
  assert.deepEqual([statusOf(library).state, statusOf(library).notes], ['ready', 0]);
});

test(
  'a symlink loop and a link out of the vault are warnings',
  { skip: process.platform === 'win32' },
  async (context) => {
    const { vault, dataDir, open } = fixture(context, { 'a/walrus.md': 'walrus' });
    symlinkSync(vault, path.join(vault, 'a', 'loop'));
    symlinkSync(path.dirname(dataDir), path.join(vault, 'out'));
    const library = open();
    await library.ready();
    assert.equal(statusOf(library).notes, 1);
    assert.deepEqual(new Set(statusOf(library).warnings.map(({ path }) => path)), new Set(['a/loop', 'out']));
  },
);

test('an unknown vault is named with the nearest ones', async (context) => {
  const library = fixture(context).open();
  await assert.rejects(library.search('w', 'x', {}), (error: unknown) => {
    assert.ok(error instanceof ObeliskError);
    assert.equal(error.code, 'not_found');
    return true;
  });
});

test('a note is read with its links resolved, and nothing outside of the vault is', async (context) => {
  const { open } = fixture(context, { 'a.md': 'to [[b]] and [[c]]', 'x/b.md': 'b' });
  const library = open();
  await library.refresh();
  assert.deepEqual(await library.note('v', 'a.md'), {
    vault: 'v',
    path: 'a.md',
    text: 'to [[b]] and [[c]]',
    obsidianUrl: 'obsidian://open?vault=vault&file=a',
    resolved: { b: 'x/b.md' },
  });
  for (const outside of ['../data/x', '/etc/passwd', 'x', 'C:\\x.md', 'x/../../data']) {
    await assert.rejects(library.note('v', outside), { code: 'not_found' });
  }
});

test('blocks come from the note as it is now', async (context) => {
  const { write, open } = fixture(context, { 'a.md': 'old' });
  const library = open();
  await library.ready();
  write('a.md', '# Head\n\nnew');
  const { 'a.md': blocks, 'b.md': none } = await library.blocks('v', ['a.md', 'b.md']);
  assert.deepEqual(
    blocks?.map(({ kind, text }) => [kind, text]),
    [
      ['heading', 'Head'],
      ['paragraph', 'new'],
    ],
  );
  assert.equal(none, undefined);
});

test('after close every call is refused', async (context) => {
  const library = fixture(context, { 'a.md': 'walrus' }).open();
  await library.close();
  await assert.rejects(library.search('v', 'walrus', {}), ObeliskError);
});

test('a rebuild gives the same index again', async (context) => {
  const library = fixture(context, { 'a.md': 'walrus' }).open();
  await library.ready();
  await library.rebuild();
  assert.deepEqual(await paths(library, 'walrus'), ['a.md']);
});

test('a note that was moved a moment ago is found where it is now, unwatched', async (context) => {
  const { vault, open } = fixture(context, { 'old/a.md': 'the walrus sleeps', 'b.md': 'the heron' });
  const library = open();
  await library.ready();
  renameSync(path.join(vault, 'old'), path.join(vault, 'new'));
  assert.deepEqual(await paths(library, 'walrus'), ['new/a.md']);
});

test('a note can be read before the first comparison has ended', async (context) => {
  const { open } = fixture(context, { 'a.md': 'the walrus sleeps' });
  const library = open();
  assert.equal((await library.note('v', 'a.md')).text, 'the walrus sleeps');
  await assert.rejects(library.note('v', 'b.md'), { code: 'not_found' });
});

test('a question asked before the first pass has ended is not told that the notes lack its answer', async (context) => {
  const notes = Object.fromEntries(
    Array.from({ length: 200 }, (_, at) => [
      `note-${at}.md`,
      `# Note ${at}\n\nThe word of ${at} is plain.\n`,
    ]),
  );
  const { open } = fixture(context, { ...notes, 'zz.md': 'The lighthouse keeper is called Amundsen.\n' });
  const found = await open().search('v', 'What is the lighthouse keeper called?', {});
  assert.equal(found.supported, true);
  assert.equal(found.hits[0]?.path, 'zz.md');
});
