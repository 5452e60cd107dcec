import type { ChatEvent, ChatWriter, FinishReason, Usage } from '../../providers/chat.ts';
import { ObeliskError } from '../../shared/errors.ts';
import type { VaultLibrary } from '../library.ts';
import type { Source } from '../types.ts';
import { answerFields, type AnswerFacts } from './answer-fields.ts';
import type { AnswerTask, WriterModel } from './answer-task.ts';
import { askWithinContext, type BegunAnswer } from './ask-within-context.ts';
import { checkAnswer, sourcesLike } from './check-answer.ts';
import { createCitationFilter, type CitationFilter } from './citations.ts';
import { isNotInNotes, phrasesFor } from './phrases.ts';
import { preparePrompt, type PreparedPrompt } from './prepare-prompt.ts';
import { nearestNotes } from './refusal.ts';

/** What a model's answer is written with. */
export type ModelWriting = {
  readonly writer: WriterModel;
  readonly library: Pick<VaultLibrary, 'blocks'>;
  readonly chat: ChatWriter;
};

type Ending = { readonly reason: FinishReason; readonly usage: Usage };

/**
 * Has a model write from what was found. Text passes through as it comes, citations checked on the way;
 * at the end come the sources, OpenAI's annotations and what the check of the whole answer says. An
 * answer that cites nothing gets one more line: the passages that agree with its words, or a warning
 * that none does. So a reader without our page, too, can see what an answer rests on.
 */
export async function* writeWithModel(answer: AnswerTask, writing: ModelWriting): AsyncGenerator<ChatEvent> {
  const { sources, events } = await begin(answer, writing);
  const filter = createCitationFilter(sources.length);
  let text = '';
  let ending: Ending | undefined;
  let fields: Readonly<Record<string, unknown>> = {};
  for await (const event of events) {
    if (event.type === 'finish') ending = event;
    else if (event.type === 'message-fields') fields = event.fields;
    else if (event.type === 'reasoning-delta') yield event;
    else if (event.type === 'text-delta') {
      const shown = filter.push(event.text);
      text += shown;
      if (shown !== '') yield { type: 'text-delta', text: shown };
    }
  }
  if (ending === undefined) {
    throw new ObeliskError(
      'upstream_invalid',
      `${writing.writer.model} stopped without an end of its answer; ask again`,
    );
  }
  const rest = filter.end();
  const after = appendix(text + rest, { answer, sources, filter, reason: ending.reason });
  const tail = rest + filter.push(after.text) + filter.end();
  text += tail;
  if (tail !== '') yield { type: 'text-delta', text: tail };
  yield {
    type: 'message-fields',
    fields: { ...fields, ...describe(text, { answer, sources, filter, after, writing }) },
  };
  yield { type: 'finish', ...pick(ending) };
}

async function begin(answer: AnswerTask, { writer, library, chat }: ModelWriting): Promise<BegunAnswer> {
  const { found, vault, context } = answer;
  const paths = [...new Set(found.sources.map(({ path }) => path))];
  const blocks = await library.blocks(vault, paths, context.signal);
  const prepare = (share: number): PreparedPrompt => preparePrompt(answer, { writer, blocks, share });
  return askWithinContext({ chat, context, prepare });
}

function pick({ reason, usage }: Ending): Ending {
  return { reason, usage };
}

type Appendix = { readonly text: string; readonly attributed: boolean };

type Written = {
  readonly answer: AnswerTask;
  readonly sources: readonly Source[];
  readonly filter: CitationFilter;
};

/** What is added below an answer that cites nothing; nothing where it was cut off, its end is not the end. */
function appendix(
  text: string,
  { answer, sources, filter, reason }: Written & { readonly reason: FinishReason },
): Appendix {
  const none = { text: '', attributed: false };
  if (filter.citations().length > 0 || reason !== 'stop' || text.trim() === '') return none;
  const phrases = phrasesFor(answer.question.text);
  if (isNotInNotes(text)) return { text: nearestNotes(answer, phrases.nearest), attributed: false };
  const like = sourcesLike(text, sources, answer.tokenizer);
  if (like.length === 0) return { text: `\n\n*${phrases.uncited}*`, attributed: false };
  return {
    text: `\n\n*${phrases.sources}* ${like.map(({ index }) => `[${String(index)}]`).join('')}`,
    attributed: true,
  };
}

function describe(
  text: string,
  {
    answer,
    sources,
    filter,
    after,
    writing,
  }: Written & { readonly after: Appendix; readonly writing: ModelWriting },
): Record<string, unknown> {
  const citations = filter.citations();
  // The line added below is not the writer's: its words and marks are not judged.
  const written = after.text === '' ? text : text.slice(0, text.length - after.text.length);
  const own = citations.filter(({ end }) => end <= written.length);
  const check = checkAnswer(written, { citations: own, sources, tokenizer: answer.tokenizer });
  const invalid = filter.invalid();
  const facts: Omit<AnswerFacts, 'cited'> = {
    supported: !(isNotInNotes(text) && own.length === 0),
    writer: writing.writer.model,
    ...check,
    ...(invalid.length > 0 ? { invalidCitations: [...new Set(invalid)] } : {}),
    ...(after.attributed ? { attributed: true } : {}),
  };
  return answerFields({ sources, citations, facts, publicUrl: answer.publicUrl });
}
