/** How the server of each dialect talks, as bytes: what rows of the matrix are written in. */
import { chatChunks, chunk, chunkedHead, json, lastChunk } from '../../upstream-scripts.ts';
import type { Script } from '../../upstream.ts';

/** The dialects of upstreams that the matrix runs in. Another one joins by an entry in `SPEECH`. */
export type Dialect = 'openai' | 'ollama';

/** What the client asks for. */
export type Mode = 'json' | 'stream';

/** One column of the matrix. */
export type Setting = { readonly dialect: Dialect; readonly mode: Mode };

/** Every column. */
export const SETTINGS: readonly Setting[] = [
  { dialect: 'openai', mode: 'json' },
  { dialect: 'openai', mode: 'stream' },
  { dialect: 'ollama', mode: 'json' },
  { dialect: 'ollama', mode: 'stream' },
];

/** What a server of a dialect says in one column. */
export type Speech = {
  /** Of a successful answer. */
  readonly contentType: string;
  /** The body of a finished answer in the pieces it is sent in: whole records of a stream. */
  body(words: readonly string[]): readonly string[];
  /** The body of an answer that breaks off after some words. */
  unfinished(words: readonly string[]): string;
  /** The records that complete an answer which has begun. */
  rest(words: readonly string[]): string;
  /** A record that says one word. */
  record(word: string): string;
  /** The body of an error. */
  error(message: string, more?: Readonly<Record<string, unknown>>): string;
  /** An error as it comes inside a stream, or inside a 200. */
  streamedError(message: string, more?: Readonly<Record<string, unknown>>): string;
};

/** What a finished answer says unless a row says otherwise. */
export const WORDS: readonly string[] = ['Hello', ' there', '!'];
/** What has been said when an answer breaks off. */
export const BEGUN: readonly string[] = ['Hel'];

/** The name under which servers know their one model. */
export const UPSTREAM_MODEL = 'tiny:latest';

const errorBody = (message: string, more = {}): string =>
  JSON.stringify({ error: { message, type: 'server_error', param: null, code: null, ...more } });

const event = (value: unknown): string =>
  `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;

/** An OpenAI stream; the usage record is asked for by the gateway, so that every server sends it. */
const OPENAI_STREAM: Speech = {
  contentType: 'text/event-stream',
  body: (words) => chatChunks(UPSTREAM_MODEL, words, true).map(event),
  unfinished: (words) =>
    chatChunks(UPSTREAM_MODEL, words, false)
      .slice(0, words.length + 1)
      .map(event)
      .join(''),
  // The first record names the role, and has gone out.
  rest: (words) => chatChunks(UPSTREAM_MODEL, words, true).slice(1).map(event).join(''),
  record: (word) => event(chatChunks(UPSTREAM_MODEL, [word], false)[1]),
  error: errorBody,
  streamedError: (message, more) => `data: ${errorBody(message, more)}\n\n`,
};

function completion(words: readonly string[]): string {
  const message = { role: 'assistant', content: words.join('') };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' }];
  const usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 };
  const identity = { id: 'chatcmpl-1', object: 'chat.completion', created: 1_700_000_000 };
  return JSON.stringify({ ...identity, model: UPSTREAM_MODEL, choices, usage });
}

const OPENAI_JSON: Speech = {
  contentType: 'application/json',
  body: (words) => [completion(words)],
  unfinished: (words) => {
    const whole = completion(words);
    return whole.slice(0, whole.indexOf('"}') - 1);
  },
  rest: (words) => completion(words),
  record: (word) => completion([word]),
  error: errorBody,
  streamedError: errorBody,
};

const line = (fields: object): string => `${JSON.stringify({ model: UPSTREAM_MODEL, ...fields })}\n`;

function ollamaRecord(content: string): string {
  return line({ created_at: '2026-01-01T00:00:00Z', message: { role: 'assistant', content }, done: false });
}

const OLLAMA_END = line({
  message: { role: 'assistant', content: '' },
  done: true,
  done_reason: 'stop',
  prompt_eval_count: 9,
  eval_count: 3,
});

/** Ollama is asked for a stream whatever the client wants. */
const OLLAMA: Speech = {
  contentType: 'application/x-ndjson',
  body: (words) => [...words.map(ollamaRecord), OLLAMA_END],
  rest: (words) => words.map(ollamaRecord).join('') + OLLAMA_END,
  unfinished: (words) => words.map(ollamaRecord).join(''),
  record: ollamaRecord,
  error: (message) => JSON.stringify({ error: message }),
  streamedError: (message) => `${JSON.stringify({ error: message })}\n`,
};

/** The way an upstream talks in a column. */
export function speechOf({ dialect, mode }: Setting): Speech {
  if (dialect === 'ollama') return OLLAMA;
  return mode === 'stream' ? OPENAI_STREAM : OPENAI_JSON;
}

/** Bytes of a whole, well-formed answer. */
export function wholeAnswer(at: Setting, words: readonly string[] = WORDS): string {
  const speech = speechOf(at);
  return chunkedHead(speech.contentType) + speech.body(words).map(chunk).join('') + lastChunk;
}

/** Bytes of an answer that is under way: its head and its first words, in chunks, without an end. */
export function begunAnswer(at: Setting): string {
  const speech = speechOf(at);
  return chunkedHead(speech.contentType) + chunk(speech.unfinished(BEGUN));
}

type DialectFacts = {
  /** What a deployment is configured with. */
  readonly model: string;
  readonly basePath: string;
  /** Where chats are sent. */
  readonly chatPath: string;
  /** What the server must answer besides chats. */
  readonly others: Readonly<Record<string, Script>>;
};

const SHOW = {
  details: { family: 'llama', families: ['llama'] },
  model_info: { 'general.architecture': 'llama', 'llama.context_length': 8192 },
  capabilities: ['completion', 'tools'],
};

/** What differs between dialects outside of their answers. */
export const DIALECTS: Readonly<Record<Dialect, DialectFacts>> = {
  openai: {
    model: `openai/${UPSTREAM_MODEL}`,
    basePath: '/v1',
    chatPath: '/v1/chat/completions',
    others: {},
  },
  ollama: {
    model: `ollama_chat/${UPSTREAM_MODEL}`,
    basePath: '',
    chatPath: '/api/chat',
    others: { '/api/show': [json(SHOW)] },
  },
};
