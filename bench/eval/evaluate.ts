import type { VaultIndex } from '../../src/rag/index/types.ts';
import type { Collection } from './collection.ts';
import type { EmbedFunction } from './embed.ts';
import { mean } from './metrics.ts';

/** Means of the metrics over the questions of one category (or of all). */
export type Row = {
  readonly category: string;
  readonly questions: number;
  readonly values: Readonly<Record<string, number>>;
};

/** A gate and what was reached. */
export type GateResult = {
  readonly metric: string;
  readonly wanted: number;
  readonly reached: number;
  readonly passed: boolean;
};

/** Figures of one collection. */
export type Evaluation = {
  readonly name: string;
  readonly metrics: readonly string[];
  readonly rows: readonly Row[];
  readonly gates: readonly GateResult[];
  /** Milliseconds in the index per question, median and 95th percentile. */
  readonly medianMs: number;
  readonly p95Ms: number;
};

const ALL = 'all';
const NOTES = 20;

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function averages(
  collection: Collection,
  scores: readonly { category: string; values: readonly number[] }[],
): Row[] {
  const categories = [ALL, ...new Set(scores.map((score) => score.category))];
  return categories.map((category) => {
    const own = scores.filter((score) => category === ALL || score.category === category);
    const values = collection.metrics.map(
      (metric, at) => [metric.name, mean(own.map((s) => s.values[at] ?? 0))] as const,
    );
    return { category, questions: own.length, values: Object.fromEntries(values) };
  });
}

/** Asks every question of a collection and averages its metrics by category. */
export async function evaluate(
  collection: Collection,
  index: VaultIndex,
  embed?: EmbedFunction,
): Promise<Evaluation> {
  const times: number[] = [];
  const scores: { category: string; values: number[] }[] = [];
  for (const question of collection.questions) {
    const [vector] = embed === undefined ? [] : await embed([question.text]);
    const request = { query: question.text, limit: NOTES, ...(vector === undefined ? {} : { vector }) };
    const result = index.search(request);
    times.push(result.tookMs);
    const ranking = result.notes.map((note) => note.path);
    scores.push({
      category: question.category,
      values: collection.metrics.map((metric) => metric.of(ranking, question.judgement)),
    });
  }
  const rows = averages(collection, scores);
  times.sort((a, b) => a - b);
  const gates = collection.gates.map((gate) => {
    const wanted = embed === undefined ? gate.words : (gate.vectors ?? gate.words);
    const reached = rows[0]?.values[gate.metric] ?? 0;
    return { metric: gate.metric, wanted, reached, passed: reached >= wanted };
  });
  return {
    name: collection.name,
    metrics: collection.metrics.map((metric) => metric.name),
    rows: rows.length === 2 ? rows.slice(0, 1) : rows,
    gates,
    medianMs: percentile(times, 0.5),
    p95Ms: percentile(times, 0.95),
  };
}
