import type { ChatContext, ChatRequest, Usage } from '../../providers/chat.ts';
import type { VaultSearchResult } from '../library.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import type { VaultQuestion } from './question.ts';

/** The model that writes, chosen by whoever knows which there are. */
export type WriterModel = {
  readonly model: string;
  /** Tokens that a prompt and its answer may have together; 8,192 where nobody knows. */
  readonly contextTokens?: number;
};

/** What one answer is made from. */
export type AnswerTask = {
  readonly request: ChatRequest;
  readonly context: ChatContext;
  readonly question: VaultQuestion;
  readonly vault: string;
  readonly found: VaultSearchResult;
  readonly tokenizer: Tokenizer;
  readonly publicUrl: string;
};

/** Name of the writer that needs no model. */
export const EXTRACTIVE: string = 'extractive';

/** What an answer costs that no model wrote. */
export const NO_USAGE: Usage = { promptTokens: 0, completionTokens: 0 };
