import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { binaryJudgement, type Collection } from './collection.ts';
import { recall } from './metrics.ts';

const DOCUMENTS = z.array(
  z.object({
    doc_id: z.string(),
    original_uuid: z.string(),
    chunks: z.array(z.object({ original_index: z.number(), content: z.string() })),
  }),
);
const QUESTION = z.object({
  query: z.string(),
  golden_chunk_uuids: z.array(z.tuple([z.string(), z.number()])),
});

/** A fence longer than any run of backticks inside. */
function fenced(code: string): string {
  const longest = Math.max(2, ...[...code.matchAll(/`+/gu)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${code}\n${fence}\n`;
}

function pathOf(document: number, chunk: number): string {
  return `code/n${document}-${chunk}.md`;
}

/**
 * Anthropic's code set: 737 given chunks of 90 files, 248 questions. Each chunk is a note that holds it in a
 * fence, as code stands in a vault: nothing in it is read as Markdown. Names are numbers, for the set gives
 * none; a chunk beyond the product's own size is cut by it like any note.
 */
export function loadContextualCode(data: string): Collection {
  const read = (name: string): string => readFileSync(join(data, 'contextual-code', name), 'utf8');
  const documents = DOCUMENTS.parse(JSON.parse(read('codebase_chunks.json')));
  const numberOf = new Map(documents.map((document, index) => [document.original_uuid, index + 1]));
  const lines = read('evaluation_set.jsonl')
    .split('\n')
    .filter((line) => line.trim() !== '');
  return {
    name: 'contextual-code',
    vault: {
      notes: documents.flatMap((document, index) =>
        document.chunks.map((chunk) => ({
          path: pathOf(index + 1, chunk.original_index),
          markdown: fenced(chunk.content),
        })),
      ),
    },
    questions: lines.map((line) => {
      const { query, golden_chunk_uuids: golden } = QUESTION.parse(JSON.parse(line));
      const paths = golden.map(([uuid, index]) => pathOf(numberOf.get(uuid) ?? 0, index));
      return { text: query, category: 'code', judgement: binaryJudgement(paths) };
    }),
    metrics: [5, 10, 20].map((k) => ({
      name: `Pass@${k}`,
      of: (ranking, judgement) => recall(ranking, judgement, k),
    })),
    gates: [{ metric: 'Pass@10', words: 0.88 }],
  };
}
