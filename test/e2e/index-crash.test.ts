import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { silentLogger } from '../../src/telemetry/log.ts';
import type { VaultLibrary } from '../../src/rag/library.ts';
import { createVaultLibrary } from '../../src/rag/service/vault-library.ts';

const LIBRARY = new URL('../../src/rag/service/vault-library.ts', import.meta.url).href;

/** A program that opens the vault, prints a line at each new count of notes, and stays. */
const PROGRAM = `
  const { createVaultLibrary } = await import(process.argv[1]);
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const vaults = [{ name: 'v', path: process.argv[2] }];
  const library = createVaultLibrary({ vaults, dataDir: process.argv[3], watch: true, logger });
  let last = -1;
  setInterval(() => {
    const { notes, state } = library.status()[0];
    if (notes !== last || state === 'ready') console.log(state + ' ' + notes);
    last = notes;
  }, 5);
`;

type Folders = { readonly vault: string; readonly dataDir: string };

function makeVault(context: TestContext, count: number): Folders {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'obelisk-crash-'));
  const vault = path.join(folder, 'vault');
  mkdirSync(vault);
  for (let at = 0; at < count; at += 1) {
    const body = `walrus n${String(at)} lives on ice. `.repeat(40);
    writeFileSync(path.join(vault, `note ${String(at)}.md`), `# Heading ${String(at)}\n\n${body}`);
  }
  context.after(() => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return { vault, dataDir: path.join(folder, 'data') };
}

function start(context: TestContext, { vault, dataDir }: Folders): ChildProcess {
  const argv = ['--input-type=module', '-e', PROGRAM, LIBRARY, vault, dataDir];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  context.after(() => child.kill('SIGKILL'));
  return child;
}

/** Waits for a line of the child that fits. */
async function line(child: ChildProcess, fits: (state: string, notes: number) => boolean): Promise<void> {
  assert.ok(child.stdout);
  for await (const text of createInterface({ input: child.stdout })) {
    const [state = '', notes = ''] = text.split(' ');
    if (fits(state, Number(notes))) return;
  }
  assert.fail('the child ended');
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function open(context: TestContext, { vault, dataDir }: Folders): VaultLibrary {
  const vaults = [{ name: 'v', path: vault }];
  const library = createVaultLibrary({ vaults, dataDir, watch: false, logger: silentLogger });
  context.after(() => library.close());
  return library;
}

test('an index is usable after a kill in the middle of indexing', async (context) => {
  const folders = makeVault(context, 600);
  const child = start(context, folders);
  await line(child, (_state, notes) => notes > 50);
  await kill(child);
  const library = open(context, folders);
  await library.ready();
  const [status] = library.status();
  assert.deepEqual([status?.state, status?.notes, status?.chunks], ['ready', 600, 600]);
  const { hits } = await library.search('v', 'n599', {});
  assert.equal(hits[0]?.path, 'note 599.md');
});

test('a second process searches while the first one writes, and takes over when it is gone', async (context) => {
  const folders = makeVault(context, 5);
  const child = start(context, folders);
  await line(child, (state) => state === 'ready');
  const library = open(context, folders);
  await library.ready();
  assert.match(library.status()[0]?.readOnly ?? '', new RegExp(`process ${String(child.pid)}`));
  assert.equal((await library.search('v', 'n3', {})).hits[0]?.path, 'note 3.md');
  await assert.rejects(library.rebuild(), (error: Error) =>
    error.message.includes(`process ${String(child.pid)}`),
  );
  writeFileSync(path.join(folders.vault, 'note 3.md'), 'heron');
  assert.deepEqual((await library.search('v', 'n3', {})).hits, [], 'what changed is not cited');
  await kill(child);
  await library.refresh();
  assert.equal(library.status()[0]?.readOnly, undefined);
  assert.equal((await library.search('v', 'heron', {})).hits[0]?.path, 'note 3.md');
});
