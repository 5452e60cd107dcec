import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRetryAfter, toStreamedError, toUpstreamError } from './upstream-error.ts';

const NOW_MS = Date.parse('2030-01-01T00:00:00Z');
const upstream = 'u (http://h/v1)';

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
    assert.equal(toUpstreamError({ status: 500, body, upstream }, NOW_MS).code, code);
  }
  const body = JSON.stringify({ error: { message: 'x', code: 'forbidden' } });
  assert.equal(toUpstreamError({ status: 500, body, upstream }, NOW_MS).code, 'upstream_error');
});

test('OpenAI’s own code for a prompt that is too long is understood', () => {
  const body = JSON.stringify({
    error: { message: 'maximum context', code: 'context_length_exceeded', param: 'messages' },
  });
  const error = toUpstreamError({ status: 400, body, upstream }, NOW_MS);
  assert.equal(error.code, 'context_length_exceeded');
  assert.equal(error.param, 'messages');
});

test('a long message is cut', () => {
  const body = JSON.stringify({ error: 'x'.repeat(100_000) });
  assert.ok(toUpstreamError({ status: 500, body, upstream }, NOW_MS).message.length < 3_000);
  assert.ok(toStreamedError({ message: 'x'.repeat(100_000) }, upstream).message.length < 3_000);
});
