import type { ChatEvent } from '../../providers/chat.ts';
import type { Source } from '../types.ts';
import { answerFields } from './answer-fields.ts';
import { EXTRACTIVE, NO_USAGE, type AnswerTask } from './answer-task.ts';
import { checkAnswer } from './check-answer.ts';
import { createCitationFilter, type Citation } from './citations.ts';
import { withLines } from './context.ts';
import { writeExtractive, type ExtractiveAnswer } from './extractive.ts';
import type { Passage } from './passage.ts';
import { writeRefusal } from './refusal.ts';

/** Characters of a token, for a caller's limit in tokens. */
const TOKEN_CHARACTERS = 3.5;

/** Writes the answer of the extractive writer: quotes, numbered as they appear, each source cut to what is quoted of it. */
export async function* writeQuotes(
  answer: AnswerTask,
  passages: readonly Passage[],
): AsyncGenerator<ChatEvent> {
  const { question, found, tokenizer, request, publicUrl } = answer;
  const weights = new Map(Object.entries(found.weights ?? {}));
  const limit =
    request.maxTokens === undefined ? {} : { maxCharacters: request.maxTokens * TOKEN_CHARACTERS };
  const quoted = writeExtractive(question.query, passages, { tokenizer, weights, ...limit });
  if (quoted.text === '') {
    yield* writeRefusal(answer);
    return;
  }
  const sources = numberSources(quoted, passages);
  const citations = citationsOf(quoted.text, quoted.cited.length);
  for (const paragraph of quoted.text.split(/(?<=\n\n)/)) yield { type: 'text-delta', text: paragraph };
  const check = checkAnswer(quoted.text, { citations, sources, tokenizer });
  // One mark at the end of a paragraph of quotes stands for all of them.
  const facts = { supported: true, writer: EXTRACTIVE, ...check, citedShare: 1 };
  yield { type: 'message-fields', fields: answerFields({ sources, citations, facts, publicUrl }) };
  yield { type: 'finish', reason: 'stop', usage: NO_USAGE };
}

/** Cited passages get the numbers of the text and the lines of their quotes; the others follow. */
function numberSources({ cited, quotes }: ExtractiveAnswer, passages: readonly Passage[]): Source[] {
  const ordered = [...cited, ...passages.filter((passage) => !cited.includes(passage))];
  return ordered.map(({ source }, at) => {
    const own = quotes.filter((quote) => quote.source === at + 1);
    const text = own.length === 0 ? source.text : own.map((quote) => quote.text).join('\n\n');
    return { ...withLines(source, own, text), index: at + 1 };
  });
}

function citationsOf(text: string, count: number): readonly Citation[] {
  const filter = createCitationFilter(count);
  filter.push(text);
  filter.end();
  return filter.citations();
}
