import type { ChatContext, ChatEvent, ChatMessage, ChatRequest, ChatWriter } from '../providers/chat.ts';
import { IGNORED_HEADER } from '../providers/ignored-header.ts';
import { createChatEventReader } from '../providers/openai/from-event.ts';
import { isEventStream } from '../providers/openai/stream-tap.ts';
import { toChatFields } from '../providers/openai/to-body.ts';
import type { Deployment } from '../router/deployment.ts';
import { createSseReader } from '../wire/sse.ts';
import { REMOTE_CLOCKS } from '../wire/upstream.ts';
import type { UpstreamResponse } from '../wire/upstream.ts';
import { afterHead, markHead } from './after-head.ts';
import { toUpstreamRequest } from './pass-through-request.ts';
import type { PassThroughDependencies } from './pass-through-request.ts';
import type { UpstreamTarget } from './upstream-target.ts';
import { judgeWhole, reportedError } from './whole-answer.ts';

/** What asking an OpenAI-compatible upstream needs. */
export type OpenAiUpstream = Pick<PassThroughDependencies, 'upstream' | 'targetOf' | 'unixMs'>;

/** Largest answer of an upstream that did not stream, in bytes: it is an error, of which little is read. */
const ERROR_LIMIT_BYTES = 1024 * 1024;

/**
 * Creates the writers of OpenAI-compatible deployments, for clients of another dialect. The upstream is
 * always asked for a stream: what is cut off is then known from what was complete.
 *
 * @param hops The instances that the client's request has come through.
 */
export function createOpenAiWriter(
  options: OpenAiUpstream,
  hops: string,
): (deployment: Deployment) => ChatWriter {
  return (deployment) => (request, context) => write({ options, hops, deployment, context }, request);
}

type Writing = {
  readonly options: OpenAiUpstream;
  readonly hops: string;
  readonly deployment: Deployment;
  readonly context: ChatContext;
};

async function* write(
  { options, hops, deployment, context }: Writing,
  request: ChatRequest,
): AsyncIterable<ChatEvent> {
  const target = options.targetOf(deployment);
  const { fields, ignored } = toOpenAiFields(request, deployment);
  if (ignored.length > 0) context.onHeader?.(IGNORED_HEADER, ignored.join(', '));
  const sent = {
    path: '/chat/completions',
    hops,
    body: Buffer.from(JSON.stringify(fields)),
    clocks: context.clocks ?? REMOTE_CLOCKS,
  };
  const response = await options.upstream.request(toUpstreamRequest(target, sent), context.signal);
  const streams = isEventStream(response.headers['content-type']);
  if (response.status !== 200 || !streams) throw await errorOf(response, target, options);
  try {
    yield* readEvents(response, target);
  } catch (error) {
    throw markHead(error, response.status);
  }
}

async function* readEvents(response: UpstreamResponse, target: UpstreamTarget): AsyncIterable<ChatEvent> {
  const { name } = target;
  const reader = createChatEventReader({ name, toError: (failure) => reportedError(failure, target) });
  const events: ChatEvent[] = [];
  const records = createSseReader({ onEvent: ({ data }) => events.push(...reader.read(data)) });
  for await (const bytes of response.body) {
    records.feed(bytes);
    yield* events.splice(0);
  }
  records.end();
  yield* events.splice(0);
  yield* reader.end();
}

/** The error of an answer that is no stream. */
async function errorOf(
  response: UpstreamResponse,
  target: UpstreamTarget,
  { unixMs }: OpenAiUpstream,
): Promise<Error> {
  const body = await afterHead(response, () => response.bytes(ERROR_LIMIT_BYTES));
  const judgement = judgeWhole(
    { status: response.status, headers: response.headers, body },
    { target, proof: 'choices', stream: true, unixMs },
  );
  if (judgement.kind === 'failure') return judgement.error;
  return new Error('an answer in one piece is none to a request for a stream');
}

type OpenAiBody = {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Names of what the request says and OpenAI has no word for. */
  readonly ignored: readonly string[];
};

/** Servers that refuse what they do not know, the older name of the limit too; most others know only that. */
const STRICT = /(?:^|\.)(?:openai|azure)\.com$/;

/** Servers of OpenAI's dialect refuse what they do not know, so that Ollama's own words stay here. */
function toOpenAiFields(request: ChatRequest, deployment: Deployment): OpenAiBody {
  const { options, keepAlive, think, maxTokens, messages, ...common } = request;
  const strict = STRICT.test(new URL(deployment.baseUrl).hostname);
  const effort = think === 'max' ? 'high' : think;
  const fields = toChatFields({
    ...common,
    messages: strict ? messages.map(withoutReasoning) : messages,
    options: {},
    stream: true,
    includeUsage: true,
    ...(typeof effort === 'string' ? { think: effort } : {}),
  });
  const asked = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const ignored = [
    ...Object.keys(options),
    ...(keepAlive === undefined ? [] : ['keep_alive']),
    ...(typeof think === 'boolean' ? ['think'] : []),
  ].sort();
  return {
    fields: { ...defaultsOf(deployment, { maxTokens, strict }), ...asked, model: deployment.model },
    ignored,
  };
}

/** What a model thought before is read by some servers, and refused as an unknown field by others. */
function withoutReasoning(message: ChatMessage): ChatMessage {
  if (message.role !== 'assistant') return message;
  const { reasoning: _thoughts, ...rest } = message;
  return rest;
}

type Limit = { readonly maxTokens: number | undefined; readonly strict: boolean };

/** The deployment's own parameters, with one limit under one name: both names together are an error. */
function defaultsOf({ defaults }: Deployment, { maxTokens, strict }: Limit): Deployment['defaults'] {
  if (maxTokens === undefined) return defaults;
  const { max_tokens: _older, max_completion_tokens: _newer, ...others } = defaults;
  return { ...others, [strict ? 'max_completion_tokens' : 'max_tokens']: maxTokens };
}
