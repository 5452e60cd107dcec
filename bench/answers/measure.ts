import type { KnownQuestion } from './answered-vault.ts';
import type { AskVault, GivenAnswer } from './answering-vaults.ts';

/** Figures of one set, shares from 0 to 1. */
export type Figures = {
  readonly set: string;
  readonly questions: number;
  readonly refused: number;
  /** Answers that contain a known span; of all questions. */
  readonly contained?: number;
  /** The same of the first paragraph, list or block of the answer alone. */
  readonly leading?: number;
  /** Answers whose first cited note is one that answers fully; of all questions. */
  readonly firstNote?: number;
  readonly anyNote?: number;
  /** Answers whose first citation begins inside the lines where the answer stands; of all questions. */
  readonly section?: number;
  /** Median characters of the answers that were given. */
  readonly length: number;
};

/** An answer beside its question, for reading. */
export type Asked = {
  readonly question: KnownQuestion;
  readonly answer: GivenAnswer;
  readonly good: boolean;
};

/** Asks every question and compares the answers with what is known. */
export async function measure(
  set: string,
  questions: readonly KnownQuestion[],
  ask: AskVault,
): Promise<{ readonly figures: Figures; readonly asked: readonly Asked[] }> {
  const asked: Asked[] = [];
  for (const question of questions) {
    const answer = await ask(question.vault, question.text);
    const known = question.spans.length > 0 || question.notes.size > 0;
    asked.push({ question, answer, good: known ? isGood(question, answer) : answer.refused });
  }
  const share = (holds: (one: Asked) => boolean): number =>
    asked.filter(holds).length / Math.max(1, asked.length);
  const given = asked.filter(({ answer }) => !answer.refused);
  const spans = questions.some((question) => question.spans.length > 0);
  const notes = questions.some((question) => question.notes.size > 0);
  const lines = questions.some((question) => question.lines !== undefined);
  const figures = {
    set,
    questions: asked.length,
    refused: share(({ answer }) => answer.refused),
    length: median(given.map(({ answer }) => answer.text.length)),
    ...(spans
      ? {
          contained: share(({ question, answer }) => contains(answer, question)),
          leading: share(({ question, answer }) => contains(answer, question, 1)),
        }
      : {}),
    ...(notes
      ? {
          firstNote: share(({ question, answer }) => question.notes.has(answer.cited[0] ?? '')),
          anyNote: share(({ question, answer }) => answer.cited.some((path) => question.notes.has(path))),
        }
      : {}),
    ...(lines ? { section: share(({ question, answer }) => isInSection(question, answer)) } : {}),
  };
  return { figures, asked };
}

function isGood(question: KnownQuestion, answer: GivenAnswer): boolean {
  if (question.spans.length > 0) return contains(answer, question);
  if (question.lines !== undefined) return isInSection(question, answer);
  return question.notes.has(answer.cited[0] ?? '');
}

function isInSection({ notes, lines }: KnownQuestion, { cited, line = 0 }: GivenAnswer): boolean {
  return lines !== undefined && notes.has(cited[0] ?? '') && line >= lines.from && line <= lines.to;
}

/** Whether an answer has one of the spans, marks, escapes, case and blanks aside. */
function contains({ refused, text }: GivenAnswer, { spans }: KnownQuestion, paragraphs = Infinity): boolean {
  if (refused) return false;
  const plain = comparable(text.split('\n\n').slice(0, paragraphs).join('\n\n'));
  return spans.some((span) => plain.includes(comparable(span)));
}

function comparable(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/\[\d{1,2}\]/g, '')
    .replaceAll(/[\s\\`*_]+/gu, '');
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
