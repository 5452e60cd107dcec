import type { ChatEvent } from '../providers/chat.ts';
import { createChatCompletionBuilder, createChatStreamWriter } from '../providers/openai/chat-output.ts';
import type { AnswerIdentity } from '../providers/openai/chat-output.ts';
import { SERVER_SENT_EVENTS } from './event-stream.ts';
import type { StreamFraming } from './event-stream.ts';

/** How the client of one request has its answer written. */
export type AnswerForm = {
  readonly framing: StreamFraming;
  /** Starts a stream. */
  writer(): {
    /** What comes before the first event's own text. */
    start(): string;
    event(event: ChatEvent): string;
  };
  /** Starts an answer in one piece. */
  builder(): {
    add(event: ChatEvent): void;
    /** The body; undefined until the `finish` event was added. */
    body(): string | undefined;
  };
};

/** Creates OpenAI's form; with `includeUsage` a stream ends with a usage chunk. */
export function createOpenAiForm(identity: AnswerIdentity, includeUsage: boolean): AnswerForm {
  return {
    framing: SERVER_SENT_EVENTS,
    writer: () => createChatStreamWriter(identity, includeUsage),
    builder() {
      const builder = createChatCompletionBuilder();
      return { add: builder.add, body: () => builder.body(identity) };
    },
  };
}
