import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { binaryJudgement, type Collection } from './collection.ts';
import { ndcg, recall } from './metrics.ts';

const SQUAD = z.object({
  data: z.array(
    z.object({
      paragraphs: z.array(
        z.object({ context: z.string(), qas: z.array(z.object({ question: z.string() })) }),
      ),
    }),
  ),
});

/**
 * XQuAD in one language: 240 paragraphs, each a note, 1,190 questions. A paragraph has no title of its own,
 * so the notes are named by number: the name can help no question.
 */
export function loadXquad(data: string, language: string): Collection {
  const text = readFileSync(join(data, 'xquad', `xquad.${language}.json`), 'utf8');
  const paragraphs = SQUAD.parse(JSON.parse(text)).data.flatMap((article) => article.paragraphs);
  const pathOf = (index: number): string => `paragraphs/n${index + 1}.md`;
  return {
    name: `xquad-${language}`,
    vault: {
      notes: paragraphs.map((paragraph, index) => ({ path: pathOf(index), markdown: paragraph.context })),
    },
    questions: paragraphs.flatMap((paragraph, index) =>
      paragraph.qas.map(({ question }) => ({
        text: question,
        category: language,
        judgement: binaryJudgement([pathOf(index)]),
      })),
    ),
    metrics: [
      { name: 'nDCG@10', of: (ranking, judgement) => ndcg(ranking, judgement, 10) },
      { name: 'R@1', of: (ranking, judgement) => recall(ranking, judgement, 1) },
      { name: 'R@10', of: (ranking, judgement) => recall(ranking, judgement, 10) },
    ],
    gates: [{ metric: 'nDCG@10', words: 0.965 }],
  };
}
