/** The real program in front of upstreams where things go wrong, and what the openai client makes of it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import type { APIError } from 'openai';
import { ERROR_KINDS } from '../src/shared/errors.ts';
import type { ErrorCode } from '../src/shared/errors.ts';
import { startProgram } from './program.ts';
import type { Program } from './program.ts';
import { answer, chunk, chunkedHead, head, json, ollama, openAi } from './upstream-scripts.ts';
import { reset, send, stall, startUpstream } from './upstream.ts';
import type { Script, Step, TestUpstream } from './upstream.ts';

const KEY = 'sk-master-0123456789abcdef';

/** What the tests ask. */
export const MESSAGES: { readonly role: 'user'; readonly content: string }[] = [
  { role: 'user', content: 'Hi' },
];

/** What an OpenAI-compatible upstream does for a model of that name; anything else is answered. */
const FAULTS: Readonly<Record<string, readonly Step[]>> = {
  'too-long': [
    json({ error: { message: 'too many tokens', code: 'context_length_exceeded', param: 'messages' } }, 400),
  ],
  busy: [
    send(head(429, { 'content-type': 'application/json', 'retry-after': 1, 'content-length': 2 }) + '{}'),
  ],
  broken: [json({ error: { message: 'something broke' } }, 500)],
  'a-page': [answer(200, 'text/html', '<h1>Welcome</h1>')],
  'no-key': [json({ error: { message: 'who are you' } }, 401)],
  silent: [stall],
};

const record = (content: string): string =>
  `${JSON.stringify({ model: 'x', message: { role: 'assistant', content }, done: false })}\n`;
const event = (content: string): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;

/** Streams that begin well and end badly, as an OpenAI-compatible server and as an Ollama. */
const BAD_ENDS: Readonly<
  Record<string, { readonly openai: readonly Step[]; readonly ollama: readonly Step[] }>
> = {
  'cut-off': { openai: [reset], ollama: [reset] },
  unfinished: { openai: [send('0\r\n\r\n')], ollama: [send('0\r\n\r\n')] },
  'says-error': {
    openai: [send(chunk('data: {"error":{"message":"out of memory","type":"server_error"}}\n\n')), stall],
    ollama: [send(chunk('{"error":"out of memory"}\n')), stall],
  },
  endless: { openai: [stall], ollama: [stall] },
};

const modelOf = (request: { json(): unknown }): string =>
  String((request.json() as { model?: unknown }).model).replace(/:latest$/, '');

const cloudScript: Script = (request, index) => {
  const model = modelOf(request);
  const end = BAD_ENDS[model];
  if (end !== undefined)
    return [send(chunkedHead('text/event-stream') + chunk(event('Hello'))), ...end.openai];
  const whole = openAi();
  return FAULTS[model] ?? (typeof whole === 'function' ? whole(request, index) : whole);
};

const localScript: Script = (request, index) => {
  const end = request.path === '/api/chat' ? BAD_ENDS[modelOf(request)] : undefined;
  if (end !== undefined)
    return [send(chunkedHead('application/x-ndjson') + chunk(record('Hello'))), ...end.ollama];
  const whole = ollama(Object.keys(BAD_ENDS).map((name) => ({ name: `${name}:latest` })));
  return typeof whole === 'function' ? whole(request, index) : whole;
};

/** A class of errors that the openai client throws. */
export type ErrorClass = new (...given: never[]) => APIError;

/** Something that is asked with a client. */
export type Ask = (client: OpenAI) => Promise<unknown>;

/** Asks a model for a whole answer. */
export function chat(model: string): Ask {
  return (client) => client.chat.completions.create({ model, messages: MESSAGES });
}

/** A port at which nobody listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A listening TCP server has an address of this form.
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** What a promise fails with; it must fail. */
export async function caught(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail('nothing was thrown');
}

/** Asserts everything that users read off an error. */
export function assertError(
  error: unknown,
  expected: { code: ErrorCode; thrown: ErrorClass; param?: string },
): void {
  assert.ok(error instanceof expected.thrown, String(error));
  const { status, type } = ERROR_KINDS[expected.code];
  assert.equal(error.status, status);
  assert.equal(error.code, expected.code);
  assert.equal(error.type, type);
  assert.equal(error.param ?? null, expected.param ?? null);
  assert.match(error.requestID ?? '', /^req_/);
  assert.match(error.message, new RegExp(`^${status} .{10,}`), 'the message says something');
}

function sampleSum(metrics: string): number {
  return [...metrics.matchAll(/^obelisk_requests_total\{route="([^"]*)".*\} (\d+)$/gm)]
    .filter(([, route]) => route !== '/metrics')
    .reduce((sum, [, , count]) => sum + Number(count), 0);
}

/** A running program whose upstreams fail in the way that the name of the model says. */
export type FailingGateway = {
  readonly program: Program;
  /** The OpenAI-compatible server, which has models by their name. */
  readonly cloud: TestUpstream;
  /** The Ollama, whose models have `local-` before their name. */
  readonly local: TestUpstream;
  client(options?: ConstructorParameters<typeof OpenAI>[0]): OpenAI;
  /** Requests that the gateway has ended. */
  requests(): Promise<number>;
  close(): Promise<void>;
};

/** Starts the upstreams and the program. */
export async function startFailingGateway(): Promise<FailingGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'obelisk-errors-'));
  const cloud = await startUpstream(cloudScript);
  const local = await startUpstream(localScript);
  const config = configuration({ cloudUrl: cloud.origin, localUrl: local.origin, port: await freePort() });
  await writeFile(join(folder, 'obelisk.yaml'), JSON.stringify(config));
  const program = await startProgram({ args: ['serve'], cwd: folder });
  return {
    program,
    cloud,
    local,
    client: (options = {}) =>
      new OpenAI({ baseURL: `${program.url}/v1`, apiKey: KEY, maxRetries: 1, timeout: 20_000, ...options }),
    async requests() {
      const response = await fetch(`${program.url}/metrics`, { headers: { 'x-api-key': KEY } });
      return sampleSum(await response.text());
    },
    async close() {
      await program.stop();
      await cloud.close();
      await local.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configuration(at: {
  readonly cloudUrl: string;
  readonly localUrl: string;
  readonly port: number;
}): unknown {
  const passed = [...Object.keys(FAULTS), ...Object.keys(BAD_ENDS), 'fine'].map((name) => ({
    model_name: name,
    litellm_params: {
      model: `openai/${name}`,
      api_base: `${at.cloudUrl}/v1`,
      api_key: 'sk-up',
      timeout: 0.4,
      stream_timeout: 0.4,
    },
  }));
  const translated = Object.keys(BAD_ENDS).map((name) => ({
    model_name: `local-${name}`,
    litellm_params: { model: `ollama_chat/${name}`, api_base: at.localUrl },
  }));
  const own = `http://127.0.0.1:${at.port}/v1`;
  const others = [
    { model_name: 'nowhere', litellm_params: { model: 'openai/x', api_base: 'http://127.0.0.1:1/v1' } },
    { model_name: 'myself', litellm_params: { model: 'openai/myself', api_base: own, api_key: KEY } },
  ];
  return {
    vaults: [],
    general_settings: { master_key: KEY },
    server: { port: at.port, timeouts: { body: 1 } },
    model_list: [...passed, ...translated, ...others],
  };
}
