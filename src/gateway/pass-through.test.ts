import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import {
  askSocket,
  dataOf,
  deployment,
  startGateway,
  startUpstream,
  TRANSPORTS,
} from '../../test/gateway.ts';
import type { Answer, TestGateway } from '../../test/gateway.ts';
import { Secret } from '../shared/secret.ts';

const CHAT = '/v1/chat/completions';
const body = (stream: boolean): object => ({
  model: 'test-model',
  messages: [{ role: 'user', content: 'Hi' }],
  stream,
});
const chunk = (content: string, finish: string | null = null): string =>
  JSON.stringify({ id: 'x', choices: [{ index: 0, delta: { content }, finish_reason: finish }] });
const event = (data: string): string => `data: ${data}\n\n`;
const startEvents = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
};

type Fault = {
  readonly name: string;
  readonly stream: boolean;
  readonly script: (response: ServerResponse) => void;
  readonly check: (answer: Answer, gateway: TestGateway) => void;
};

const errorOf = (answer: Answer): Record<string, unknown> => JSON.parse(answer.text).error;
const fails =
  (status: number, code: string, message: RegExp) =>
  (answer: Answer, gateway: TestGateway): void => {
    assert.equal(answer.status, status, answer.text);
    const error = errorOf(answer);
    assert.equal(error['code'], code);
    assert.match(String(error['message']), message);
    assert.deepEqual(gateway.outcomes(), [`error:${code}`]);
  };
const failsInStream =
  (code: string, before: readonly string[]) =>
  (answer: Answer, gateway: TestGateway): void => {
    assert.equal(answer.status, 200);
    const data = dataOf(answer.text);
    assert.deepEqual(data.slice(0, before.length), before);
    assert.equal(JSON.parse(data[before.length] ?? '').error.code, code);
    assert.deepEqual(data.slice(before.length + 1), ['[DONE]']);
    assert.deepEqual(gateway.outcomes(), [`error:${code}`]);
  };
const status =
  (code: number, text: string, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(text);
  };
const anError = (message: string): string =>
  JSON.stringify({ error: { message, type: 't', param: 'p', code: null } });

const STATUS_FAULTS: readonly Omit<Fault, 'stream'>[] = [
  {
    name: '400 stays 400 in the upstream’s words',
    script: status(400, anError('bad top_k')),
    check: fails(400, 'invalid_request', /^bad top_k$/),
  },
  {
    name: '422 stays 422',
    script: status(422, anError('no')),
    check: fails(422, 'invalid_request', /^no$/),
  },
  {
    name: '401 is our fault, and the body, which may hold the key, is not quoted',
    script: status(401, anError('Incorrect API key provided: sk-canary')),
    check: (answer, gateway) => {
      fails(502, 'upstream_auth', /refused the key/)(answer, gateway);
      assert.doesNotMatch(answer.text, /canary/);
      assert.equal(answer.headers['x-should-retry'], 'false');
    },
  },
  {
    name: '404 stays 404',
    script: status(404, anError('no such model')),
    check: fails(404, 'model_not_found', /no such model/),
  },
  {
    name: '429 stays 429 with its wait',
    script: status(429, anError('slow down'), { 'retry-after': '7' }),
    check: (answer, gateway) => {
      fails(429, 'rate_limited', /slow down/)(answer, gateway);
      assert.equal(answer.headers['retry-after'], '7');
    },
  },
  {
    name: '500 becomes 502',
    script: status(500, anError('boom')),
    check: fails(502, 'upstream_error', /answered 500: boom/),
  },
  {
    name: 'an HTML error page is not quoted',
    script: status(503, '<html>secret page</html>'),
    check: fails(502, 'upstream_error', /answered 503 without/),
  },
  {
    name: '200 with an error is an error',
    script: status(200, '{"error":"model exploded"}'),
    check: fails(502, 'upstream_error', /model exploded/),
  },
  {
    name: '200 with a web page is invalid',
    script: status(200, '<html>hotel login</html>', { 'content-type': 'text/html' }),
    check: fails(502, 'upstream_invalid', /check that its api_base/),
  },
  {
    name: 'a reset before the head is unreachable',
    script: (response) => response.destroy(),
    check: fails(502, 'upstream_unreachable', /127\.0\.0\.1/),
  },
];

const STREAM_FAULTS: readonly Fault[] = [
  {
    name: 'a clean end without finish_reason is an error',
    stream: true,
    script: (response) => {
      startEvents(response);
      response.end(event(chunk('Hel')));
    },
    check: failsInStream('upstream_invalid', [chunk('Hel')]),
  },
  {
    name: 'a reset in the middle of an event loses that event only',
    stream: true,
    script: (response) => {
      startEvents(response);
      response.write(event(chunk('Hel')));
      response.write('data: {"id":"x","choi', () => setTimeout(() => response.destroy(), 20));
    },
    check: failsInStream('upstream_unreachable', [chunk('Hel')]),
  },
  {
    name: 'an error in the middle passes and is counted as one',
    stream: true,
    script: (response) => {
      startEvents(response);
      response.end(event(chunk('Hel')) + event('{"error":{"message":"out of memory"}}'));
    },
    check: (answer, gateway) => {
      assert.deepEqual(dataOf(answer.text), [
        chunk('Hel'),
        '{"error":{"message":"out of memory"}}',
        '[DONE]',
      ]);
      assert.deepEqual(gateway.outcomes(), ['error:upstream_error']);
    },
  },
  {
    name: 'an error without its blank line passes too',
    stream: true,
    script: (response) => {
      startEvents(response);
      response.end(`${event(chunk('Hel'))}data: {"error":"out of memory"}`);
    },
    check: (answer, gateway) => {
      assert.deepEqual(dataOf(answer.text), [chunk('Hel'), '{"error":"out of memory"}', '[DONE]']);
      assert.deepEqual(gateway.outcomes(), ['error:upstream_error']);
    },
  },
  {
    name: 'an error alone without its blank line gets a status of its own',
    stream: true,
    script: (response) => {
      startEvents(response);
      response.end('data: {"error":"no memory"}');
    },
    check: fails(502, 'upstream_error', /no memory/),
  },
  {
    name: 'an error as the first event gets a status of its own',
    stream: true,
    script: (response) => {
      startEvents(response);
      response.end(event('{"error":{"message":"no memory"}}'));
    },
    check: fails(502, 'upstream_error', /no memory/),
  },
  {
    name: 'a body that is no stream is an error',
    stream: true,
    script: status(200, '{"choices":[{"message":{"content":"Hi"}}]}'),
    check: fails(502, 'upstream_invalid', /did not stream/),
  },
  {
    name: 'a missing [DONE] is added',
    stream: true,
    script: (response) => {
      startEvents(response);
      response.end(event(chunk('Hello', 'stop')));
    },
    check: (answer, gateway) => {
      assert.deepEqual(dataOf(answer.text), [chunk('Hello', 'stop'), '[DONE]']);
      assert.deepEqual(gateway.outcomes(), ['ok']);
    },
  },
  {
    name: 'a last event without its blank line counts',
    stream: true,
    script: (response) => {
      startEvents(response);
      response.end(`${event(chunk('Hel'))}data: ${chunk('lo', 'stop')}`);
    },
    check: (answer) => assert.deepEqual(dataOf(answer.text), [chunk('Hel'), chunk('lo', 'stop'), '[DONE]']),
  },
  {
    name: 'a JSON answer cut short is an error',
    stream: false,
    script: (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' });
      response.write('{"choices":[{"message":{"content":"Hel', () =>
        setTimeout(() => response.destroy(), 20),
      );
    },
    check: fails(502, 'upstream_unreachable', /middle of its answer/),
  },
];

for (const { name, ask } of TRANSPORTS) {
  for (const fault of [
    ...STATUS_FAULTS.flatMap((row) => [
      { ...row, stream: false },
      { ...row, stream: true },
    ]),
    ...STREAM_FAULTS,
  ]) {
    test(`${fault.name}, ${fault.stream ? 'streaming' : 'whole'}, ${name}`, async () => {
      await using upstream = await startUpstream(fault.script);
      await using gateway = await startGateway([deployment({ baseUrl: upstream.baseUrl })]);
      fault.check(await ask(gateway, { path: CHAT, body: body(fault.stream) }), gateway);
    });
  }
}

test('an upstream that is not there is named', async () => {
  await using gateway = await startGateway([deployment({ baseUrl: 'http://127.0.0.1:1/v1' })]);
  const answer = await askSocket(gateway, { path: CHAT, body: body(true) });
  fails(502, 'upstream_unreachable', /127\.0\.0\.1:1.*ECONNREFUSED/)(answer, gateway);
});

test('usage spread over many small reads is still taken out and counted', async () => {
  const usage = { prompt_tokens: 5, completion_tokens: 6, total_tokens: 11 };
  const text = event(chunk('é', 'stop')) + event(JSON.stringify({ choices: [], usage })) + event('[DONE]');
  await using upstream = await startUpstream((response) => {
    startEvents(response);
    const bytes = Buffer.from(text);
    let at = 0;
    const next = (): void => {
      if (at >= bytes.length) response.end();
      else response.write(bytes.subarray(at, (at += 7)), () => setImmediate(next));
    };
    next();
  });
  await using gateway = await startGateway([deployment({ baseUrl: upstream.baseUrl })]);
  const answer = await askSocket(gateway, { path: CHAT, body: body(true) });
  assert.deepEqual(dataOf(answer.text), [chunk('é', 'stop'), '[DONE]']);
  assert.match(gateway.metrics(), /obelisk_tokens_total\{model="test-model",kind="completion"\} 6\n/);
});

test('what an upstream says never carries its key to a client, nor an answer to the log', async () => {
  const key = 'sk-upstream-0123456789';
  const said = JSON.stringify({ error: { message: `bad request with ${key}`, type: 'x', code: 'y' } });
  const scripts: ((response: ServerResponse) => void)[] = [
    (response) => response.writeHead(400, { 'content-type': 'application/json' }).end(said),
    (response) => response.writeHead(200, { 'content-type': 'application/json' }).end(said),
    (response) => response.writeHead(200, { 'content-type': 'text/plain' }).end(`a spoken answer ${key}`),
  ];
  for (const script of scripts) {
    await using upstream = await startUpstream(script);
    const at = deployment({ baseUrl: upstream.baseUrl, apiKey: new Secret(key) });
    await using gateway = await startGateway([at]);
    for (const stream of [false, true]) {
      const answer = await askSocket(gateway, { path: CHAT, body: body(stream) });
      assert.ok(answer.status >= 400);
      assert.doesNotMatch(answer.text, /0123456789/);
    }
    assert.doesNotMatch(JSON.stringify(gateway.log), /0123456789|spoken/);
  }
});
