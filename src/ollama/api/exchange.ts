import { z } from 'zod';

import { isObeliskError, ObeliskError } from '../../shared/errors.ts';
import { ollamaError } from '../../providers/ollama/errors.ts';
import { parseRetryAfter } from '../../providers/openai/upstream-error.ts';
import { parseJson } from '../../shared/parse-json.ts';
import type { Secret } from '../../shared/secret.ts';
import type { Headers } from '../../wire/http.ts';
import { createNdjsonReader } from '../../wire/ndjson.ts';
import type {
  BodyStream,
  Clocks,
  UpstreamClient,
  UpstreamRequest,
  UpstreamResponse,
} from '../../wire/upstream.ts';

/** One call of Ollama's API. */
export type OllamaCall = {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'HEAD';
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: object;
  /** Sent as it is. */
  readonly bytes?: BodyStream;
  /** The model it is about, for messages. */
  readonly model?: string;
  readonly clocks: Clocks;
};

/** What calls are made with. */
export type OllamaExchangeOptions = {
  /** Base URL without a trailing slash, a path prefix allowed. */
  readonly url: string;
  readonly upstream: UpstreamClient;
  /** Headers of every request, lower-case: the hop header by which a gateway knows itself. */
  readonly headers?: Headers;
  /** Sent as `Authorization: Bearer`, for a proxy in front of the host. */
  readonly apiKey?: Secret;
};

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;

const errorBody = z.lazy(() => z.object({ error: z.string() }));

/**
 * Makes one call and waits for the head of a successful answer.
 * @throws ObeliskError of Ollama's own text, `loop_detected` when Obelisk answers, `upstream_*`.
 */
export async function openOllama(
  options: OllamaExchangeOptions,
  call: OllamaCall,
  signal?: AbortSignal,
): Promise<UpstreamResponse> {
  const response = await options.upstream.request(toRequest(options, call), signal);
  if (response.status === 200 || (response.status === 201 && call.bytes)) return response;
  throw await toError(response, { options, call });
}

/** Makes one call and reads its answer as JSON; an empty answer is undefined. */
export async function readOllamaJson(
  options: OllamaExchangeOptions,
  call: OllamaCall,
  signal?: AbortSignal,
): Promise<unknown> {
  const response = await openOllama(options, call, signal);
  const bytes = await bytesOf(response);
  if (bytes.length === 0) return undefined;
  const answer = parseJson(bytes.toString('utf8'));
  if (answer !== undefined) return answer;
  requireNotObelisk(options.url, response);
  const message = `ollama ${options.url} answered with something that is not JSON`;
  throw new ObeliskError('upstream_invalid', message);
}

/**
 * Makes one call and reads its answer line by line.
 * @throws ObeliskError also for an error that stands in a line of a 200.
 */
export async function* readOllamaLines(
  options: OllamaExchangeOptions,
  call: OllamaCall,
  signal: AbortSignal,
): AsyncIterable<unknown> {
  const from = { host: options.url, ...(call.model === undefined ? {} : { model: call.model }) };
  for await (const line of readLines(await openOllama(options, call, signal), options.url)) {
    const failure = failureIn(line);
    if (failure !== undefined) throw ollamaError({ ...failure, ...from });
    yield line;
  }
}

/**
 * The error that stands where a line of the answer would. The status was sent long before; only a
 * creation repeats in the line what it should have been.
 */
function failureIn(line: unknown): { readonly text: string; readonly status?: number } | undefined {
  if (typeof line !== 'object' || line === null || !('error' in line)) return undefined;
  if (typeof line.error !== 'string') return undefined;
  const status = 'status' in line && typeof line.status === 'number' ? { status: line.status } : {};
  return { text: line.error, ...status };
}

async function* readLines(response: UpstreamResponse, host: string): AsyncIterable<unknown> {
  let records: unknown[] = [];
  const reader = createNdjsonReader({ onRecord: (record) => records.push(record) });
  for await (const chunk of bodyOf(response)) {
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

async function bytesOf(response: UpstreamResponse): Promise<Buffer> {
  try {
    return await response.bytes(MAX_ANSWER_BYTES);
  } catch (error) {
    throw afterHead(error, response);
  }
}

async function* bodyOf(response: UpstreamResponse): AsyncIterable<Buffer> {
  try {
    yield* response.body;
  } catch (error) {
    throw afterHead(error, response);
  }
}

/** A failure in the middle of an answer, marked as such: the model did its work, so it is not asked again. */
function afterHead(error: unknown, { status }: UpstreamResponse): unknown {
  if (!isObeliskError(error) || error.code === 'client_gone') return error;
  return new ObeliskError(error.code, error.message, { cause: error.cause ?? error, upstreamStatus: status });
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

function toRequest({ url, headers, apiKey }: OllamaExchangeOptions, call: OllamaCall): UpstreamRequest {
  const base = new URL(url);
  const prefix = base.pathname === '/' ? '' : base.pathname;
  return {
    origin: base.origin,
    path: `${prefix}${call.path}`,
    method: call.method,
    headers: {
      ...headers,
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey.reveal()}` }),
      accept: 'application/json',
      ...(call.body ? { 'content-type': 'application/json' } : {}),
      ...(call.bytes ? { 'content-type': 'application/octet-stream' } : {}),
    },
    ...(call.body ? { body: JSON.stringify(call.body) } : {}),
    ...(call.bytes ? { body: call.bytes } : {}),
    clocks: call.clocks,
  };
}

async function toError(
  response: UpstreamResponse,
  { options, call }: { readonly options: OllamaExchangeOptions; readonly call: OllamaCall },
): Promise<ObeliskError> {
  const { url: host, apiKey } = options;
  const text = errorText(await beginningOf(response));
  requireNotObelisk(host, response);
  const { status, headers } = response;
  if (status < 400) {
    const message = `ollama ${host} answered ${call.path} with status ${status}, which Ollama never does; check its address`;
    return new ObeliskError('upstream_invalid', message, { upstreamStatus: status });
  }
  const retryAfter = parseRetryAfter(headers['retry-after'], Date.now());
  return ollamaError({
    status,
    text: text ?? `HTTP ${String(status)} from ${call.path}`,
    host,
    // Ollama itself has no keys: whoever asks for one without its words stands in front of it.
    ...(apiKey === undefined && text !== undefined ? {} : { key: apiKey === undefined ? 'missing' : 'sent' }),
    ...(call.model === undefined ? {} : { model: call.model }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}

/** What an error says, as far as it is read: one that goes on for ever is cut, and is the same error. */
async function beginningOf(response: UpstreamResponse): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response.body) {
    parts.push(part);
    bytes += part.length;
    if (bytes > MAX_ERROR_BYTES) break;
  }
  return Buffer.concat(parts).toString('utf8');
}

/** The `error` of a body; a body that is no JSON object of Ollama's is not quoted: it may be anyone's page. */
function errorText(text: string): string | undefined {
  const parsed = errorBody.safeParse(parseJson(text));
  return parsed.success ? parsed.data.error : undefined;
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
