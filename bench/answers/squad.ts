import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { AnsweredVault, KnownQuestion } from './answered-vault.ts';

const SQUAD = z.object({
  data: z.array(
    z.object({
      paragraphs: z.array(
        z.object({
          context: z.string(),
          qas: z.array(z.object({ question: z.string(), answers: z.array(z.object({ text: z.string() })) })),
        }),
      ),
    }),
  ),
});

/** XQuAD as vaults with questions whose answers are known. */
export type Squad = {
  /** Every paragraph a note. */
  readonly whole: AnsweredVault;
  readonly questions: readonly KnownQuestion[];
  /** The paragraphs of one article each: vaults of five notes. */
  readonly articles: readonly {
    readonly vault: AnsweredVault;
    readonly questions: readonly KnownQuestion[];
  }[];
};

/** Reads XQuAD in one language. Notes are named by number, so that a name helps no question. */
export function loadSquad(data: string, language: string): Squad {
  const name = `xquad-${language}`;
  const text = readFileSync(join(data, 'xquad', `xquad.${language}.json`), 'utf8');
  let number = 0;
  const articles = SQUAD.parse(JSON.parse(text)).data.map(({ paragraphs }, at) => {
    const own = `${name}-${String(at + 1)}`;
    const read = paragraphs.map(({ context, qas }) => {
      number += 1;
      const path = `n${String(number)}.md`;
      const questions = qas.map(({ question, answers }): KnownQuestion => ({
        text: question,
        vault: own,
        spans: answers.map((answer) => answer.text),
        notes: new Set([path]),
      }));
      return { note: { path, markdown: context }, questions };
    });
    return {
      vault: { name: own, notes: read.map(({ note }) => note) },
      questions: read.flatMap(({ questions }) => questions),
    };
  });
  return {
    whole: { name, notes: articles.flatMap(({ vault }) => vault.notes) },
    questions: articles.flatMap(({ questions }) =>
      questions.map((question) => ({ ...question, vault: name })),
    ),
    articles,
  };
}
