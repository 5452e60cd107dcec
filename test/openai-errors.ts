/** A gateway in front of upstreams that fail in every way, for tests of the official openai client. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import type { APIError } from 'openai';
import { ERROR_KINDS } from '../src/shared/errors.ts';
import type { ErrorCode } from '../src/shared/errors.ts';
import { freePort } from './ports.ts';
import { startProgram } from './program.ts';
import type { Program } from './program.ts';
import { answer, chunk, chunkedHead, head, json, ollama, openAi } from './upstream-scripts.ts';
import { reset, send, stall, startUpstream } from './upstream.ts';
import type { Script, Step, TestUpstream } from './upstream.ts';

const KEY = 'sk-master-0123456789abcdef';
/** What every case asks. */
export const MESSAGES: { role: 'user'; content: string }[] = [{ role: 'user', content: 'Hi' }];

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

const cloud: Script = (request, index) => {
  const model = modelOf(request);
  const end = BAD_ENDS[model];
  if (end !== undefined)
    return [send(chunkedHead('text/event-stream') + chunk(event('Hello'))), ...end.openai];
  const whole = openAi();
  return FAULTS[model] ?? whole(request, index);
};

const local: Script = (request, index) => {
  const end = request.path === '/api/chat' ? BAD_ENDS[modelOf(request)] : undefined;
  if (end !== undefined)
    return [send(chunkedHead('application/x-ndjson') + chunk(record('Hello'))), ...end.ollama];
  const whole = ollama(Object.keys(BAD_ENDS).map((name) => ({ name: `${name}:latest` })));
  return whole(request, index);
};

/** A class of the client's errors. */
export type ErrorClass = new (...given: never[]) => APIError;

/** What a promise is rejected with. */
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

/** The running gateway. */
export type FailingSetting = AsyncDisposable & {
  readonly program: Program;
  /** An OpenAI-compatible server and an Ollama. */
  readonly upstreams: readonly [TestUpstream, TestUpstream];
  /** The official client, which retries once unless told otherwise. */
  client(options?: ConstructorParameters<typeof OpenAI>[0]): OpenAI;
  /** Requests that have reached the gateway. */
  requests(): Promise<number>;
};

/** Starts upstreams and gateway; every fault is a model of its own. */
export async function openFailingSetting(): Promise<FailingSetting> {
  const folder = await mkdtemp(join(tmpdir(), 'obelisk-errors-'));
  const upstreams = [await startUpstream(cloud), await startUpstream(local)] as const;
  const port = await freePort();
  await writeFile(join(folder, 'obelisk.yaml'), configOf(port, upstreams));
  const program = await startProgram({ args: ['serve'], cwd: folder });
  return {
    program,
    upstreams,
    client: (options) =>
      new OpenAI({ baseURL: `${program.url}/v1`, apiKey: KEY, maxRetries: 1, timeout: 20_000, ...options }),
    async requests() {
      const response = await fetch(`${program.url}/metrics`, { headers: { 'x-api-key': KEY } });
      return sampleSum(await response.text());
    },
    async [Symbol.asyncDispose]() {
      await program.stop();
      for (const upstream of upstreams) await upstream.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configOf(port: number, [openAiServer, ollamaServer]: FailingSetting['upstreams']): string {
  const waits = { timeout: 0.4, stream_timeout: 0.4 };
  const passed = [...Object.keys(FAULTS), ...Object.keys(BAD_ENDS), 'fine'].map((name) => ({
    model_name: name,
    litellm_params: {
      model: `openai/${name}`,
      api_base: `${openAiServer.origin}/v1`,
      api_key: 'sk-up',
      ...(name in BAD_ENDS ? {} : waits),
    },
  }));
  const translated = Object.keys(BAD_ENDS).map((name) => ({
    model_name: `local-${name}`,
    litellm_params: { model: `ollama_chat/${name}`, api_base: ollamaServer.origin },
  }));
  const others = [
    { model_name: 'nowhere', litellm_params: { model: 'openai/x', api_base: 'http://127.0.0.1:1/v1' } },
    {
      model_name: 'myself',
      litellm_params: { model: 'openai/myself', api_base: `http://127.0.0.1:${port}/v1`, api_key: KEY },
    },
  ];
  return JSON.stringify({
    vaults: [],
    general_settings: { master_key: KEY },
    server: { port, timeouts: { body: 1 } },
    model_list: [...passed, ...translated, ...others],
  });
}
