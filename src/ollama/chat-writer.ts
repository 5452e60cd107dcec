import type { ChatContext, ChatEvent, ChatRequest, ChatWriter, EmbedContext } from '../providers/chat.ts';
import { IGNORED_HEADER } from '../providers/ignored-header.ts';
import { toOllamaChat, toSamplingOptions } from '../providers/ollama/chat-request.ts';
import type { OllamaChatBody } from '../providers/ollama/chat-request.ts';
import { toOllamaChatLine } from '../providers/ollama/chat-line.ts';
import type { OllamaChatLine } from '../providers/ollama/chat-line.ts';
import { createOllamaReader, fromOllamaLine, requireOllamaDone } from '../providers/ollama/chat-response.ts';
import { toChatLine, toOllamaCompletion } from '../providers/ollama/generate.ts';
import { isObeliskError, ObeliskError } from '../shared/errors.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Clocks } from '../wire/upstream.ts';

import type { OllamaClient } from './api/client.ts';
import type { OllamaHosts, OllamaTarget } from './fleet/hosts.ts';
import { linesUntil } from './api/lines-until.ts';
import { effectiveOptions, requireAbilities, withDefaults } from './prepare.ts';
import type { OllamaProfiles } from './profiles/profiles.ts';
import { runnerOptionsOf } from './queue/runner-options.ts';
import { takeSeat } from './queue/seat.ts';
import type { OllamaSeats, Seat } from './queue/seat.ts';

/** What chats and embeddings of Ollama are made of. */
export type OllamaServing = {
  readonly hosts: OllamaHosts;
  /** Queues of the models and what is known of them. */
  readonly seats: OllamaSeats;
  readonly profiles: Pick<OllamaProfiles, 'of'>;
  readonly logger: Logger;
  /** Makes an id for a tool call that Ollama sent without one: `call_` and something random. */
  newToolCallId(): string;
};

/** Header that names the runner options for which the model is loaded anew. */
const RELOAD_HEADER = 'x-obelisk-reload';

/** Tells whoever waits for a reload which options made it. */
export function tellReload(context: EmbedContext, changed: readonly string[]): void {
  if (changed.length > 0) context.onHeader?.(RELOAD_HEADER, changed.join(', '));
}

/**
 * Creates the function that makes a writer of each deployment. A writer throws ObeliskError
 * `unsupported`, `context_length_exceeded`, `model_not_found`, `invalid_request`, `overloaded`,
 * `upstream_*`, and `client_gone` when its signal aborts, which closes the connection at once.
 */
export function createOllamaChat(serving: OllamaServing): (target: OllamaTarget) => ChatWriter {
  return (target) => (request, context) => writeChat({ serving, target, context }, request);
}

type Writing = {
  readonly serving: OllamaServing;
  readonly target: OllamaTarget;
  readonly context: ChatContext;
};

async function* writeChat(writing: Writing, asked: ChatRequest): AsyncIterable<ChatEvent> {
  const { serving, target, context } = writing;
  const model = await serving.hosts.describe(target, context.signal, context.clocks);
  const request = withDefaults(asked, target.defaults);
  if (model) requireAbilities(model, request);
  const effective = effectiveOptions(
    target,
    { model, profiles: serving.profiles },
    { ...request, options: { ...toSamplingOptions(request), ...request.options } },
  );
  const body = toOllamaChat(request, { model: target.model, ...effective });
  if (effective.ignored.length > 0) context.onHeader?.(IGNORED_HEADER, effective.ignored.join(', '));
  const seat = await takeSeat(serving.seats, {
    url: target.baseUrl,
    model: target.model,
    signal: context.signal,
    context,
    ...(model?.remoteHost === undefined ? {} : { parallel: Infinity }),
  });
  try {
    if (model?.remoteHost === undefined) {
      // A cold load is minutes of silence: whoever waits is told at once.
      const { warmth, changed } = seat.begin(runnerOptionsOf(effective.options));
      if (warmth !== 'warm') context.onLoading?.();
      tellReload(context, changed);
    }
    const window = { name: target.model, numCtx: effective.numCtx, trained: model?.contextLength };
    yield* readAnswer(writing, { seat, body, completion: request.completion, window });
  } finally {
    seat.leave();
  }
}

type Answering = {
  readonly seat: Seat;
  readonly body: OllamaChatBody;
  readonly completion: ChatRequest['completion'];
  readonly window: Window;
};

async function* readAnswer(
  { serving, target, context }: Writing,
  { seat, body, completion, window }: Answering,
): AsyncIterable<ChatEvent> {
  const reader = createOllamaReader({
    host: target.baseUrl,
    model: target.model,
    newToolCallId: () => serving.newToolCallId(),
    ...(window.numCtx === undefined ? {} : { contextTokens: window.numCtx }),
  });
  const client = serving.hosts.client(target.baseUrl);
  const lines = linesUntil(
    () => reader.done,
    (signal) => seat.lines((clocks) => linesOf(client, { body, completion, signal, clocks })),
    context.signal,
  );
  for await (const line of tellingWindow(lines, window)) {
    for (const event of fromOllamaLine(line, reader)) {
      // Whoever streams leaves with the last event.
      yield event.type === 'finish' ? finished(event, { seat, unloads: body.keep_alive === 0 }) : event;
    }
  }
  requireOllamaDone(reader);
}

type Finish = Extract<ChatEvent, { type: 'finish' }>;

function finished(
  { timing, ...event }: Finish,
  { seat, unloads }: { readonly seat: Seat; readonly unloads: boolean },
): ChatEvent {
  const whole = seat.end({ usage: event.usage, timing, unloads });
  return { ...event, ...(whole === undefined ? {} : { timing: whole }) };
}

/** What one request sends. */
type Sending = {
  readonly body: OllamaChatBody;
  readonly completion: ChatRequest['completion'];
  readonly signal: AbortSignal;
  readonly clocks: Clocks;
};

/** The lines of the answer, of whichever of the two calls fits what is asked. */
async function* linesOf(client: OllamaClient, sending: Sending): AsyncIterable<OllamaChatLine> {
  const { body, completion, signal, clocks } = sending;
  if (completion === undefined) {
    yield* client.chat(body, signal, clocks);
    return;
  }
  for await (const line of client.generate(toOllamaCompletion(body, completion), signal, clocks)) {
    yield toOllamaChatLine(toChatLine(line), { host: client.url, model: body.model });
  }
}

type Window = {
  readonly name: string;
  readonly numCtx: number | undefined;
  readonly trained: number | undefined;
};

async function* tellingWindow<T>(lines: AsyncIterable<T>, window: Window): AsyncIterable<T> {
  try {
    yield* lines;
  } catch (error) {
    throw withWindow(error, window);
  }
}

/** Ollama says that a prompt does not fit, but neither what would nor whether more is to be had. */
function withWindow(error: unknown, { name, numCtx, trained }: Window): unknown {
  if (!isObeliskError(error) || error.code !== 'context_length_exceeded' || numCtx === undefined)
    return error;
  const canGrow = trained !== undefined && trained > numCtx;
  const more = canGrow
    ? `, or raise num_ctx in the profile of the model: it was trained for ${trained}`
    : ', or choose another model';
  return new ObeliskError(
    error.code,
    `the prompt does not fit: ${name} is served with a context of ${numCtx} tokens, the answer included; shorten the prompt${more}`,
    { param: 'messages', cause: error },
  );
}
