import { ObeliskError } from '../shared/errors.ts';
import type { ChatContext, ChatEvent, ChatRequest, ChatWriter } from '../providers/chat.ts';
import { IGNORED_HEADER } from '../providers/ignored-header.ts';
import type { Logger } from '../telemetry/log.ts';
import type { AnswerForm } from './answer-form.ts';
import type { Answering } from './answering.ts';
import { toHeaderValue } from './call.ts';
import type { Call } from './call.ts';
import { clientOf } from './client-of.ts';
import { EventStream } from './event-stream.ts';
import type { Heartbeat } from './event-stream.ts';
import { TIMING_HEADER, toTimingHeader } from './timing-header.ts';

/** What an answer in our own events needs to become the client's. */
export type TranslatedChat = {
  readonly request: ChatRequest;
  readonly write: ChatWriter;
  readonly form: AnswerForm;
  /** Fields of the body that have no effect; named in a header. */
  readonly ignored: readonly string[];
  /** Absent for what no upstream answers. */
  readonly answering?: Answering;
  readonly heartbeat: Heartbeat;
  readonly logger: Logger;
};

/**
 * Has an answer written and sends it in the client's form, as a stream or as one body. Gives false where
 * it has sent none, because the deployment whose turn it is now is passed through.
 */
export async function answerTranslated(call: Call, chat: TranslatedChat): Promise<boolean> {
  const controller = new AbortController();
  const stopWatching = call.onGone(() => {
    controller.abort(clientGone());
    call.settle('client_gone');
  });
  call.interrupted = (error) => controller.abort(error);
  try {
    return chat.request.stream
      ? await stream(call, chat, controller.signal)
      : await whole(call, chat, controller.signal);
  } finally {
    stopWatching();
  }
}

async function stream(call: Call, chat: TranslatedChat, signal: AbortSignal): Promise<boolean> {
  const { request, write, form, answering } = chat;
  const output = openEvents(call, chat);
  Object.assign(output.headers, headersOf(chat));
  const writer = form.writer();
  // A writer may be slow to notice, or wait for a client that reads nothing.
  signal.addEventListener('abort', () => output.fail(signal.reason), { once: true });
  try {
    for await (const event of write(
      request,
      contextFor(call, chat, { signal, headers: output.headers, output }),
    )) {
      if (signal.aborted) return true;
      noteUsage(call, event);
      const text = output.committed ? writer.event(event) : writer.start() + writer.event(event);
      if (event.type === 'finish') {
        output.end(text);
        return true;
      }
      if (!output.send(text)) await output.drained();
    }
    if (answering?.attempts.open === true) return false;
    output.fail(unfinished(call));
  } catch (error) {
    output.fail(signal.aborted ? signal.reason : error);
  }
  return true;
}

/** The client's stream, which an attempt before this one may have opened. */
function openEvents(call: Call, { answering, heartbeat, form }: TranslatedChat): EventStream {
  const output = answering?.events ?? new EventStream(call, heartbeat, form.framing);
  if (answering) answering.events = output;
  return output;
}

async function whole(call: Call, chat: TranslatedChat, signal: AbortSignal): Promise<boolean> {
  const headers = headersOf(chat);
  const builder = chat.form.builder();
  signal.addEventListener('abort', () => call.fail(signal.reason, headers), { once: true });
  try {
    for await (const event of chat.write(chat.request, contextFor(call, chat, { signal, headers }))) {
      if (signal.aborted) return true;
      call.markFirstToken();
      noteUsage(call, event);
      if (event.type === 'finish' && event.timing) headers[TIMING_HEADER] = toTimingHeader(event.timing);
      builder.add(event);
    }
    if (chat.answering?.attempts.open === true) return false;
    const body = builder.body();
    if (body === undefined) throw unfinished(call);
    call.json(200, body, headers);
  } catch (error) {
    call.fail(signal.aborted ? signal.reason : error, headers);
  }
  return true;
}

function headersOf({ ignored }: TranslatedChat): Record<string, string> {
  return ignored.length === 0 ? {} : { [IGNORED_HEADER]: ignored.join(', ') };
}

type Started = {
  readonly signal: AbortSignal;
  readonly headers: Record<string, string>;
  /** Absent for an answer in one piece. */
  readonly output?: EventStream;
};

function contextFor(
  call: Call,
  { logger }: TranslatedChat,
  { signal, headers, output }: Started,
): ChatContext {
  return {
    signal,
    client: clientOf(call.request),
    onQueued(queued) {
      if (output) output.queued = queued;
    },
    onLoading: () => logger.info('loading', { requestId: call.id, model: call.model }),
    onHeader: (name, value) => {
      const encoded = toHeaderValue(value);
      const before = name === IGNORED_HEADER ? headers[name] : undefined;
      headers[name] = before === undefined ? encoded : `${before}, ${encoded}`;
    },
  };
}

function noteUsage(call: Call, event: ChatEvent): void {
  if (event.type === 'finish') {
    call.usage = event.usage;
    call.timing = event.timing;
  } else call.pieces += 1;
}

function unfinished(call: Call): ObeliskError {
  return new ObeliskError('upstream_invalid', `the answer of ${call.model} ended without being complete`);
}

function clientGone(): ObeliskError {
  return new ObeliskError('client_gone', 'the client closed the connection');
}
