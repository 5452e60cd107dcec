import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { withIndex } from './eval/build-index.ts';
import type { Collection } from './eval/collection.ts';
import { loadContextualCode } from './eval/contextual-code.ts';
import { loadCranfield } from './eval/cranfield.ts';
import { embedIndex, ollamaDigest, ollamaEmbedder } from './eval/embed.ts';
import { evaluate, type Evaluation } from './eval/evaluate.ts';
import { loadObsidianHelp } from './eval/obsidian-help.ts';
import { loadXquad } from './eval/xquad.ts';

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    embed: { type: 'string' },
    set: { type: 'string', multiple: true },
    help: { type: 'boolean', default: false },
  },
});

const HELP = `npm run eval -- [--set NAME]… [--embed MODEL] [--json]
  Asks the questions of the evaluation sets through the product's own index and search.
  --embed MODEL  also with vectors, by that model of the Ollama at OLLAMA_HOST
  The sets lie in OBELISK_DATA (default ../shared/data). Exit code 1 when a gate is missed.`;

type Source = { readonly name: string; readonly folder: string; readonly load: (data: string) => Collection };

const SOURCES: readonly Source[] = [
  { name: 'obsidian-help', folder: 'obsidian-help', load: loadObsidianHelp },
  { name: 'xquad-en', folder: 'xquad', load: (data) => loadXquad(data, 'en') },
  { name: 'xquad-zh', folder: 'xquad', load: (data) => loadXquad(data, 'zh') },
  { name: 'cranfield', folder: 'cranfield', load: loadCranfield },
  { name: 'contextual-code', folder: 'contextual-code', load: loadContextualCode },
];

function ollamaUrl(): string {
  const host = process.env['OLLAMA_HOST'] ?? '127.0.0.1:11434';
  return host.includes('://') ? host : `http://${host}`;
}

async function run(source: Source, data: string): Promise<Evaluation> {
  const collection = source.load(data);
  return withIndex(collection, async (index) => {
    if (flags.embed === undefined) return evaluate(collection, index);
    const embed = ollamaEmbedder(ollamaUrl(), flags.embed);
    await embedIndex(
      index,
      { name: flags.embed, digest: await ollamaDigest(ollamaUrl(), flags.embed) },
      embed,
    );
    return evaluate(collection, index, embed);
  });
}

function print(evaluation: Evaluation): void {
  const cells = (row: readonly string[]): string =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(24) : cell.padStart(9))).join('');
  console.log(cells([evaluation.name, 'questions', ...evaluation.metrics]));
  for (const row of evaluation.rows) {
    const figures = evaluation.metrics.map((metric) => (row.values[metric] ?? 0).toFixed(3));
    console.log(cells([`  ${row.category}`, String(row.questions), ...figures]));
  }
  for (const gate of evaluation.gates) {
    const verdict = gate.passed ? 'reached' : 'MISSED';
    console.log(`  ${verdict}: ${gate.metric} ${gate.reached.toFixed(4)} (at least ${gate.wanted})`);
  }
  console.log(
    `  search ${evaluation.medianMs.toFixed(1)} ms median, ${evaluation.p95Ms.toFixed(1)} ms p95\n`,
  );
}

async function main(): Promise<void> {
  const data = process.env['OBELISK_DATA'] ?? join(import.meta.dirname, '..', '..', 'shared', 'data');
  const evaluations: Evaluation[] = [];
  for (const source of SOURCES.filter(({ name }) => flags.set?.includes(name) !== false)) {
    if (!existsSync(join(data, source.folder))) {
      console.error(`SKIPPED ${source.name}: there is no ${join(data, source.folder)} (set OBELISK_DATA)`);
      continue;
    }
    const evaluation = await run(source, data);
    evaluations.push(evaluation);
    if (!flags.json) print(evaluation);
  }
  if (flags.json) console.log(JSON.stringify(evaluations, undefined, 2));
  if (evaluations.some(({ gates }) => gates.some((gate) => !gate.passed))) process.exitCode = 1;
}

if (flags.help) console.log(HELP);
else await main();
