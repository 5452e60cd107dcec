import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI, { APIError, BadRequestError, RateLimitError, UnprocessableEntityError } from 'openai';
import { dataOf, deployment, askSocket, startGateway, startUpstream } from '../../test/gateway.ts';
import type { TestGateway, TestUpstream } from '../../test/gateway.ts';
import { createInProcessClient } from './in-process-chat.ts';
import { isObeliskError } from '../shared/errors.ts';
import { Secret } from '../shared/secret.ts';

const KEY = 'sk-upstream-0123456789';
const messages = [{ role: 'user' as const, content: 'Hi' }];

/** An upstream that refuses everything so. */
const refusing = (status: number, error: object): Promise<TestUpstream> =>
  startUpstream((response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
  });

/** A gateway in front of it. */
const before = ({ baseUrl }: { readonly baseUrl: string }): Promise<TestGateway> =>
  startGateway([deployment({ baseUrl, apiKey: new Secret(KEY) })]);

/** What the official client throws, whole or streaming. */
async function thrownBy({ origin }: TestGateway, stream: boolean): Promise<APIError> {
  const openai = new OpenAI({ apiKey: 'any', baseURL: `${origin}/v1`, maxRetries: 0 });
  try {
    await openai.chat.completions.create({ model: 'test-model', messages, stream });
  } catch (error) {
    assert.ok(error instanceof APIError);
    return error;
  }
  return assert.fail('nothing was thrown');
}

const QUOTA = {
  message: 'You exceeded your current quota',
  type: 'insufficient_quota',
  param: null,
  code: 'insufficient_quota',
};
const FILTERED = { message: 'Filtered', type: null, param: 'prompt', code: 'content_filter' };

type Refusal = {
  readonly status: number;
  readonly error: object;
  readonly thrown: new (...given: never[]) => APIError;
  readonly code: string;
  readonly type: string;
  readonly outcome: string;
  readonly told?: number;
};

const REQUEST = { type: 'invalid_request_error', outcome: 'error:invalid_request' };
const LIMIT = {
  status: 429,
  thrown: RateLimitError,
  type: 'rate_limit_error',
  outcome: 'error:rate_limited',
};

const REFUSALS: readonly Refusal[] = [
  { ...REQUEST, status: 400, error: FILTERED, thrown: BadRequestError, code: 'content_filter' },
  { ...LIMIT, error: QUOTA, code: 'insufficient_quota' },
  {
    ...REQUEST,
    status: 422,
    error: { message: 'n' },
    thrown: UnprocessableEntityError,
    code: 'invalid_request',
  },
  {
    ...REQUEST,
    status: 402,
    error: { message: 'pay', code: 'no_credit' },
    thrown: APIError,
    code: 'no_credit',
  },
  {
    ...REQUEST,
    status: 405,
    error: { message: 'n' },
    thrown: BadRequestError,
    code: 'invalid_request',
    told: 400,
  },
  {
    ...REQUEST,
    status: 400,
    error: { message: 'n', code: 'overloaded' },
    thrown: BadRequestError,
    code: 'invalid_request',
  },
  { ...LIMIT, error: { message: 'n', code: 'invalid_api_key' }, code: 'rate_limited' },
  { ...LIMIT, error: { message: 'n', code: KEY }, code: 'rate_limited' },
];

test('the openai client is told the upstream’s own word for what is wrong with a request or a quota', async () => {
  for (const { status, error, thrown, code, type, outcome, told = status } of REFUSALS) {
    await using upstream = await refusing(status, error);
    for (const stream of [false, true]) {
      await using gateway = await before(upstream);
      const seen = await thrownBy(gateway, stream);
      assert.ok(seen instanceof thrown, String(seen));
      assert.deepEqual([seen.status, seen.code, seen.type], [told, code, type]);
      assert.deepEqual(gateway.outcomes(), [outcome], 'log and metrics keep to our own codes');
      assert.match(gateway.metrics(), new RegExp(`outcome="${outcome.slice('error:'.length)}"`));
    }
  }
});

test('a key is in no part of what the client is told, however the upstream writes it', async () => {
  for (const written of [KEY, KEY.replaceAll('-', '\\u002d')]) {
    for (const text of [
      `{"error":{"message":"no ${written}","param":"${written}","code":"${written}"}}`,
      `{"error":{"message":"no ${written}","code":"bad.${written}"}}`,
      `{"detail":[{"loc":["${written}"],"msg":"no ${written}"}],"code":"${written}"}`,
    ]) {
      await using upstream = await startUpstream((response) => {
        response.writeHead(400, { 'content-type': 'application/json' }).end(text);
      });
      await using gateway = await before(upstream);
      const { message, param, code } = await thrownBy(gateway, false);
      assert.match(message, /no \[secret\]/);
      for (const told of [message, param]) assert.doesNotMatch(told ?? '', /sk-upstream/);
      assert.equal(code, 'invalid_request');
      assert.doesNotMatch(JSON.stringify(gateway.log), /sk-upstream/);
    }
  }
});

test('the word goes through one Obelisk in front of another, and through our own code', async () => {
  for (const [status, error] of [
    [422, FILTERED],
    [429, QUOTA],
  ] as const) {
    await using upstream = await refusing(status, error);
    await using inner = await before(upstream);
    await using outer = await startGateway(
      [deployment({ baseUrl: `${inner.origin}/v1`, model: 'test-model' })],
      {
        instanceId: 'another',
      },
    );
    const seen = await thrownBy(outer, true);
    assert.deepEqual([seen.status, seen.code], [status, error.code]);

    await using direct = await before(upstream);
    const request = {
      model: 'test-model',
      messages: [{ role: 'user' as const, text: 'Hi' }],
      stream: true,
      includeUsage: true,
      options: {},
    };
    const { signal } = new AbortController();
    await assert.rejects(
      async () => {
        for await (const event of createInProcessClient(direct.handler).chat(request, { signal }))
          assert.fail(event.type);
      },
      (thrown: unknown) => {
        assert.ok(isObeliskError(thrown));
        assert.equal(thrown.code, status === 429 ? 'rate_limited' : 'invalid_request');
        assert.deepEqual([thrown.status, thrown.upstreamCode], [status, error.code]);
        return true;
      },
    );
  }
});

test('in a stream that has shown signs of life the word comes as an error frame', async () => {
  await using upstream = await startUpstream((response) => {
    setTimeout(() => {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: FILTERED }));
    }, 60);
  });
  await using gateway = await startGateway([deployment({ baseUrl: upstream.baseUrl })], {
    heartbeat: { firstMs: 10, everyMs: 10 },
  });
  const answer = await askSocket(gateway, {
    path: '/v1/chat/completions',
    body: { model: 'test-model', messages, stream: true },
  });
  assert.equal(answer.status, 200);
  const { code, param } = JSON.parse(dataOf(answer.text)[0] ?? '').error;
  assert.deepEqual([code, param], ['content_filter', 'prompt']);
});
