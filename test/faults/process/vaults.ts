import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, open, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { until } from '../../eventually.ts';
import { PATIENCE_MS } from '../client/arena.ts';
import { runProgram, startProgram } from '../../program.ts';
import type { Program } from '../../program.ts';
import type { FaultRow } from '../row.ts';
import type { Transport } from '../transports.ts';

const run = promisify(execFile);
const GIBIBYTE = 1024 ** 3;
/** How soon another request is answered whatever happens in the vault, in milliseconds. */
const NEIGHBOUR_MS = 1_000;

/** A program that serves a vault with all of these faults at once. */
export type VaultArena = AsyncDisposable & {
  readonly program: Program;
  readonly root: string;
  /** What was not read, and why, as a pass of its own tells. */
  readonly warnings: readonly Warning[];
  /** Notes in the index of the running program. */
  notes(): Promise<number>;
  /** What an answer from the vault says. */
  ask(question: string): Promise<VaultAnswer>;
};

type Warning = { readonly path: string; readonly message: string };

/** An answer with the notes that it cites. */
export type VaultAnswer = { readonly content: string; readonly cited: readonly string[] };

/** A fault of a vault with its check. */
export type VaultCase = FaultRow & { check(arena: VaultArena): Promise<void> };

const text = (name: string, what: string): string => `# ${name}\n\nThe ${name} is called ${what}.\n`;

async function makeVault(root: string, outside: string): Promise<void> {
  const note = (path: string, content: string): Promise<void> => writeFile(join(root, path), content);
  await mkdir(join(root, 'deep', 'deeper'), { recursive: true });
  await mkdir(join(root, '.obsidian'));
  await note('lighthouse.md', text('lighthouse', 'Amundsen'));
  await writeFile(join(outside, 'secret.md'), text('secret password', 'hunter2'));
  await symlink(root, join(root, 'deep', 'loop'));
  await symlink('b', join(root, 'a'));
  await symlink('a', join(root, 'b'));
  await symlink(outside, join(root, 'outside'));
  await symlink(join(outside, 'secret.md'), join(root, 'secret.md'));
  await symlink('nowhere.md', join(root, 'dangling.md'));
  await run('mkfifo', [join(root, 'pipe.md')]);
  const sparse = await open(join(root, 'sparse.md'), 'w');
  await sparse.truncate(2 * GIBIBYTE);
  await sparse.close();
  await note('unreadable.md', text('unreadable', 'nobody'));
  await chmod(join(root, 'unreadable.md'), 0);
  await note('Case.md', text('upper case', 'Ada'));
  await note('case.md', text('lower case', 'Bob'));
  await note('café.md'.normalize('NFC'), text('composed café', 'Cecile'));
  await note('café.md'.normalize('NFD'), text('decomposed café', 'Dora'));
}

/** Makes the vault and starts the program on it. */
export async function openVaultArena(transport: Transport): Promise<VaultArena> {
  const folder = await mkdtemp(join(tmpdir(), 'obelisk-vault-'));
  const [root, outside] = [join(folder, 'notes'), join(folder, 'outside')];
  await mkdir(root);
  await mkdir(outside);
  await makeVault(root, outside);
  const program = await startProgram({
    args: ['serve', '--port', '0', '--vault', root],
    env: { OBELISK_TRANSPORT: transport },
  });
  return {
    program,
    root,
    warnings: await passOver(root),
    async notes() {
      const response = await fetch(`${program.url}/obelisk/v1/vaults`);
      const { data } = (await response.json()) as { data: { notes: number }[] };
      return data[0]?.notes ?? Number.NaN;
    },
    ask: (question) => ask(program, question),
    async [Symbol.asyncDispose]() {
      await program.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function passOver(root: string): Promise<readonly Warning[]> {
  const { code, stdout, stderr } = await runProgram({ args: ['index', '--json', '--vault', root] });
  assert.equal(code, 0, stderr);
  const [vault] = JSON.parse(stdout) as { warnings: Warning[] }[];
  return vault?.warnings ?? [];
}

async function ask(program: Program, question: string): Promise<VaultAnswer> {
  const messages = [{ role: 'user', content: question }];
  const response = await fetch(`${program.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'vault/notes', messages }),
  });
  assert.equal(response.status, 200);
  const { choices } = (await response.json()) as { choices: { message: VaultMessage }[] };
  const message = choices[0]?.message;
  const cited = (message?.sources ?? []).filter((source) => source.cited).map((source) => source.path);
  return { content: message?.content ?? '', cited };
}

type VaultMessage = {
  readonly content: string;
  readonly sources?: readonly { readonly path: string; readonly cited: boolean }[];
};

type Skipped = {
  readonly fault: string;
  readonly sees: string;
  readonly path: string;
  readonly reason: RegExp;
};

const SKIPPED: readonly Skipped[] = [
  {
    fault: 'A link in the vault leads to the vault itself.',
    sees: 'The notes once; the link is skipped, with the reason.',
    path: 'deep/loop',
    reason: /already holds/,
  },
  {
    fault: 'Two links lead to each other.',
    sees: 'The rest of the vault; both are skipped.',
    path: 'a',
    reason: /nowhere/,
  },
  {
    fault: 'A link leads to a folder outside of the vault.',
    sees: 'Nothing of what lies there; the link is skipped.',
    path: 'outside',
    reason: /leaves the vault/,
  },
  {
    fault: 'A link leads to a file outside of the vault.',
    sees: 'Nothing of it; the link is skipped.',
    path: 'secret.md',
    reason: /leaves the vault/,
  },
  {
    fault: 'A link leads nowhere.',
    sees: 'The rest of the vault; the link is skipped.',
    path: 'dangling.md',
    reason: /nowhere/,
  },
  {
    fault: 'A named pipe has the name of a note.',
    sees: 'The rest of the vault; the pipe is skipped and never opened.',
    path: 'pipe.md',
    reason: /not a regular file/,
  },
  {
    fault: 'A note has 2 GiB.',
    sees: 'The rest of the vault; notes of more than 8 MiB are skipped and never read.',
    path: 'sparse.md',
    reason: /larger than 8 MiB/,
  },
];

const SKIPS: readonly VaultCase[] = SKIPPED.map(({ fault, sees, path, reason }) => ({
  row: 54,
  side: 'process',
  fault,
  sees,
  async check({ warnings, ask: askVault }) {
    const told = warnings.filter((warning) => warning.path === path);
    assert.equal(told.length, 1, JSON.stringify(warnings));
    assert.match(told[0]?.message ?? '', reason);
    assert.doesNotMatch((await askVault('What is the secret password called?')).content, /hunter2/);
    assert.match((await askVault('What is the lighthouse called?')).content, /Amundsen/);
  },
}));

/** Longest wait of another request while `work` runs, in milliseconds. */
async function slowestDuring({ program }: VaultArena, work: Promise<unknown>): Promise<number> {
  const state = { over: false, slowest: 0 };
  const done = work.finally(() => {
    state.over = true;
  });
  while (!state.over) {
    const startedMs = performance.now();
    await (await fetch(`${program.url}/health/liveliness`)).arrayBuffer();
    state.slowest = Math.max(state.slowest, performance.now() - startedMs);
    await sleep(5);
  }
  await done;
  return state.slowest;
}

const RENAMES = 400;

async function renameStorm(root: string): Promise<void> {
  await writeFile(join(root, 'storm-0.md'), text('storm petrel', 'Sven'));
  for (let index = 0; index < RENAMES; index += 1)
    await rename(join(root, `storm-${index}.md`), join(root, `storm-${index + 1}.md`));
}

/** Row 54. */
export const VAULTS: readonly VaultCase[] = [
  ...SKIPS,
  {
    row: 54,
    side: 'process',
    fault: 'A note cannot be read.',
    sees: 'The rest of the vault; the note is skipped, with the reason.',
    async check({ warnings, ask: askVault }) {
      // For its superuser a system makes every file readable.
      if (process.getuid?.() !== 0) assert.ok(warnings.some(({ path }) => path === 'unreadable.md'));
      assert.match((await askVault('What is the lighthouse called?')).content, /Amundsen/);
    },
  },
  {
    row: 54,
    side: 'process',
    fault: 'Two notes have names that differ in upper and lower case only.',
    sees: 'Both notes, each under its own name.',
    async check({ ask: askVault }) {
      assert.deepEqual((await askVault('What is the upper case called?')).cited, ['Case.md']);
      assert.deepEqual((await askVault('What is the lower case called?')).cited, ['case.md']);
    },
  },
  {
    row: 54,
    side: 'process',
    fault: 'Two notes have names that are one in Unicode (NFC and NFD).',
    sees: 'One of them, always the same; the other is skipped, with the reason.',
    async check({ warnings, ask: askVault }) {
      assert.deepEqual(
        warnings.filter(({ path }) => path === 'café.md').map(({ message }) => message),
        ['another file has the same name in Unicode NFC'],
      );
      assert.match((await askVault('What is the decomposed café called?')).content, /Dora/);
      assert.doesNotMatch((await askVault('What is the composed café called?')).content, /Cecile/);
    },
  },
  {
    row: 54,
    side: 'process',
    fault: 'A note is renamed four hundred times as fast as can be.',
    sees: 'Answers as ever; soon the note is found under its last name, once.',
    async check(arena) {
      const before = await arena.notes();
      const slowest = await slowestDuring(arena, renameStorm(arena.root));
      assert.ok(slowest <= NEIGHBOUR_MS, `another client waited ${Math.round(slowest)} ms`);
      const last = `storm-${RENAMES}.md`;
      await until(
        async () => {
          const { cited } = await arena.ask('What is the storm petrel called?');
          return cited.length === 1 && cited[0] === last;
        },
        'the note has its last name',
        PATIENCE_MS,
      );
      assert.equal(await arena.notes(), before + 1);
    },
  },
  {
    row: 54,
    side: 'process',
    fault: 'Obsidian writes its own files in `.obsidian` all the time.',
    sees: 'Answers as ever; nothing of it is read or indexed.',
    async check(arena) {
      const before = await arena.notes();
      const churn = async (): Promise<void> => {
        for (let index = 0; index < 200; index += 1) {
          await writeFile(join(arena.root, '.obsidian', 'workspace.json'), `{"at":${index}}`);
          await writeFile(
            join(arena.root, '.obsidian', `note-${index % 5}.md`),
            text('secret password', 'hunter2'),
          );
        }
      };
      const slowest = await slowestDuring(arena, churn());
      assert.ok(slowest <= NEIGHBOUR_MS, `another client waited ${Math.round(slowest)} ms`);
      assert.doesNotMatch((await arena.ask('What is the secret password called?')).content, /hunter2/);
      assert.equal(await arena.notes(), before);
    },
  },
];
