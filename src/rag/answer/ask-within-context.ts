import type { ChatContext, ChatEvent, ChatWriter } from '../../providers/chat.ts';
import { isObeliskError } from '../../shared/errors.ts';
import type { PreparedPrompt } from './prepare-prompt.ts';

/** Tokenisers differ by a factor of four, so an estimate alone does not tell what fits. Last comes the least there is. */
const SHARES = [1, 1 / 2, 1 / 5, 0] as const;

/** What is asked, and how. */
export type Asking = {
  readonly chat: ChatWriter;
  readonly context: ChatContext;
  /** Prepares the prompt with a share of the room that there seems to be, 0–1. */
  readonly prepare: (share: number) => PreparedPrompt;
};

/** A model's answer that has begun, and the sources that it was given. */
export type BegunAnswer = Pick<PreparedPrompt, 'sources'> & { readonly events: AsyncIterable<ChatEvent> };

/**
 * Asks a model, with fewer and shorter sources as long as it says that the prompt is too long for its
 * context: at most three more times, and only while the prompt still becomes shorter.
 * @throws ObeliskError `context_length_exceeded` where even the shortest prompt is too long, and whatever
 * else the model fails with before its first event.
 */
export async function askWithinContext({ chat, context, prepare }: Asking): Promise<BegunAnswer> {
  let refusal: unknown;
  let shortest = Infinity;
  for (const share of SHARES) {
    const { request, sources } = prepare(share);
    const length = request.messages.reduce((sum, { text }) => sum + text.length, 0);
    if (length >= shortest) continue;
    shortest = length;
    try {
      const events = chat(request, context)[Symbol.asyncIterator]();
      const first = await events.next();
      return { sources, events: resume(first, events) };
    } catch (error) {
      if (!isObeliskError(error) || error.code !== 'context_length_exceeded') throw error;
      refusal = error;
    }
  }
  throw refusal;
}

async function* resume(
  first: IteratorResult<ChatEvent>,
  rest: AsyncIterator<ChatEvent>,
): AsyncGenerator<ChatEvent> {
  try {
    for (let next = first; next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
