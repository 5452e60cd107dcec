/** Ready-made answers for the fault server: whole messages, well-formed and broken, and two whole servers. */
import { gzipSync } from 'node:zlib';
import { send } from './upstream.ts';
import type { LiveScript, ReceivedRequest, Script, Step } from './upstream.ts';

const CRLF = '\r\n';

/** The head of a response, with its blank line. */
export function head(status: number, headers: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} Status`, ...lines, '', ''].join(CRLF);
}

/** One chunk of a chunked body. */
export function chunk(data: string): string {
  return `${Buffer.byteLength(data).toString(16)}${CRLF}${data}${CRLF}`;
}

/** The end of a chunked body. */
export const lastChunk: string = `0${CRLF}${CRLF}`;

/** The head of a chunked response of a content type. */
export function chunkedHead(contentType: string): string {
  return head(200, { 'content-type': contentType, 'transfer-encoding': 'chunked' });
}

/** A whole response with a length. */
export function answer(status: number, contentType: string, body: string): Step {
  return send(
    head(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }) + body,
  );
}

/** A whole JSON response. */
export function json(value: unknown, status = 200): Step {
  return answer(status, 'application/json', JSON.stringify(value));
}

/** A whole event stream, an event a chunk; strings are sent as they are, anything else as JSON. */
export function sse(events: readonly unknown[]): readonly Step[] {
  const texts = events.map((event) => (typeof event === 'string' ? event : JSON.stringify(event)));
  return [
    send(chunkedHead('text/event-stream')),
    ...texts.map((text) => send(chunk(`data: ${text}\n\n`))),
    send(lastChunk),
  ];
}

/** A whole NDJSON stream, a record a chunk. */
export function ndjson(records: readonly unknown[]): readonly Step[] {
  return [
    send(chunkedHead('application/x-ndjson')),
    ...records.map((record) => send(chunk(`${JSON.stringify(record)}\n`))),
    send(lastChunk),
  ];
}

/** A redirect. */
export function redirect(location: string, status = 302): Step {
  return send(head(status, { location, 'content-length': 0 }));
}

/** A head of `bytes` bytes and more. */
export function hugeHead(bytes: number): Step {
  return send(head(200, { 'x-large': 'x'.repeat(bytes), 'content-length': 0 }));
}

/** A compressed JSON response that nobody asked for. */
export function gzip(value: unknown): Step {
  const body = gzipSync(JSON.stringify(value));
  const headers = {
    'content-type': 'application/json',
    'content-encoding': 'gzip',
    'content-length': body.length,
  };
  return send(Buffer.concat([Buffer.from(head(200, headers)), body]));
}

/** A body shorter than its head promises; follow it with `close` or `reset`. */
export function cutShort(body: string, promisedBytes: number): Step {
  return send(head(200, { 'content-type': 'application/json', 'content-length': promisedBytes }) + body);
}

/** Chooses a script by method and path without query; anything else is answered with 404. */
export function routes(table: Readonly<Record<string, Script>>): LiveScript {
  return (request, index) => {
    const script = table[`${request.method} ${request.path.split('?')[0]}`];
    if (script === undefined) return [json({ error: { message: `no route ${request.path}` } }, 404)];
    return typeof script === 'function' ? script(request, index) : script;
  };
}

function field(request: ReceivedRequest, name: string): unknown {
  const body = request.json();
  return typeof body === 'object' && body !== null
    ? Object.entries(body).find(([key]) => key === name)?.[1]
    : undefined;
}

const COMPLETION = { id: 'chatcmpl-1', created: 1_700_000_000 };
const USAGE = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 };

/** The chunks of an OpenAI chat stream that says `words`, one word an event. */
export function chatChunks(
  model: string,
  words: readonly string[],
  includeUsage: boolean,
): readonly unknown[] {
  const base = { ...COMPLETION, object: 'chat.completion.chunk', model };
  const choice = (delta: object, reason: string | null): object => ({
    ...base,
    choices: [{ index: 0, delta, finish_reason: reason }],
  });
  return [
    choice({ role: 'assistant', content: '' }, null),
    ...words.map((content) => choice({ content }, null)),
    choice({}, 'stop'),
    ...(includeUsage ? [{ ...base, choices: [], usage: USAGE }] : []),
    '[DONE]',
  ];
}

/** An OpenAI-compatible server with one answer, whole or streamed as the request asks. */
export function openAi(words: readonly string[] = ['Hello', ' there', '!']): LiveScript {
  return routes({
    'POST /v1/chat/completions': (request) => {
      const model = String(field(request, 'model'));
      const options = field(request, 'stream_options');
      if (field(request, 'stream') === true) return sse(chatChunks(model, words, options !== undefined));
      const message = { role: 'assistant', content: words.join('') };
      const choices = [{ index: 0, message, finish_reason: 'stop' }];
      return [json({ ...COMPLETION, object: 'chat.completion', model, choices, usage: USAGE })];
    },
    'POST /v1/embeddings': (request) => {
      const data = inputsOf(request).map((text, index) => ({
        object: 'embedding',
        index,
        embedding: vectorOf(text),
      }));
      const usage = { prompt_tokens: 4, total_tokens: 4 };
      return [json({ object: 'list', model: field(request, 'model'), data, usage })];
    },
    'GET /v1/models': [
      json({ object: 'list', data: [{ id: 'gpt-test', object: 'model', created: 0, owned_by: 'test' }] }),
    ],
  });
}

function inputsOf(request: ReceivedRequest): readonly string[] {
  const input = field(request, 'input');
  return Array.isArray(input) ? input.map(String) : [String(input)];
}

/** A small unit vector that depends on the text alone. */
export function vectorOf(text: string): readonly number[] {
  const vector = [1, 0, 0, 0];
  for (const [index, byte] of Buffer.from(text).entries())
    vector[index % 4] = (vector[index % 4] ?? 0) + byte / 255;
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** A model as Ollama lists and describes it. */
export type OllamaModel = {
  /** With its tag. */
  readonly name: string;
  readonly capabilities?: readonly string[];
  readonly contextLength?: number;
};

const DATE = '2026-01-01T00:00:00Z';

function describe(model: OllamaModel): object {
  const details = {
    parent_model: '',
    format: 'gguf',
    family: 'llama',
    families: ['llama'],
    parameter_size: '8B',
    quantization_level: 'Q4_0',
  };
  const digest = Buffer.from(model.name).toString('hex').padEnd(64, '0').slice(0, 64);
  return { name: model.name, model: model.name, modified_at: DATE, size: 1_000_000, digest, details };
}

function show(models: readonly OllamaModel[], request: ReceivedRequest): readonly Step[] {
  const name = field(request, 'model');
  const model = models.find((candidate) => candidate.name === name);
  if (model === undefined) return [json({ error: `model '${String(name)}' not found` }, 404)];
  const info = {
    'general.architecture': 'llama',
    'llama.context_length': model.contextLength ?? 8192,
    'llama.embedding_length': 4,
  };
  const capabilities = model.capabilities ?? ['completion'];
  return [json({ ...describe(model), template: '{{ .Prompt }}', model_info: info, capabilities })];
}

function chat(words: readonly string[], request: ReceivedRequest): readonly Step[] {
  const base = { model: field(request, 'model'), created_at: DATE };
  const part = (content: string): object => ({
    ...base,
    message: { role: 'assistant', content },
    done: false,
  });
  const figures = {
    total_duration: 5e6,
    load_duration: 1e6,
    prompt_eval_count: 9,
    prompt_eval_duration: 1e6,
    eval_count: words.length,
    eval_duration: 1e6,
  };
  const last = (content: string): object => ({
    ...base,
    message: { role: 'assistant', content },
    done: true,
    done_reason: 'stop',
    ...figures,
  });
  if (field(request, 'stream') === false) return [json(last(words.join('')))];
  return ndjson([...words.map(part), last('')]);
}

/** An Ollama with some models and one answer. */
export function ollama(
  models: readonly OllamaModel[],
  words: readonly string[] = ['Hello', ' there', '!'],
): LiveScript {
  return routes({
    'GET /': [answer(200, 'text/plain', 'Ollama is running')],
    'GET /api/version': [json({ version: '0.30.0' })],
    'GET /api/tags': [json({ models: models.map(describe) })],
    'GET /api/ps': [json({ models: [] })],
    'POST /api/show': (request) => show(models, request),
    'POST /api/chat': (request) => chat(words, request),
    'POST /api/embed': (request) => {
      const embeddings = inputsOf(request).map(vectorOf);
      return [
        json({
          model: field(request, 'model'),
          embeddings,
          total_duration: 1,
          load_duration: 1,
          prompt_eval_count: 4,
        }),
      ];
    },
  });
}
