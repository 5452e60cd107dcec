import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseNote } from '../src/vault/parse-note.ts';
import { walkVault } from '../src/vault/walk.ts';
import type { VaultIndex } from '../src/rag/index/types.ts';
import { openVaultIndex } from '../src/rag/index/vault-index.ts';
import {
  seededRandom,
  type SyntheticNote,
  syntheticRenames,
  syntheticVault,
  syntheticWord,
  zipfRank,
} from './synthetic-vault.ts';

const NOTES = 6500;
const CHUNKS = 100_000;
const EDITS = 30;
const QUESTIONS = 300;
const BATCH = 100;
const SEED = 42;
const DIMENSIONS = 384;
const SUBJECTS = 1000;
/** As the product's worker thread is limited: V8 else keeps 100 MB of space that it does not use. */
const YOUNG_GENERATION = '--max-semi-space-size=4';
const MODEL = { name: 'random', digest: 'random', dimensions: DIMENSIONS };

function percentile(values: readonly number[], share: number): string {
  const sorted = [...values].sort((a, b) => a - b);
  return `${(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1)} ms`;
}

async function writeNotes(folder: string): Promise<number> {
  let bytes = 0;
  for (const note of syntheticVault({ notes: NOTES, seed: SEED })) {
    const path = join(folder, ...note.path.split('/'));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, note.text);
    bytes += Buffer.byteLength(note.text);
  }
  return bytes;
}

function putAll(index: VaultIndex, notes: readonly SyntheticNote[]): void {
  index.batch(() => {
    for (const { path, text } of notes) {
      index.putNote(parseNote(path, text), { hash: '', size: text.length, mtimeMs: 0 });
    }
  });
}

async function indexFromDisk(folder: string, index: VaultIndex): Promise<void> {
  const { notes } = await walkVault(folder);
  for (let at = 0; at < notes.length; at += BATCH) {
    const read = notes
      .slice(at, at + BATCH)
      .map(async ({ path, fileName }) => ({ path, text: await readFile(fileName, 'utf8') }));
    putAll(index, await Promise.all(read));
  }
}

function measureEdits(index: VaultIndex, notes: readonly SyntheticNote[]): number[] {
  return notes.map(({ path, text }, at) => {
    const startedAt = performance.now();
    index.putNote(parseNote(path, `${text}\nAn edit, number ${at}.\n`), {
      hash: String(at),
      size: 0,
      mtimeMs: at,
    });
    return performance.now() - startedAt;
  });
}

function measureRenames(index: VaultIndex, notes: readonly SyntheticNote[]): number[] {
  const texts = new Map(notes.map(({ path, text }) => [path, text]));
  return [...syntheticRenames(notes, SEED)].map(([from, to]) => {
    const startedAt = performance.now();
    index.renameNote(from, to, parseNote(to, texts.get(from) ?? ''));
    return performance.now() - startedAt;
  });
}

function fillLargeIndex(index: VaultIndex): void {
  let batch: SyntheticNote[] = [];
  for (const note of syntheticVault({ notes: CHUNKS, seed: SEED })) {
    batch.push(note);
    if (batch.length < 1000) continue;
    putAll(index, batch);
    batch = [];
    if (index.stats().chunks >= CHUNKS) return;
  }
}

/** Vectors about a number of subjects, as those of texts are; evenly spread ones have no neighbours to find. */
function vectorSource(random: () => number): () => Float32Array {
  const spread = seededRandom(SEED);
  const subjects = Array.from({ length: SUBJECTS }, () =>
    Float32Array.from({ length: DIMENSIONS }, () => spread() - 0.5),
  );
  return () => {
    const subject = subjects[Math.floor(random() * SUBJECTS)];
    return Float32Array.from(
      { length: DIMENSIONS },
      (_, at) => (subject?.[at] ?? 0) + 0.7 * (random() - 0.5),
    );
  };
}

function embedAll(index: VaultIndex): void {
  const nextVector = vectorSource(seededRandom(SEED + 1));
  index.pinEmbeddingModel(MODEL);
  for (
    let pending = index.chunksWithoutVector(1000);
    pending.length > 0;
    pending = index.chunksWithoutVector(1000)
  ) {
    index.putVectors(
      MODEL.digest,
      pending.map(({ id }) => ({ id, vector: nextVector() })),
    );
  }
}

/** Runs in a process of its own, so that its memory is that of searching alone. */
function measureQuestions(file: string): void {
  const random = seededRandom(7);
  const nextVector = vectorSource(random);
  const openedAt = performance.now();
  const index = openVaultIndex({ file });
  const openMs = performance.now() - openedAt;
  const ask = (withVector: boolean): number => {
    const query = `how does ${Array.from({ length: 2 + Math.floor(random() * 6) }, () => syntheticWord(zipfRank(random) + 20)).join(' ')} work?`;
    const vector = withVector ? { vector: nextVector() } : {};
    const startedAt = performance.now();
    index.search({ query, ...vector });
    return performance.now() - startedAt;
  };
  const { chunks, terms, embeddedChunks } = index.stats();
  const words = Array.from({ length: QUESTIONS }, () => ask(false));
  const rssWords = process.memoryUsage.rss();
  console.log(`${chunks} chunks, ${terms} terms, opened in ${openMs.toFixed(0)} ms`);
  console.log(
    `  by words:    p50 ${percentile(words, 0.5)}, p95 ${percentile(words, 0.95)}, ${(rssWords / 2 ** 20).toFixed(0)} MiB resident`,
  );
  if (embeddedChunks > 0) {
    const both = Array.from({ length: QUESTIONS }, () => ask(true));
    console.log(
      `  and vectors: p50 ${percentile(both, 0.5)}, p95 ${percentile(both, 0.95)}, ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB resident`,
    );
  }
  index.close();
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'obelisk-bench-'));
  try {
    const bytes = await writeNotes(join(folder, 'vault'));
    const index = openVaultIndex({ file: join(folder, 'small.sqlite') });
    const startedAt = performance.now();
    await indexFromDisk(join(folder, 'vault'), index);
    const seconds = (performance.now() - startedAt) / 1000;
    console.log(
      `${NOTES} notes, ${(bytes / 1e6).toFixed(1)} MB, ${index.stats().chunks} chunks indexed in ${seconds.toFixed(1)} s`,
    );
    const edits = measureEdits(index, [...syntheticVault({ notes: EDITS, seed: SEED })]);
    const renames = measureRenames(index, [...syntheticVault({ notes: EDITS * 10, seed: SEED })]);
    console.log(`one rename: p50 ${percentile(renames, 0.5)}, p95 ${percentile(renames, 0.95)}`);
    console.log(`one edit: p50 ${percentile(edits, 0.5)}, p95 ${percentile(edits, 0.95)}`);
    index.close();
    const file = join(folder, 'large.sqlite');
    const large = openVaultIndex({ file });
    fillLargeIndex(large);
    if (process.argv.includes('--vectors')) embedAll(large);
    large.close();
    await once(fork(import.meta.filename, ['--questions', file], { execArgv: [YOUNG_GENERATION] }), 'exit');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const questions = process.argv.indexOf('--questions');
if (questions === -1) await main();
else measureQuestions(process.argv[questions + 1] ?? '');
