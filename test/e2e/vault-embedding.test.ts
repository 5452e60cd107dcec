import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { ObeliskError } from '../../src/shared/errors.ts';
import type { LogFields, Logger } from '../../src/telemetry/log.ts';
import type { VaultLibrary } from '../../src/rag/library.ts';
import type { EmbeddingPort } from '../../src/rag/service/query-embedding.ts';
import { createVaultLibrary } from '../../src/rag/service/vault-library.ts';
import { eventually, until } from '../eventually.ts';

/** A model that knows three meanings, whatever words they come in. */
const MEANINGS = [/walrus|morse/i, /heron|reiher/i, /./s];

type Model = EmbeddingPort & {
  readonly texts: string[];
  current: { name: string; digest: string } | undefined;
};

function makeModel(digest = 'd1', longest = Infinity): Model {
  const texts: string[] = [];
  return {
    texts,
    current: { name: 'tiny', digest },
    model() {
      return this.current;
    },
    async embed(asked) {
      await Promise.resolve();
      if (asked.some((text) => text.length > longest)) {
        throw new ObeliskError('upstream_error', 'the input length exceeds the context length');
      }
      texts.push(...asked);
      return asked.map((text) =>
        Float32Array.from(MEANINGS.map((meaning, at) => (meaning.test(text) ? 1 : 0) / (at + 1))),
      );
    },
  };
}

function recordingLogger(): Logger & { readonly warnings: string[] } {
  const warnings: string[] = [];
  const warn = (message: string, _fields?: LogFields): void => {
    warnings.push(message);
  };
  return { warnings, warn, debug: () => undefined, info: () => undefined, error: warn };
}

type Fixture = { readonly vault: string; open(embed: EmbeddingPort, logger?: Logger): VaultLibrary };

function fixture(context: TestContext, notes: Readonly<Record<string, string>>): Fixture {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'obelisk-embedding-'));
  const vault = path.join(folder, 'vault');
  mkdirSync(vault);
  for (const [name, text] of Object.entries(notes)) writeFileSync(path.join(vault, name), text);
  const opened: VaultLibrary[] = [];
  context.after(async () => {
    for (const library of opened) await library.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const open = (embed: EmbeddingPort, logger: Logger = recordingLogger()): VaultLibrary => {
    const vaults = [{ name: 'v', path: vault }];
    const library = createVaultLibrary({
      vaults,
      dataDir: path.join(folder, 'data'),
      watch: false,
      logger,
      embed,
    });
    opened.push(library);
    return library;
  };
  return { vault, open };
}

/** How long a test waits for what is embedded in the background, in milliseconds. */
const PATIENCE_MS = 15_000;

const embedded = (library: VaultLibrary): number => library.status()[0]?.embeddedChunks ?? 0;
const NOTES = { 'a.md': 'A walrus lives on ice.', 'b.md': 'A heron stands in water.' };

test('notes are embedded in the background and found by meaning', async (context) => {
  const { open } = fixture(context, NOTES);
  const library = open(makeModel());
  await library.ready();
  await eventually(() => assert.equal(embedded(library), 2), PATIENCE_MS);
  const { hits, supported } = await library.search('v', 'Reiher', {});
  assert.equal(hits[0]?.path, 'b.md');
  assert.ok((hits[0]?.cosine ?? 0) > 0.9);
  assert.equal(supported, true);
  assert.equal(library.status()[0]?.embeddingModel, 'tiny');
});

test('a rename embeds nothing again, nor does a new start', async (context) => {
  const { vault, open } = fixture(context, NOTES);
  const first = open(makeModel());
  await first.ready();
  await eventually(() => assert.equal(embedded(first), 2), PATIENCE_MS);
  renameSync(path.join(vault, 'a.md'), path.join(vault, 'moved.md'));
  await first.refresh();
  assert.equal(embedded(first), 2);
  await first.close();
  const model = makeModel();
  const second = open(model);
  await second.ready();
  assert.equal((await second.search('v', 'morse', {})).hits[0]?.path, 'moved.md');
  assert.deepEqual(model.texts, ['morse'], 'only the question was embedded');
});

test('vectors of another model are never mixed: words answer, and the log says so, until a rebuild', async (context) => {
  const { vault, open } = fixture(context, NOTES);
  const first = open(makeModel('d1'));
  await eventually(() => assert.equal(embedded(first), 2), PATIENCE_MS);
  await first.close();
  writeFileSync(path.join(vault, 'c.md'), 'Another walrus.');
  const logger = recordingLogger();
  const other = makeModel('d2');
  const second = open(other, logger);
  await second.ready();
  await until(
    () => logger.warnings.some((warning) => warning.includes('never') || warning.includes('not mixed')),
    'it is told that models are not mixed',
    PATIENCE_MS,
  );
  assert.equal((await second.search('v', 'another', {})).hits[0]?.path, 'c.md');
  assert.deepEqual([other.texts, embedded(second)], [[], 2]);
  await second.rebuild();
  await eventually(() => assert.equal(embedded(second), 3), PATIENCE_MS);
  assert.equal((await second.search('v', 'reiher', {})).hits[0]?.path, 'b.md');
});

test('words answer when the model has gone', async (context) => {
  const { open } = fixture(context, NOTES);
  const model = makeModel();
  const library = open(model);
  await eventually(() => assert.equal(embedded(library), 2), PATIENCE_MS);
  model.current = undefined;
  assert.equal((await library.search('v', 'heron', {})).hits[0]?.path, 'b.md');
});

test('a text too long for the model is embedded in part, with a warning', async (context) => {
  const { open } = fixture(context, { 'a.md': `walrus ${'ice '.repeat(200)}`, 'b.md': 'heron' });
  const library = open(makeModel('d1', 400));
  await eventually(() => assert.equal(embedded(library), 2), PATIENCE_MS);
  const warnings = library.status()[0]?.warnings ?? [];
  assert.match(warnings[0]?.message ?? '', /passage of "a" is too long .* 4\d % of it were embedded/);
});

test('a failing model is tried again and holds nothing up', async (context) => {
  const { open } = fixture(context, NOTES);
  const model = makeModel();
  let failures = 2;
  const library = open({
    model: () => model.model(),
    embed: async (texts, signal) => {
      failures -= 1;
      if (failures >= 0) throw new ObeliskError('upstream_unreachable', 'away');
      return model.embed(texts, signal);
    },
  });
  await library.ready();
  assert.equal((await library.search('v', 'heron', {})).hits[0]?.path, 'b.md');
  await eventually(() => assert.equal(embedded(library), 2), PATIENCE_MS);
});

test('a model that never answers holds up neither a question nor the end', async (context) => {
  const { open } = fixture(context, NOTES);
  const model = makeModel();
  let hang = false;
  const embed: EmbeddingPort = {
    model: () => model.model(),
    embed: (texts, signal) => (hang ? new Promise(() => undefined) : model.embed(texts, signal)),
  };
  const library = open(embed);
  await eventually(() => assert.equal(embedded(library), 2), PATIENCE_MS);
  hang = true;
  assert.equal((await library.search('v', 'heron', {})).hits[0]?.path, 'b.md');
  await library.close();
});
