import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { VaultEntry } from '../../config/settings.ts';
import { silentLogger } from '../../telemetry/log.ts';
import type { VaultLibrary } from '../library.ts';
import { VaultShelf } from './vault-shelf.ts';

type Fixture = {
  readonly shelf: VaultShelf;
  readonly dataDir: string;
  vault(name: string, folder: string, text: string): VaultEntry;
};

function fixture(context: TestContext): Fixture {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'obelisk-shelf-'));
  const dataDir = path.join(folder, 'data');
  const shelf = new VaultShelf({ dataDir, watch: false, logger: silentLogger });
  context.after(async () => {
    await shelf.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    shelf,
    dataDir,
    vault(name, at, text) {
      mkdirSync(path.join(folder, at), { recursive: true });
      writeFileSync(path.join(folder, at, 'Note.md'), text);
      return { name, path: path.join(folder, at) };
    },
  };
}

const states = (library: VaultLibrary): readonly string[] =>
  library.status().map(({ name, state }) => `${name} ${state}`);

/** Files by which one process holds an index. */
function locks(dataDir: string): number {
  const folder = path.join(dataDir, 'vaults');
  return existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.lock.pid')).length : 0;
}

async function textOf(library: VaultLibrary, vault: string): Promise<string> {
  const { hits } = await library.search(vault, 'walrus tusks', {});
  return hits.map(({ text }) => text).join();
}

test('a vault that two libraries have stays open as it is until both are closed', async (context) => {
  const { shelf, vault, dataDir } = fixture(context);
  const [a, b] = [vault('a', 'A', 'A walrus has two tusks.'), vault('b', 'B', 'Tusks of a walrus grow.')];
  const old = shelf.open([a]);
  await old.ready();
  const next = shelf.open([a, b]);
  assert.deepEqual(states(next), ['a ready', 'b starting'], 'what is open is not opened again');
  await old.close();
  await next.ready();
  assert.match(await textOf(next, 'a'), /two tusks/);
  assert.match(await textOf(next, 'b'), /grow/);
  assert.equal(locks(dataDir), 2);
  await next.close();
  assert.deepEqual(next.status(), []);
  assert.equal(locks(dataDir), 0, 'nobody holds the indexes any more');
});

test('one name may change its folder while the old one is still asked', async (context) => {
  const { shelf, vault } = fixture(context);
  const old = shelf.open([vault('notes', 'Old', 'A walrus has two old tusks.')]);
  await old.ready();
  const next = shelf.open([vault('notes', 'New', 'A walrus has two new tusks.')]);
  await next.ready();
  assert.match(await textOf(old, 'notes'), /old/);
  assert.match(await textOf(next, 'notes'), /new/);
  await old.close();
  assert.match(await textOf(next, 'notes'), /new/);
});

test('a vault that is closed and opened again at once is served again', async (context) => {
  const { shelf, vault } = fixture(context);
  const entry = vault('a', 'A', 'A walrus has two tusks.');
  for (let round = 0; round < 3; round += 1) {
    const library = shelf.open([entry]);
    await library.ready();
    assert.equal(library.status()[0]?.readOnly, undefined, 'it does not take itself for another process');
    assert.match(await textOf(library, 'a'), /two tusks/);
    void library.close();
  }
});

test('a question before the first pass of a vault waits for it, though others have passed', async (context) => {
  const { shelf, vault } = fixture(context);
  const first = shelf.open([vault('a', 'A', 'Nothing of that kind.')]);
  await first.ready();
  const both = shelf.open([
    vault('a', 'A', 'Nothing of that kind.'),
    vault('b', 'B', 'A walrus has two tusks.'),
  ]);
  assert.match(await textOf(both, 'b'), /two tusks/);
});

test('no thread is started before the first vault', async (context) => {
  const { shelf, vault } = fixture(context);
  let threads = 0;
  const count = (): void => {
    threads += 1;
  };
  process.on('worker', count);
  context.after(() => process.off('worker', count));
  const none = shelf.open([]);
  await none.ready();
  await none.refresh();
  assert.deepEqual([none.names(), none.status(), threads], [[], [], 0]);
  const some = shelf.open([vault('a', 'A', 'A walrus has two tusks.')]);
  await some.ready();
  assert.equal(threads, 1);
  await none.close();
  assert.match(await textOf(some, 'a'), /two tusks/);
});

test('a shelf that was closed before it had a vault takes none', async (context) => {
  const { shelf, vault } = fixture(context);
  await shelf.close();
  assert.throws(() => shelf.open([vault('a', 'A', 'A walrus has two tusks.')]), /were closed/);
});
