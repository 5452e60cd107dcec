import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { runCli } from '../../test/command-line.ts';
import type { LoadedConfig } from '../config/settings.ts';
import type { VaultStatus } from '../rag/library.ts';
import { ObeliskError } from '../shared/errors.ts';
import type { AnswerSource } from '../query.ts';
import type { Program } from './program.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-cli-'));
const notes = path.join(folder, 'Notes');
mkdirSync(notes);
after(() => rmSync(folder, { recursive: true, force: true }));

const SOURCE: AnswerSource = {
  index: 1,
  vault: 'Notes',
  path: 'Bread.md',
  title: 'Bread',
  headingPath: ['Bread', 'Sourdough'],
  startLine: 3,
  endLine: 5,
  obsidianUrl: 'obsidian://open?vault=Notes&file=Bread',
  url: '/#Notes/Bread.md',
  cited: true,
};

function toStatus(name: string): VaultStatus {
  return {
    name,
    path: notes,
    state: 'ready',
    notes: 2,
    chunks: 5,
    pendingNotes: 0,
    embeddedChunks: 0,
    links: { resolved: 1, ambiguous: 0, unresolved: 2 },
    warnings: [{ path: 'Bad.md', line: 2, message: 'front matter is not valid' }],
  };
}

/** A program whose answers are fixed, and which records what was asked of it. */
function createProgram(config: LoadedConfig, record: string[]): Program {
  const names = config.settings.vaults.map((vault) => vault.name);
  return {
    vaults: () => Promise.resolve(names.map(toStatus)),
    models: () =>
      Promise.resolve([
        {
          name: 'llama3:latest',
          kind: 'chat',
          capabilities: ['tools'],
          contextLength: 8192,
          source: 'ollama',
          default: 'chat',
        },
      ]),
    control: () => Promise.reject(new Error('this program controls nothing')),
    async *ask(question, { vault, model }) {
      record.push(`ask ${question} of ${vault} with ${model ?? 'the default'}`);
      if (question === 'unknown?') {
        yield { type: 'text', text: 'Nothing about that.' };
        yield { type: 'end', sources: [{ ...SOURCE, cited: false }], supported: false };
        return;
      }
      if (question === 'broken?') throw new ObeliskError('upstream_error', 'the model went away');
      yield { type: 'text', text: 'Feed it \u001b[31mtwice ' };
      yield { type: 'text', text: 'a day [1].' };
      yield { type: 'end', sources: [SOURCE, { ...SOURCE, index: 2, cited: false }], supported: true };
    },
    search: (query, { vault, limit }) => {
      record.push(`search ${query} in ${vault} for ${limit}`);
      const hit = { ...SOURCE, text: 'Feed  the\nstarter', score: 1, coverage: 1 };
      return Promise.resolve({ vault, hits: [hit], supported: true, tookMs: 1 });
    },
    index: ({ rebuild, onProgress }) => {
      record.push(`index ${rebuild ? 'anew' : 'changes'}`);
      onProgress({ vault: 'Notes', notesDone: 1, notesTotal: 2 });
      return Promise.resolve(names.map(toStatus));
    },
    listen: () => {
      record.push('listen');
      return Promise.resolve({
        url: 'http://127.0.0.1:4000',
        close: () => Promise.resolve(void record.push('stop listening')),
        forget: () => undefined,
      });
    },
    reload: () => Promise.resolve(),
    drainMs: () => 0,
    noteCrash: () => undefined,
    flushLog: () => undefined,
    close: () => Promise.resolve(void record.push('close')),
  };
}

async function run(
  given: readonly string[],
  options: { readonly input?: string; readonly signal?: AbortSignal; readonly cwd?: string } = {},
): Promise<{ code: number; stdout: string; stderr: string; record: readonly string[] }> {
  const record: string[] = [];
  const open = (config: LoadedConfig): Program => createProgram(config, record);
  return { ...(await runCli(given, { cwd: folder, ...options, open })), record };
}

test('ask streams the answer and then its cited sources, without control characters', async () => {
  const { code, stdout, stderr, record } = await run(['ask', 'How', 'often?', '--vault', 'Notes']);
  assert.equal(code, 0);
  assert.equal(stdout, 'Feed it [31mtwice a day [1].\n\nSources\n[1] Bread.md#Sourdough (lines 3-5)\n');
  assert.equal(stderr, '');
  assert.deepEqual(record, ['index changes', 'ask How often? of Notes with the default', 'close']);
});

test('ask reads the question from standard input, and names the model', async () => {
  const { record } = await run(['ask', '-m', 'extractive', '--vault', notes], { input: 'How often?\n' });
  assert.deepEqual(record[1], 'ask How often? of Notes with extractive');
});

test('ask --json prints one object', async () => {
  const { code, stdout } = await run(['ask', 'How often?', '--json', '--vault', notes]);
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout), {
    question: 'How often?',
    vault: 'Notes',
    model: null,
    text: 'Feed it \u001b[31mtwice a day [1].',
    supported: true,
    sources: [SOURCE],
  });
});

test('ask ends with 3 when nothing in the vault supports an answer', async () => {
  const { code, stdout } = await run(['ask', 'unknown?', '--vault', notes]);
  assert.equal(code, 3);
  assert.equal(stdout, 'Nothing about that.\n');
});

test('an answer that breaks off is an error, and the program is closed', async () => {
  const { code, stderr, record } = await run(['ask', 'broken?', '--vault', notes]);
  assert.equal(code, 1);
  assert.equal(stderr, 'obelisk ask: the model went away\n');
  assert.equal(record.at(-1), 'close');
});

test('a vault that is no name and no folder is refused before anything is opened', async () => {
  const missing = await run(['ask', 'x', '--vault', 'Nots']);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /no vault named "Nots" and no folder .*Nots; configured are: obelisk-docs/);
  const served = await run(['serve', '--vault', 'Nots']);
  assert.equal(served.code, 1);
  assert.match(served.stderr, /the vault "Nots" at .* does not exist; did you mean .*Notes\?/);
  assert.deepEqual([...missing.record, ...served.record], []);
});

test('ask wants one vault where there are several; search takes them all', async () => {
  writeFileSync(path.join(folder, 'two.yaml'), 'vaults: [{path: Notes}, {name: Other, path: Notes}]');
  const asked = await run(['ask', 'x', '-c', 'two.yaml']);
  assert.equal(asked.code, 2);
  assert.match(asked.stderr, /choose one vault with --vault: Notes, Other/);
  const named = await run(['ask', 'x', '-c', 'two.yaml', '--vault', 'Other']);
  assert.equal(named.record[1], 'ask x of Other with the default');
  const searched = await run(['search', '-c', 'two.yaml', '-n', '3', 'a', 'b']);
  assert.deepEqual(searched.record.slice(1, 3), ['search a b in Notes for 3', 'search a b in Other for 3']);
  assert.equal(
    searched.stdout,
    'Notes\nBread.md#Sourdough (lines 3-5)\n  Feed the starter\nOther\nBread.md#Sourdough (lines 3-5)\n  Feed the starter\n',
  );
});

test('index prints a table, and what it could not read on standard error', async () => {
  const { code, stdout, stderr, record } = await run(['index', '--rebuild', '--vault', notes]);
  assert.equal(code, 0);
  assert.match(stdout, /VAULT +STATE +NOTES/);
  assert.match(stdout, /Notes +ready +2 +5 +0 +1 +2/);
  assert.match(stderr, /Notes: Bad\.md:2: front matter is not valid/);
  assert.deepEqual(record, ['index anew', 'close']);
});

test('models are listed without reading a vault, the default marked', async () => {
  const { stdout, record } = await run(['models']);
  assert.match(stdout, /llama3:latest \* +chat +tools +8192 +ollama/);
  assert.match(stdout, /vault\/obelisk-docs +vault/);
  assert.deepEqual(record, ['close']);
});

test('serve says where it listens and how to ask, and stops in order when told to', async () => {
  const stopping = new AbortController();
  const running = run(['serve', '--vault', notes], { signal: stopping.signal });
  setTimeout(() => stopping.abort(), 50);
  const { code, stdout, record } = await running;
  assert.equal(code, 0);
  assert.match(stdout, /listening on http:\/\/127\.0\.0\.1:4000\n/);
  assert.match(stdout, /llama3:latest \(default chat\)/);
  assert.match(stdout, /vault\/Notes \(2 notes\)/);
  assert.match(stdout, /^ {2}curl -s http:\/\/127\.0\.0\.1:4000\/v1\/chat\/completions .* -d '\{.*\}'$/m);
  assert.deepEqual(record, ['listen', 'stop listening', 'close']);
});

test('serve names the file of a key in its curl line and never shows a key', async () => {
  writeFileSync(path.join(folder, 'key.yaml'), 'general_settings: {master_key: sk-canary-1234}');
  const { stdout, stderr } = await run(['serve', '-c', 'key.yaml'], { signal: AbortSignal.abort() });
  assert.match(stdout, /Bearer \$\(cat '[^']+server\.token'\)/);
  assert.doesNotMatch(stdout + stderr, /canary/);
});
