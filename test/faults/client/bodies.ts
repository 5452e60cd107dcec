import assert from 'node:assert/strict';
import { BOTH } from './client-case.ts';
import type { ClientCase, Trial } from './client-case.ts';
import { exchange } from './raw-client.ts';
import type { RawAnswer } from './raw-client.ts';
import { assertRefused, chatBody, CHAT, CLOSE, post } from './requests.ts';
import type { Refusal } from './requests.ts';

type Body = (trial: Trial) => string | Uint8Array;

type NamedBody = readonly [what: string, body: Body];

type RefusedBody = {
  readonly row: number;
  readonly fault: string;
  readonly sees: string;
  readonly body: Body;
  readonly refusal: Refusal;
  /** Lines of the head instead of the usual content type. */
  readonly headers?: readonly string[];
};

const BAD_REQUEST: Refusal = { status: 400, code: 'invalid_request' };
const WRONG_TYPE: Refusal = { status: 415, code: 'unsupported_media_type' };
const MEBIBYTE = 1024 * 1024;

function chat({ lane, mode }: Trial, more: Readonly<Record<string, unknown>> = {}): string {
  return chatBody({ model: lane.model, says: 'answer', stream: mode === 'stream', more });
}

/** The chat request with more members, as text that no serialiser would write. */
function withMembers(trial: Trial, members: string): string {
  return `${chat(trial).slice(0, -1)},${members}}`;
}

function asking(trial: Trial, model: string): string {
  return chatBody({ model, says: 'answer', stream: trial.mode === 'stream' });
}

/** Sends a body and gives the one answer; the connection is closed after it. */
async function sendBody(
  trial: Trial,
  body: string | Uint8Array,
  headers?: readonly string[],
): Promise<RawAnswer> {
  const bytes = Buffer.from(body);
  const head =
    headers === undefined
      ? post(bytes, [CLOSE])
      : Buffer.concat([
          Buffer.from(
            [
              `POST ${CHAT} HTTP/1.1`,
              'Host: localhost',
              CLOSE,
              `Content-Length: ${bytes.length}`,
              ...headers,
              '',
              '',
            ].join('\r\n'),
          ),
          bytes,
        ]);
  const [answer] = await exchange(trial.arena.url, head);
  assert.ok(answer);
  return answer;
}

/** Longest that another request may wait while a body is refused: what one body blocks, on a machine at work. */
const NEIGHBOUR_MS = 400;

/** How long requests of another client take while `work` runs, at worst, in milliseconds. */
async function slowestNeighbour(trial: Trial, work: Promise<unknown>): Promise<number> {
  let slowest = 0;
  const state = { over: false };
  const done = work.finally(() => {
    state.over = true;
  });
  while (!state.over) {
    const startedMs = performance.now();
    const response = await fetch(`${trial.arena.url}/health/liveliness`);
    await response.arrayBuffer();
    slowest = Math.max(slowest, performance.now() - startedMs);
  }
  await done;
  return slowest;
}

const BOMBS_BODIES: readonly NamedBody[] = [
  [
    'is nested a million levels deep',
    (trial) => withMembers(trial, `"metadata":${'['.repeat(1e6)}${']'.repeat(1e6)}`),
  ],
  [
    'has a million keys',
    (trial) => withMembers(trial, Array.from({ length: 1e6 }, (_, index) => `"k${index}":0`).join(',')),
  ],
  [
    'has a million keys one level down',
    (trial) =>
      withMembers(
        trial,
        `"metadata":{${Array.from({ length: 1e6 }, (_, index) => `"k${index}":0`).join(',')}}`,
      ),
  ],
  ['holds a number of 8 MiB of digits', (trial) => withMembers(trial, `"seed":${'7'.repeat(8 * MEBIBYTE)}`)],
  [
    'holds a list of 8 MiB of `0,0,0…`',
    (trial) => withMembers(trial, `"metadata":[${'0,'.repeat(4 * MEBIBYTE)}0]`),
  ],
];
const BOMBS: readonly RefusedBody[] = BOMBS_BODIES.map(([what, body]) => ({
  row: 35,
  fault: `The body ${what}.`,
  sees: '400 `invalid_request` from one pass over the bytes, before anything is built from them. Other requests go on meanwhile.',
  body,
  refusal: BAD_REQUEST,
}));

const MALFORMED_BODIES: readonly NamedBody[] = [
  ['is not JSON', () => '{"model":'],
  ['is empty', () => ''],
  ['is a list', () => '[]'],
  ['is a text', () => '"hello"'],
  ['is followed by something else', (trial) => `${chat(trial)}{}`],
  ['has a comma too many', (trial) => `${chat(trial).slice(0, -1)},}`],
  ['begins with a byte order mark', (trial) => `\u{FEFF}${chat(trial)}`],
  ['holds a line break inside a string', (trial) => withMembers(trial, '"user":"a\nb"')],
  ['holds `NaN`', (trial) => withMembers(trial, '"seed":NaN')],
  [
    'is not UTF-8',
    (trial) =>
      Buffer.concat([Buffer.from(chat(trial).slice(0, -1)), Buffer.from(',"user":"\xff\xfe"}', 'latin1')]),
  ],
  ['is UTF-16', (trial) => Buffer.from(chat(trial), 'utf16le')],
];
const MALFORMED: readonly RefusedBody[] = MALFORMED_BODIES.map(([what, body]) => ({
  row: 36,
  fault: `The body ${what}.`,
  sees: '400 `invalid_request`; the message says where.',
  body,
  refusal: BAD_REQUEST,
}));

const MISTYPED: readonly RefusedBody[] = [
  ['no content type', []],
  ['`text/plain`', ['Content-Type: text/plain']],
  ['the type of a form', ['Content-Type: application/x-www-form-urlencoded']],
  ['the type of a form with files', ['Content-Type: multipart/form-data; boundary=x']],
  ['another charset', ['Content-Type: application/json; charset=utf-16']],
  ['two types', ['Content-Type: application/json, text/plain']],
  ['a compression', ['Content-Type: application/json', 'Content-Encoding: gzip']],
].map(([what, headers]) => ({
  row: 36,
  fault: `The body is declared with ${String(what)}.`,
  sees: '415 `unsupported_media_type`. A form of a foreign web page cannot send `application/json` unasked, so this is also a guard against such pages.',
  body: (trial: Trial) => chat(trial),
  headers: headers as readonly string[],
  refusal: WRONG_TYPE,
}));

const AMBIGUOUS_BODIES: readonly NamedBody[] = [
  ['a key twice', (trial) => withMembers(trial, '"model":"other"')],
  ['a key twice, once spelt with an escape', (trial) => withMembers(trial, String.raw`"mod\u0065l":"other"`)],
];
const AMBIGUOUS: readonly RefusedBody[] = AMBIGUOUS_BODIES.map(([what, body]) => ({
  row: 37,
  fault: `The body has ${what}.`,
  sees: '400 `invalid_request`: two parsers would disagree on what was asked.',
  body,
  refusal: { ...BAD_REQUEST, param: 'model' },
}));

const NAMES: readonly RefusedBody[] = [
  ['`../../x`', '../../x'],
  ['`a/../b`', 'a/../b'],
  ['percent-encoded dots', '%2e%2e%2fx'],
  ['a NUL in it', 'a\u0000b'],
  ['a line break in it', 'a\r\nX-Injected: 1'],
  ['10 kB', 'x'.repeat(10_000)],
  ['a lone surrogate in it', 'a\uD800'],
  ['a direction mark in it', 'a\u202Eb'],
].map(([what, model]) => ({
  row: 39,
  fault: `The model’s name is or has ${what}.`,
  sees: '400 `invalid_request` naming `model`; the name is not repeated anywhere.',
  body: (trial: Trial) => asking(trial, model ?? ''),
  refusal: { ...BAD_REQUEST, param: 'model' },
}));

const HOSTS: readonly RefusedBody[] = ['api_base', 'base_url', 'api_key', 'extra_headers'].flatMap((field) =>
  [
    { at: 'in the body', param: field, more: { [field]: 'http://127.0.0.1:1' } },
    {
      at: 'in `metadata`',
      param: `metadata.${field}`,
      more: { metadata: { [field]: 'http://127.0.0.1:1' } },
    },
  ].map(({ at, param, more }) => ({
    row: 40,
    fault: `The client chooses \`${field}\` ${at}.`,
    sees: '400 `invalid_request` naming the field: hosts, keys and headers are chosen in the configuration, so no client can send the operator’s key elsewhere.',
    body: (trial: Trial) => chat(trial, more),
    refusal: { ...BAD_REQUEST, param },
  })),
);

function toCase(refused: RefusedBody): ClientCase {
  const { row, fault, sees, body, headers, refusal } = refused;
  return {
    row,
    fault,
    sees,
    side: 'client',
    modes: BOTH,
    async check(trial) {
      const before = trial.lane.upstream.requests.length;
      const bytes = body(trial);
      const sent = sendBody(trial, bytes, headers);
      const slowest = row === 35 ? await slowestNeighbour(trial, sent) : 0;
      const answer = await sent;
      assertRefused(answer, refusal);
      assert.ok(slowest < NEIGHBOUR_MS, `another client waited ${Math.round(slowest)} ms`);
      assert.equal(answer.headers['x-injected'], undefined);
      assert.equal(trial.lane.upstream.requests.length, before, 'no upstream heard of it');
    },
  };
}

/** Rows 35 to 40, as far as they are refused. */
export const REFUSED_BODIES: readonly ClientCase[] = [
  ...BOMBS,
  ...MALFORMED,
  ...MISTYPED,
  ...AMBIGUOUS,
  ...NAMES,
  ...HOSTS,
].map(toCase);
