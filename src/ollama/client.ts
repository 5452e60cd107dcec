import { z } from 'zod';

import { isObeliskError, ObeliskError } from '../shared/errors.ts';
import { ollamaError } from '../providers/ollama/errors.ts';
import type { OllamaChatBody } from '../providers/ollama/chat-request.ts';
import type { OllamaEmbedBody } from '../providers/ollama/embed.ts';
import { createNdjsonReader } from '../wire/ndjson.ts';
import type { Headers } from '../wire/http.ts';
import { LOCAL_CLOCKS } from '../wire/upstream.ts';
import type { Clocks, UpstreamClient, UpstreamRequest, UpstreamResponse } from '../wire/upstream.ts';

import { runningModels, showResponse, tagList } from './api-types.ts';
import type { OllamaRunning, OllamaShow, OllamaTag } from './api-types.ts';

/** Ollama's native API, as far as Obelisk uses it. Every call throws ObeliskError naming the host. */
export type OllamaClient = {
  /** Base URL without a trailing slash. */
  readonly url: string;
  /** `GET /api/version`; a server built from source says `0.0.0`. */
  version(signal?: AbortSignal): Promise<string>;
  /** `GET /api/tags`: the installed models. */
  tags(signal?: AbortSignal): Promise<readonly OllamaTag[]>;
  /** `POST /api/show`: what one model is. */
  show(model: string, signal?: AbortSignal): Promise<OllamaShow>;
  /** `GET /api/ps`: the loaded models; one that is still loading is not among them. */
  ps(signal?: AbortSignal): Promise<readonly OllamaRunning[]>;
  /** `POST /api/chat`: the lines of the stream as JSON. Nothing arrives before the first token. */
  chat(body: OllamaChatBody, signal: AbortSignal): AsyncIterable<unknown>;
  /** `POST /api/embed`: the answer as JSON. */
  embed(body: OllamaEmbedBody, signal: AbortSignal): Promise<unknown>;
};

/** What a client is made of. */
export type OllamaClientOptions = {
  /** Base URL without a trailing slash, a path prefix allowed. */
  readonly url: string;
  readonly upstream: UpstreamClient;
  /** Clocks of calls that load or run a model; those of a local server unless told. */
  readonly clocks?: Clocks;
  /** Headers of every request, lower-case: the hop header by which a gateway knows itself. */
  readonly headers?: Headers;
};

/** Calls that only look things up answer soon, or the host is not there. */
const LOOK_CLOCKS: Clocks = { connectMs: 2_000, firstByteMs: 5_000, idleMs: 5_000, totalMs: 10_000 };
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;
/** Ollama's own client allows lines of 8 MB. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;

const errorBody = z.object({ error: z.string() });
const versionBody = z.object({ version: z.string() });

type Call = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
  readonly model?: string;
  readonly clocks: Clocks;
};

/** Creates a client for one host. It holds no connections: those belong to `upstream`. */
export function createOllamaClient(options: OllamaClientOptions): OllamaClient {
  const { url, upstream } = options;
  const clocks = options.clocks ?? LOCAL_CLOCKS;
  const open = async (call: Call, signal?: AbortSignal): Promise<UpstreamResponse> => {
    const response = await upstream.request(toRequest(options, call), signal);
    if (response.status === 200) return response;
    throw await toError(response, { host: url, call });
  };
  const json = async (call: Call, signal?: AbortSignal): Promise<unknown> => {
    const response = await open(call, signal);
    return parseJson(await response.bytes(MAX_ANSWER_BYTES), { host: url, response });
  };
  const look = async <T>(
    schema: z.ZodType<T>,
    call: Omit<Call, 'clocks'>,
    signal?: AbortSignal,
  ): Promise<T> => {
    const parsed = schema.safeParse(await json({ ...call, clocks: LOOK_CLOCKS }, signal));
    if (parsed.success) return parsed.data;
    throw new ObeliskError('upstream_invalid', `ollama ${url}: ${call.path} did not answer as Ollama does`);
  };
  return {
    url,
    version: async (signal) =>
      (await look(versionBody, { method: 'GET', path: '/api/version' }, signal)).version,
    tags: async (signal) => (await look(tagList, { method: 'GET', path: '/api/tags' }, signal)).models,
    show: (model, signal) =>
      look(showResponse, { method: 'POST', path: '/api/show', body: { model }, model }, signal),
    ps: async (signal) => (await look(runningModels, { method: 'GET', path: '/api/ps' }, signal)).models,
    async *chat(body, signal) {
      const response = await open(
        { method: 'POST', path: '/api/chat', body, model: body.model, clocks },
        signal,
      );
      yield* readLines(response, url);
    },
    embed: (body, signal) =>
      json({ method: 'POST', path: '/api/embed', body, model: body.model, clocks }, signal),
  };
}

async function* readLines(response: UpstreamResponse, host: string): AsyncIterable<unknown> {
  let records: unknown[] = [];
  const reader = createNdjsonReader({
    maxRecordBytes: MAX_LINE_BYTES,
    onRecord: (record) => records.push(record),
  });
  for await (const chunk of response.body) {
    const failure = failureOf(host, () => reader.feed(chunk));
    const taken = records;
    records = [];
    yield* taken;
    if (failure !== undefined) throw failure;
  }
  const failure = failureOf(host, () => reader.end());
  yield* records;
  if (failure !== undefined) throw failure;
}

/** The error of a step of the framing, with the host added; what was read before it still counts. */
function failureOf(host: string, step: () => void): ObeliskError | undefined {
  try {
    step();
    return undefined;
  } catch (error) {
    if (!isObeliskError(error)) throw error;
    return new ObeliskError(error.code, `ollama ${host}: ${error.message}`, { cause: error });
  }
}

function toRequest({ url, headers }: OllamaClientOptions, call: Call): UpstreamRequest {
  const base = new URL(url);
  const prefix = base.pathname === '/' ? '' : base.pathname;
  return {
    origin: base.origin,
    path: `${prefix}${call.path}`,
    method: call.method,
    headers: {
      ...headers,
      accept: 'application/json',
      ...(call.body ? { 'content-type': 'application/json' } : {}),
    },
    ...(call.body ? { body: JSON.stringify(call.body) } : {}),
    clocks: call.clocks,
  };
}

async function toError(
  response: UpstreamResponse,
  { host, call }: { readonly host: string; readonly call: Call },
): Promise<ObeliskError> {
  const text = (await response.bytes(MAX_ERROR_BYTES)).toString('utf8');
  requireNotObelisk(host, response);
  const retryAfter = Number(response.headers['retry-after']);
  return ollamaError({
    status: response.status,
    text: errorText(text) ?? `HTTP ${String(response.status)} from ${call.path}`,
    host,
    ...(call.model === undefined ? {} : { model: call.model }),
    ...(Number.isFinite(retryAfter) && retryAfter > 0 ? { retryAfter } : {}),
  });
}

/** The `error` of a body; a body that is no JSON object of Ollama's is not quoted: it may be anyone's page. */
function errorText(text: string): string | undefined {
  try {
    const parsed = errorBody.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.error : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function parseJson(
  bytes: Buffer,
  from: { readonly host: string; readonly response: UpstreamResponse },
): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    requireNotObelisk(from.host, from.response);
    throw new ObeliskError(
      'upstream_invalid',
      `ollama ${from.host} answered with something that is not JSON`,
      {
        cause: error,
      },
    );
  }
}

/** Obelisk is known by headers of its own, by its request ids, and by 508 to its own hop header. */
function requireNotObelisk(host: string, response: UpstreamResponse): void {
  const marked =
    Object.keys(response.headers).some((name) => name.startsWith('x-obelisk-')) ||
    /^req_[\da-z]+_[\da-z]+$/.test(response.headers['x-request-id'] ?? '');
  if (!marked && response.status !== 508) return;
  throw new ObeliskError(
    'loop_detected',
    `${host} is Obelisk itself, not Ollama; set providers.ollama.url to Ollama's own address (usually http://127.0.0.1:11434)`,
  );
}

/** Whether an error means that the host is not there (and not that one request was wrong). */
export function isHostAway(error: unknown): boolean {
  return (
    isObeliskError(error) && (error.code === 'upstream_unreachable' || error.code === 'upstream_timeout')
  );
}
