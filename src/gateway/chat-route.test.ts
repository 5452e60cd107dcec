import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataOf, deployment, startGateway, startUpstream, TRANSPORTS } from '../../test/gateway.ts';

const COMPLETION =
  '{"id":"up-1","object":"chat.completion","created":1,"model":"upstream-model","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}';

const CHUNKS = [
  '{"id":"up-1","choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"},"finish_reason":null}],"usage":null}',
  '{"id":"up-1","choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":null}],"usage":null}',
  '{"id":"up-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}',
];
const USAGE_CHUNK =
  '{"id":"up-1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}';

const sse = (events: readonly string[]): string => events.map((event) => `data: ${event}\n\n`).join('');
const MESSAGES = [{ role: 'user', content: 'Hi' }];

for (const { name, ask } of TRANSPORTS) {
  test(`an answer of the same dialect passes byte for byte ${name}`, async () => {
    await using upstream = await startUpstream((response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(COMPLETION);
    });
    await using gateway = await startGateway([
      deployment({ baseUrl: upstream.baseUrl, defaults: { temperature: 0.5, seed: 7 } }),
    ]);
    const body =
      '{ "model":"test-model",  "messages":[{"role":"user","content":"Hi"}], "seed":1, "x_new": [1] }';
    const answer = await ask(gateway, { path: '/v1/chat/completions', body });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.text, COMPLETION);
    assert.equal(answer.headers['x-obelisk-deployment'], 'test');
    const [sent] = upstream.received;
    assert.equal(sent?.path, '/v1/chat/completions');
    const expected = { model: 'upstream-model', messages: MESSAGES, seed: 1, x_new: [1], temperature: 0.5 };
    assert.deepEqual(JSON.parse(sent?.body ?? ''), expected);
    assert.deepEqual(gateway.outcomes(), ['ok']);
    assert.match(gateway.metrics(), /obelisk_tokens_total\{model="test-model",kind="prompt"\} 3\n/);
  });

  test(`a stream passes with its usage taken out unless it was asked for ${name}`, async () => {
    await using upstream = await startUpstream((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(sse([...CHUNKS, USAGE_CHUNK, '[DONE]']));
    });
    await using gateway = await startGateway([deployment({ baseUrl: upstream.baseUrl })]);
    const body = { model: 'test-model', messages: MESSAGES, stream: true };
    const plain = await ask(gateway, { path: '/v1/chat/completions', body });
    assert.equal(plain.headers['content-type'], 'text/event-stream; charset=utf-8');
    assert.equal(plain.text, sse([...CHUNKS, '[DONE]']));
    const withUsage = await ask(gateway, {
      path: '/chat/completions',
      body: { ...body, stream_options: { include_usage: true } },
    });
    assert.deepEqual(dataOf(withUsage.text), [...CHUNKS, USAGE_CHUNK, '[DONE]']);
    for (const { body: sent } of upstream.received) {
      assert.deepEqual(JSON.parse(sent).stream_options, { include_usage: true });
    }
    assert.match(gateway.metrics(), /obelisk_tokens_total\{model="test-model",kind="completion"\} 4\n/);
  });

  test(`a mocked deployment answers without an upstream ${name}`, async () => {
    await using gateway = await startGateway([deployment({ mockResponse: 'It is a mock.' })]);
    const body = { model: 'test-model', messages: MESSAGES };
    const whole = await ask(gateway, { path: '/v1/chat/completions', body });
    assert.equal(JSON.parse(whole.text).choices[0].message.content, 'It is a mock.');
    const streamed = await ask(gateway, { path: '/v1/chat/completions', body: { ...body, stream: true } });
    const data = dataOf(streamed.text);
    assert.equal(data.at(-1), '[DONE]');
    const chunks = data.slice(0, -1).map((chunk) => JSON.parse(chunk));
    assert.equal(chunks.map((chunk) => chunk.choices[0].delta.content ?? '').join(''), 'It is a mock.');
  });
}

for (const { name, ask } of TRANSPORTS) {
  test(`of several answers in one stream, one end is not the end of all, ${name}`, async () => {
    const second = (CHUNKS[0] ?? '').replace('"index":0', '"index":1');
    for (const [rest, outcome] of [
      [[], 'error:upstream_invalid'],
      [['[DONE]'], 'ok'],
    ] as const) {
      await using upstream = await startUpstream((response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(sse([second, ...CHUNKS, ...rest]));
      });
      await using gateway = await startGateway([deployment({ baseUrl: upstream.baseUrl })]);
      const body = { model: 'test-model', messages: MESSAGES, stream: true, n: 2 };
      const told = dataOf((await ask(gateway, { path: '/v1/chat/completions', body })).text);
      assert.deepEqual(gateway.outcomes(), [outcome]);
      assert.equal(told.at(-1), '[DONE]');
      assert.equal(told.filter((data) => data.startsWith('{"error"')).length, outcome === 'ok' ? 0 : 1);
    }
  });
}
