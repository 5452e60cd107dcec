import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Collection } from './collection.ts';
import { hitAtOne, ndcg, recall, reciprocalRank } from './metrics.ts';

const GOLDEN = z.array(
  z.object({
    query: z.string(),
    category: z.string(),
    relevant_paths: z.array(z.string()),
    partial_paths: z.array(z.string()),
  }),
);

/** Obsidian's own help: a real vault, 58 questions; relevant notes gain 1, partly relevant ones 0.5. */
export function loadObsidianHelp(data: string): Collection {
  const golden = GOLDEN.parse(JSON.parse(readFileSync(join(data, 'obsidian-help', 'golden.json'), 'utf8')));
  return {
    name: 'obsidian-help',
    vault: { folder: join(data, 'obsidian-help', 'vault') },
    questions: golden.map((question) => ({
      text: question.query,
      category: question.category,
      judgement: {
        gains: new Map([
          ...question.partial_paths.map((path) => [path, 0.5] as const),
          ...question.relevant_paths.map((path) => [path, 1] as const),
        ]),
        relevant: new Set(question.relevant_paths),
      },
    })),
    metrics: [
      { name: 'nDCG@5', of: (ranking, judgement) => ndcg(ranking, judgement, 5) },
      { name: 'MRR', of: (ranking, judgement) => reciprocalRank(ranking, judgement, 10) },
      { name: 'Hit@1', of: hitAtOne },
      { name: 'R@10', of: (ranking, judgement) => recall(ranking, judgement, 10) },
    ],
    gates: [
      { metric: 'nDCG@5', words: 0.73, vectors: 0.77 },
      { metric: 'MRR', words: 0.77, vectors: 0.82 },
    ],
  };
}
