import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObeliskError } from './errors.ts';

test('an error with more details keeps all it had, and remembers what it was', () => {
  const first = new ObeliskError('rate_limited', 'slow down', {
    param: 'model',
    upstreamStatus: 429,
    upstreamCode: 'insufficient_quota',
  });
  const { code, message, param, retryAfter, upstreamStatus, upstreamCode, cause } = first.with({
    retryAfter: 7,
  });
  assert.deepEqual(
    { code, message, param, retryAfter, upstreamStatus, upstreamCode },
    {
      code: 'rate_limited',
      message: 'slow down',
      param: 'model',
      retryAfter: 7,
      upstreamStatus: 429,
      upstreamCode: 'insufficient_quota',
    },
  );
  assert.equal(cause, first);
});

test('a request that an upstream refuses with 402 or 422 is refused so, and nothing else', () => {
  const statusOf = (...[code, upstreamStatus]: readonly [ObeliskError['code'], number]): number =>
    new ObeliskError(code, 'no', { upstreamStatus }).status;
  assert.deepEqual(
    [400, 402, 405, 410, 422, 451, 200].map((status) => statusOf('invalid_request', status)),
    [400, 402, 400, 400, 422, 400, 400],
  );
  assert.equal(statusOf('context_length_exceeded', 422), 400);
  assert.equal(statusOf('upstream_error', 422), 502);
  assert.equal(new ObeliskError('invalid_request', 'no').status, 400);
});
