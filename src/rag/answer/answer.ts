import type { ChatContext, ChatEvent, ChatRequest, ChatWriter } from '../../providers/chat.ts';
import { isObeliskError, ObeliskError } from '../../shared/errors.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { VaultLibrary, VaultSearchResult } from '../library.ts';
import { createTokenizer, type Tokenizer } from '../text/tokenizer.ts';
import { choosePassages } from './context.ts';
import { answerHousekeeping, housekeepingTask } from './housekeeping.ts';
import { EXTRACTIVE, NO_USAGE, type AnswerTask, type WriterModel } from './answer-task.ts';
import { writeRefusal } from './refusal.ts';
import { readVaultQuestion, type VaultQuestion } from './question.ts';
import { decideSupport } from './support.ts';
import { parseVaultModel, type VaultModel } from './vault-model.ts';
import { writeQuotes } from './write-quotes.ts';
import { writeWithModel } from './write-with-model.ts';

/** What a vault writer works with. */
export type VaultWriterOptions = {
  readonly library: Pick<VaultLibrary, 'search' | 'blocks'>;
  /** Chat in process, by the name of a model. */
  readonly chat: ChatWriter;
  /**
   * Chooses who writes: the model asked for (throwing ObeliskError where there is none), or the default
   * one, undefined where there is no language model at all. Never one that vault text must not reach.
   */
  readonly chooseModel: (asked: string | undefined) => WriterModel | undefined;
  readonly logger: Logger;
  /** Where the server is reached (`http://127.0.0.1:4000`), for addresses in answers; empty: relative ones. */
  readonly publicUrl?: () => string;
};

const NOTES_SEARCHED = 8;
/** Passages that the extractive writer reads. */
const QUOTED_FROM = { maxPassages: 8, maxTokens: 12_000, expand: false };

/**
 * Makes the writer behind `vault/<name>[:model]`: retrieves, has a model write from what was found (or
 * quotes it, where there is none), checks every citation, and says so when the vault holds no answer.
 */
export function createVaultWriter(options: VaultWriterOptions): ChatWriter {
  const tokenizer = createTokenizer();
  return (request, context) => new VaultAnswer(options, tokenizer).write(request, context);
}

class VaultAnswer {
  readonly #options: VaultWriterOptions;
  readonly #tokenizer: Tokenizer;

  constructor(options: VaultWriterOptions, tokenizer: Tokenizer) {
    this.#options = options;
    this.#tokenizer = tokenizer;
  }

  async *write(request: ChatRequest, context: ChatContext): AsyncGenerator<ChatEvent> {
    const target = parseVaultModel(request.model);
    const task = housekeepingTask(request.messages);
    if (task !== undefined) {
      yield* this.#housekeep(request, context, target);
      return;
    }
    refuseUnsupported(request);
    const question = readVaultQuestion(request.messages, this.#tokenizer);
    if (question.text === '') {
      throw new ObeliskError('invalid_request', 'a vault needs a question: the last user message is empty', {
        param: 'messages',
      });
    }
    const writer = target.writer === EXTRACTIVE ? undefined : this.#options.chooseModel(target.writer);
    const found = await this.#search(target.vault, question, context);
    const publicUrl = this.#options.publicUrl?.() ?? '';
    const answer = {
      request,
      context,
      question,
      vault: target.vault,
      found,
      tokenizer: this.#tokenizer,
      publicUrl,
    };
    if (!this.#isSupported(found, question)) {
      yield* writeRefusal(answer);
      return;
    }
    yield* writer === undefined ? this.#quote(answer) : this.#writeOrQuote(answer, writer, target);
  }

  /** A model nobody asked for by name may fail before its first word: the notes are still there. */
  async *#writeOrQuote(
    answer: AnswerTask,
    writer: WriterModel,
    target: VaultModel,
  ): AsyncGenerator<ChatEvent> {
    const { library, chat, logger } = this.#options;
    let begun = false;
    try {
      for await (const event of writeWithModel(answer, { writer, library, chat })) {
        begun = true;
        yield event;
      }
    } catch (error) {
      if (begun || target.writer !== undefined || !cannotWrite(error)) throw error;
      logger.warn('the default model cannot write now; notes are quoted instead', {
        model: writer.model,
        code: error.code,
      });
      yield* this.#quote(answer);
    }
  }

  async *#quote(answer: AnswerTask): AsyncGenerator<ChatEvent> {
    answer.context.onHeader?.('x-obelisk-writer', EXTRACTIVE);
    const { hits, sources } = answer.found;
    const paths = [...new Set(sources.map(({ path }) => path))];
    const blocks = await this.#options.library.blocks(answer.vault, paths, answer.context.signal);
    yield* writeQuotes(answer, choosePassages({ hits, sources }, blocks, QUOTED_FROM));
  }

  async #search(vault: string, question: VaultQuestion, { signal }: ChatContext): Promise<VaultSearchResult> {
    return this.#options.library.search(vault, question.query, { limit: NOTES_SEARCHED, signal });
  }

  /** Of a follow-up the joined turns hold more words than any one passage answers. */
  #isSupported(found: VaultSearchResult, { query, followUp }: VaultQuestion): boolean {
    const reading = { question: query, tokenizer: this.#tokenizer };
    return found.supported || (followUp && decideSupport(found, { followUp, reading }).supported);
  }

  /** Titles and tags are about the conversation: no retrieval, no citations. */
  async *#housekeep(
    request: ChatRequest,
    context: ChatContext,
    target: VaultModel,
  ): AsyncGenerator<ChatEvent> {
    const writer = target.writer === EXTRACTIVE ? undefined : this.#options.chooseModel(target.writer);
    if (writer !== undefined) {
      yield* this.#options.chat({ ...request, model: writer.model }, context);
      return;
    }
    const task = housekeepingTask(request.messages) ?? 'other';
    yield { type: 'text-delta', text: answerHousekeeping(task, request.messages) };
    yield { type: 'finish', reason: 'stop', usage: NO_USAGE };
  }
}

/** @throws ObeliskError `invalid_request` for what a vault cannot do. */
function refuseUnsupported(request: ChatRequest): void {
  const refuse = (param: string, what: string): never => {
    throw new ObeliskError(
      'invalid_request',
      `a vault as a model does not take ${what}; leave ${param} out, or ask a chat model directly`,
      { param },
    );
  };
  if ((request.tools?.length ?? 0) > 0) refuse('tools', 'tools');
  if (request.format !== undefined && request.format.type !== 'text')
    refuse('response_format', 'a response format');
  if (request.logprobs === true) refuse('logprobs', 'logprobs');
}

/** What a model may fail with that says nothing of the question: away, or too small for any source. */
const CANNOT_WRITE = new Set([
  'model_unavailable',
  'upstream_unreachable',
  'upstream_timeout',
  'overloaded',
  'context_length_exceeded',
]);

function cannotWrite(error: unknown): error is ObeliskError {
  return isObeliskError(error) && CANNOT_WRITE.has(error.code);
}
