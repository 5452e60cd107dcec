import type { ChatRequest } from '../../providers/chat.ts';
import type { NoteBlocks } from '../library.ts';
import type { Source } from '../types.ts';
import type { AnswerTask, WriterModel } from './answer-task.ts';
import { choosePassages } from './context.ts';
import { phrasesFor } from './phrases.ts';
import { buildPrompt, estimateTokens } from './prompt.ts';

/** A request for the model that writes, and the sources by the numbers that it gives them. */
export type PreparedPrompt = { readonly request: ChatRequest; readonly sources: readonly Source[] };

/** What a prompt is prepared from. */
export type PromptPlan = {
  readonly writer: WriterModel;
  readonly blocks: NoteBlocks;
  /** Share of the room for sources and earlier turns that is used, 0–1. */
  readonly share: number;
};

/** Where nobody says how long a context is. */
const USUAL_CONTEXT = 8192;
/** What a model was trained for is more than what it is served with: the default there is 16,384. */
const MOST_CONTEXT = 16_384;
/** Left for the answer unless the request limits it. */
const ANSWER_TOKENS = 1024;
/** The contract and what frames the sources. */
const FRAME_TOKENS = 400;
/** More than this only costs time: on a laptop, reading the prompt is most of the wait. */
const MOST_SOURCE_TOKENS = 6000;
const MOST_PASSAGES = 8;
const HISTORY_SHARE = 0.25;

/** Prepares the request for the model that writes, within the context that it is said to have. */
export function preparePrompt(answer: AnswerTask, { writer, blocks, share }: PromptPlan): PreparedPrompt {
  const { request, question, found } = answer;
  const { messages } = request;
  const system = messages.map((message) => (message.role === 'system' ? message.text : '')).join('');
  const total = Math.min(MOST_CONTEXT, writer.contextTokens ?? USUAL_CONTEXT);
  const fixed = FRAME_TOKENS + (request.maxTokens ?? ANSWER_TOKENS) + estimateTokens(system + question.text);
  const room = Math.max(0, total - fixed);
  const historyTokens = Math.floor(room * HISTORY_SHARE * share);
  const maxTokens = Math.floor(Math.min(MOST_SOURCE_TOKENS, room * (1 - HISTORY_SHARE)) * share);
  const chosen = choosePassages(found, blocks, { maxPassages: MOST_PASSAGES, maxTokens, expand: true });
  const passages = chosen.map(({ source, blocks: own }, at) => ({
    source: { ...source, index: at + 1 },
    blocks: own,
  }));
  const phrases = phrasesFor(question.text);
  return {
    request: {
      ...request,
      model: writer.model,
      messages: buildPrompt({ messages, question: question.text, passages, phrases, historyTokens }),
    },
    sources: passages.map(({ source }) => source),
  };
}
