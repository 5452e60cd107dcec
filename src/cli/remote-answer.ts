import { z } from 'zod';
import { ObeliskError } from '../shared/errors.ts';
import { parseJson } from '../shared/parse-json.ts';
import { createSseReader } from '../wire/sse.ts';
import type { AnswerSource } from '../query.ts';
import type { AnswerEvent } from './program.ts';
import { answerSource } from './remote-types.ts';

const delta = z.object({
  content: z.string().nullish(),
  sources: z.array(answerSource).optional(),
  obelisk: z.object({ supported: z.boolean().optional() }).optional(),
});

const chunk = z.object({
  model: z.string().optional(),
  choices: z.array(z.object({ delta: delta.optional(), finish_reason: z.string().nullish() })).optional(),
  error: z.object({ message: z.string() }).optional(),
});

/**
 * Reads a vault's answer from a stream of chat completion chunks.
 * @throws ObeliskError `upstream_error` for an error in the stream, `upstream_invalid` when it ends
 *   without a finish reason: a stream that merely stops looks exactly like a short answer.
 */
export async function* readAnswer(body: AsyncIterable<Buffer>, url: string): AsyncGenerator<AnswerEvent> {
  const state = new AnswerState(url);
  const reader = createSseReader({ onEvent: (event) => state.take(event.data) });
  for await (const bytes of body) {
    reader.feed(bytes);
    yield* state.drain();
  }
  reader.end();
  yield* state.drain();
  yield state.end();
}

class AnswerState {
  readonly #url: string;
  #texts: string[] = [];
  #sources: readonly AnswerSource[] = [];
  #supported = true;
  #model: string | undefined;
  #finished = false;

  constructor(url: string) {
    this.#url = url;
  }

  take(data: string): void {
    if (data.trim() === '[DONE]') return;
    const parsed = chunk.safeParse(parseJson(data));
    if (!parsed.success) {
      throw new ObeliskError('upstream_invalid', `${this.#url} sent a chunk that is no chat completion`);
    }
    const { model, choices = [], error } = parsed.data;
    if (error !== undefined) throw new ObeliskError('upstream_error', error.message);
    this.#model = model ?? this.#model;
    for (const choice of choices) {
      this.#finished ||= typeof choice.finish_reason === 'string';
      this.#takeDelta(choice.delta ?? {});
    }
  }

  #takeDelta({ content, sources, obelisk }: z.infer<typeof delta>): void {
    if (content) this.#texts.push(content);
    if (sources !== undefined) this.#sources = sources;
    this.#supported = obelisk?.supported ?? this.#supported;
  }

  drain(): readonly AnswerEvent[] {
    const texts = this.#texts;
    this.#texts = [];
    return texts.map((text) => ({ type: 'text', text }));
  }

  end(): AnswerEvent {
    if (!this.#finished) {
      throw new ObeliskError('upstream_invalid', `${this.#url} ended its answer before it was complete`);
    }
    return {
      type: 'end',
      sources: this.#sources,
      supported: this.#supported,
      ...(this.#model === undefined ? {} : { model: this.#model }),
    };
  }
}
