import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERROR_KINDS } from '../../shared/errors.ts';
import { toErrorBody } from './error-body.ts';
import { toReportedError } from './from-event.ts';
import { parseRetryAfter, toStreamedError, toUpstreamError } from './upstream-error.ts';

const NOW_MS = Date.parse('2030-01-01T00:00:00Z');
const upstream = 'u (http://h/v1)';
const redact = (text: string): string => text;

test('a wait is between a second and an hour, whatever was sent', () => {
  const rows: readonly [string | undefined, number | undefined][] = [
    ['7', 7],
    ['0', 1],
    ['Tue, 01 Jan 2030 00:00:30 GMT', 30],
    ['Mon, 31 Dec 2029 00:00:00 GMT', undefined],
    ['-5', undefined],
    ['315360000', 3_600],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ];
  for (const [sent, expected] of rows) assert.equal(parseRetryAfter(sent, NOW_MS), expected, sent);
});

test('another Obelisk’s word is kept where it stays true here', () => {
  for (const code of ['loop_detected', 'context_length_exceeded', 'model_unavailable']) {
    const body = JSON.stringify({ error: { message: 'as said', code } });
    assert.equal(toUpstreamError({ status: 500, body, redact, upstream }, NOW_MS).code, code);
  }
  const body = JSON.stringify({ error: { message: 'x', code: 'forbidden' } });
  assert.equal(toUpstreamError({ status: 500, body, redact, upstream }, NOW_MS).code, 'upstream_error');
});

test('OpenAI’s own code for a prompt that is too long is understood', () => {
  const body = JSON.stringify({
    error: { message: 'maximum context', code: 'context_length_exceeded', param: 'messages' },
  });
  const error = toUpstreamError({ status: 400, body, redact, upstream }, NOW_MS);
  assert.equal(error.code, 'context_length_exceeded');
  assert.equal(error.param, 'messages');
});

const refusal = (status: number, body: unknown): ReturnType<typeof toUpstreamError> =>
  toUpstreamError(
    { status, body: typeof body === 'string' ? body : JSON.stringify(body), redact, upstream },
    NOW_MS,
  );

test('servers that put their words elsewhere than OpenAI are quoted, and of a validator only place and fault', () => {
  const rows: readonly (readonly [unknown, string])[] = [
    [
      { object: 'error', message: 'maximum context length is 4096', code: 400 },
      'maximum context length is 4096',
    ],
    [{ detail: 'Not here' }, 'Not here'],
    [{ detail: [{ loc: ['body', 'n'], msg: 'must be int', input: 'a prompt' }] }, 'body.n: must be int'],
    [{ message: { detail: [{ loc: ['body', 0], msg: 'a' }, { msg: 'b' }] } }, 'body.0: a; b'],
  ];
  for (const [body, said] of rows) assert.equal(refusal(422, body).message, said);
  assert.equal(refusal(400, { message: 'no', param: 'n' }).param, 'n');
  for (const body of [{ detail: [] }, { message: 7 }, { detail: [[[[['deep']]]]] }, 'plain', '[]', 'null'])
    assert.equal(refusal(400, body).message, `${upstream} answered 400 without an error message`);
});

test('local servers, which have no code for it, are understood when a prompt is too long', () => {
  for (const message of [
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
    'request (600 tokens) exceeds the available context size (256 tokens), try increasing it',
    'the request exceeds the available context size. try increasing the context size or enable context shift',
  ]) {
    const error = refusal(400, { error: { code: 400, message, type: 'exceed_context_size_error' } });
    assert.equal(error.code, 'context_length_exceeded', message);
    assert.equal(error.message, message);
    assert.equal(refusal(500, { error: { message } }).code, 'upstream_error');
  }
  assert.equal(refusal(400, { error: { message: 'the context is not a list' } }).code, 'invalid_request');
});

test('only what is wrong with the request is told as if it were our own word', () => {
  const said = { error: { message: 'Insufficient credits' } };
  for (const status of [400, 422]) assert.equal(refusal(status, said).message, 'Insufficient credits');
  for (const status of [402, 405, 409, 410])
    assert.equal(refusal(status, said).message, `${upstream} answered ${status}: Insufficient credits`);
});

test('an upstream’s own code is kept where ours says no more than whose fault it is', () => {
  const told = (status: number, code: unknown): string | undefined =>
    refusal(status, { error: { message: 'no', code } }).upstreamCode;
  for (const code of [
    'content_filter',
    'insufficient_quota',
    'DeploymentNotFound',
    '1500',
    'a.b-c',
    'x'.repeat(64),
  ])
    for (const status of [400, 402, 422, 429]) assert.equal(told(status, code), code);
  const strange = ['', 'x'.repeat(65), 'two words', 'é', 'a\nb', '[secret]', '<b>', 400, null, ['a'], {}];
  for (const code of [...strange, ...Object.keys(ERROR_KINDS)])
    for (const status of [400, 429]) assert.equal(told(status, code), undefined, JSON.stringify(code));
  for (const status of [401, 403, 404, 408, 409, 413, 500, 503, 504])
    assert.equal(told(status, 'content_filter'), undefined, String(status));
  assert.equal(refusal(400, { object: 'error', message: 'no', code: '1500' }).upstreamCode, '1500');
});

test('a code is written as the upstream’s word, while ours is what it is judged by', () => {
  const error = refusal(429, { error: { message: 'no', code: 'insufficient_quota' } });
  assert.equal(error.code, 'rate_limited');
  const { code, type } = JSON.parse(toErrorBody(error)).error;
  assert.deepEqual([code, type], ['insufficient_quota', 'rate_limit_error']);
});

test('what our own gateway said is read back as what it was', () => {
  for (const [status, word] of [
    [400, 'content_filter'],
    [429, 'insufficient_quota'],
    [429, null],
  ] as const) {
    const error = refusal(status, { error: { message: 'no', param: 'n', code: word } });
    const read = toReportedError(JSON.parse(toErrorBody(error)));
    assert.deepEqual([read?.code, read?.upstreamCode, read?.param], [error.code, word ?? undefined, 'n']);
  }
  const strange = { message: 'no', type: 'server_error', code: 'content_filter' };
  const read = toReportedError({ error: strange });
  assert.deepEqual([read?.code, read?.upstreamCode], ['upstream_error', undefined]);
});

test('a 404 tells what to look at, whoever sent it', () => {
  for (const body of [{ error: { message: 'no such model' } }, { detail: 'Not Found' }, '<h1>404</h1>']) {
    const { code, message } = refusal(404, body);
    assert.equal(code, 'model_not_found');
    assert.match(message, /answered 404.*; check the model of that deployment and its api_base/);
  }
});

test('a conflict, which clients ask again after, is no fault of the request', () => {
  assert.equal(refusal(409, { error: { message: 'busy' } }).code, 'upstream_error');
});

test('a long message is cut', () => {
  const body = JSON.stringify({ error: 'x'.repeat(100_000) });
  assert.ok(toUpstreamError({ status: 500, body, redact, upstream }, NOW_MS).message.length < 3_000);
  assert.ok(toStreamedError({ message: 'x'.repeat(100_000) }, { upstream, redact }).message.length < 3_000);
});
