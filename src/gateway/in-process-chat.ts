import { ObeliskError } from '../shared/errors.ts';
import type {
  ChatContext,
  ChatEvent,
  ChatWriter,
  Embedder,
  QueuedRequest,
  QueuePlace,
} from '../providers/chat.ts';
import { createChatEventReader, toReportedError } from '../providers/openai/from-event.ts';
import { readEmbeddingList } from '../providers/openai/embedding-answer.ts';
import { toChatBody } from '../providers/openai/to-body.ts';
import type { Handler } from '../wire/http.ts';
import { callInProcess } from '../wire/in-process.ts';
import type { InProcessResponse } from '../wire/in-process.ts';
import { createSseReader } from '../wire/sse.ts';
import { CLIENT_HEADER } from './client-of.ts';
import { readQueueComment } from './queue-comment.ts';

/** The gateway as our own code uses it: every completion goes through it, ours too. */
export type InProcessClient = { readonly chat: ChatWriter; readonly embed: Embedder };

const JSON_BODY = { 'content-type': 'application/json' };

const COLON = 0x3a;

/** Largest body that is read whole, in bytes. */
const BODY_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * Creates the client. A request is streamed whatever it asks for: events are what the caller gets.
 * Errors arrive as the ObeliskError that a client over HTTP would be told.
 */
export function createInProcessClient(handler: Handler): InProcessClient {
  return {
    chat: (request, context) => chat(handler, request, context),
    async embed(request, signal) {
      const { keepAlive, options, ...fields } = request;
      const body = JSON.stringify({
        ...options,
        ...fields,
        keep_alive: keepAlive,
        encoding_format: 'base64',
      });
      const response = await callInProcess(handler, {
        method: 'POST',
        path: '/v1/embeddings',
        headers: JSON_BODY,
        body,
        signal,
      });
      return readEmbeddings(await readJson(response));
    },
  };
}

async function* chat(
  handler: Handler,
  request: Parameters<ChatWriter>[0],
  context: ChatContext,
): AsyncIterable<ChatEvent> {
  const response = await callInProcess(handler, {
    method: 'POST',
    path: '/v1/chat/completions',
    headers: context.client === undefined ? JSON_BODY : { ...JSON_BODY, [CLIENT_HEADER]: context.client },
    body: toChatBody({ ...request, stream: true, includeUsage: true }),
    signal: context.signal,
  });
  if (response.status !== 200) throw errorOf(response, await readJson(response));
  for (const [name, value] of Object.entries(response.headers)) {
    if (name.startsWith('x-obelisk-')) context.onHeader?.(name, value);
  }
  yield* readEvents(response, context);
}

async function* readEvents(response: InProcessResponse, context: ChatContext): AsyncIterable<ChatEvent> {
  const reader = createChatEventReader();
  const events: ChatEvent[] = [];
  const records = createSseReader({ onEvent: ({ data }) => events.push(...reader.read(data)) });
  const waiting = new WaitingInside();
  let started = false;
  for await (const bytes of response.body) {
    records.feed(bytes);
    // A comment before the first event is a heartbeat: the request is waiting, or its model loading.
    if (!started && bytes[0] === COLON) tellWaiting(bytes, { context, waiting });
    started ||= events.length > 0;
    if (started) waiting.over();
    yield* events.splice(0);
  }
  records.end();
  yield* events.splice(0);
  yield* reader.end();
}

/** A request that waits in a queue further inside, as its last heartbeat had it. */
class WaitingInside implements QueuedRequest {
  last: QueuePlace | undefined;
  #told = false;

  place(): QueuePlace | undefined {
    return this.last;
  }

  tell(place: QueuePlace, { onQueued }: ChatContext): void {
    this.last = place;
    if (!this.#told) onQueued?.(this);
    this.#told = true;
  }

  over(): void {
    this.last = undefined;
  }
}

function tellWaiting(
  comment: Buffer,
  { context, waiting }: { readonly context: ChatContext; readonly waiting: WaitingInside },
): void {
  const place = readQueueComment(comment.toString('latin1'));
  if (place !== undefined) {
    waiting.tell(place, context);
    return;
  }
  waiting.over();
  context.onLoading?.();
}

async function readJson(response: InProcessResponse): Promise<unknown> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response.body) {
    bytes += part.length;
    if (bytes > BODY_LIMIT_BYTES)
      throw new ObeliskError('upstream_invalid', 'the gateway answered with too much');
    parts.push(part);
  }
  return JSON.parse(Buffer.concat(parts).toString());
}

function errorOf(response: InProcessResponse, json: unknown): ObeliskError {
  const error = toReportedError(json);
  if (!error)
    return new ObeliskError('upstream_invalid', `the gateway answered ${response.status} without an error`);
  const retryAfter = Number(response.headers['retry-after'] ?? Number.NaN);
  return error.with({
    ...(Number.isNaN(retryAfter) ? {} : { retryAfter }),
    // Only of a refused request: with another status, what was tried again inside would be outside, too.
    ...(error.code === 'invalid_request' ? { upstreamStatus: response.status } : {}),
  });
}

function readEmbeddings(json: unknown): Awaited<ReturnType<Embedder>> {
  const error = toReportedError(json);
  if (error) throw error;
  const result = readEmbeddingList(json);
  if (!result) throw new ObeliskError('upstream_invalid', 'the gateway answered without embeddings');
  return result;
}
