import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { OllamaChatBody } from '../../providers/ollama/chat-request.ts';
import { createUpstreamClient } from '../../wire/upstream-client.ts';
import {
  answer,
  chunk,
  chunkedHead,
  cutShort,
  head,
  json,
  lastChunk,
  ndjson,
  ollama,
  routes,
} from '../../../test/upstream-scripts.ts';
import { flood, reset, send, stall, startUpstream, wait } from '../../../test/upstream.ts';
import type { Script, TestUpstream } from '../../../test/upstream.ts';
import { createOllamaClient } from './client.ts';
import type { OllamaClient } from './client.ts';

const body: OllamaChatBody = {
  model: 'tiny:latest',
  messages: [{ role: 'user', content: 'hi' }],
  stream: true,
  truncate: false,
  shift: false,
  options: {},
};

type Setting = AsyncDisposable & { readonly server: TestUpstream; readonly client: OllamaClient };

async function start(script: Script, path = ''): Promise<Setting> {
  const server = await startUpstream(script);
  const upstream = createUpstreamClient();
  return {
    server,
    client: createOllamaClient({
      url: `${server.origin}${path}`,
      upstream,
      headers: { 'x-obelisk-hop': 'me' },
    }),
    async [Symbol.asyncDispose]() {
      await upstream.close();
      await server.close();
    },
  };
}

async function lines(
  client: OllamaClient,
  signal = new AbortController().signal,
): Promise<readonly unknown[]> {
  const all: unknown[] = [];
  for await (const line of client.chat(body, signal)) all.push(line);
  return all;
}

test('look-ups read what a server tells, and no more is needed than it tells', async () => {
  await using setting = await start(ollama([{ name: 'tiny:latest' }]));
  const { client } = setting;
  assert.equal(await client.version(), '0.30.0');
  assert.deepEqual(
    (await client.tags()).map((tag) => tag.name),
    ['tiny:latest'],
  );
  assert.deepEqual((await client.show('tiny:latest')).capabilities, ['completion']);
  assert.deepEqual(await client.ps(), []);
  assert.equal(setting.server.requests[0]?.headers['x-obelisk-hop'], 'me');
});

test('a path before /api is kept, for Ollama behind a reverse proxy', async () => {
  await using setting = await start([json({ version: '0.0.0' })], '/ollama');
  assert.equal(await setting.client.version(), '0.0.0');
  assert.equal(setting.server.requests[0]?.path, '/ollama/api/version');
});

test('chat lines arrive however the bytes are cut', async () => {
  const text = `{"message":{"content":"é"},"done":false}\n{"done":true}\n`;
  const bytes = Buffer.from(text);
  const half = bytes.indexOf(0xc3) + 1;
  const pieces = [bytes.subarray(0, half), bytes.subarray(half)];
  await using setting = await start([
    send(chunkedHead('application/x-ndjson')),
    ...pieces.flatMap((piece) => [
      send(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')])),
      wait(5),
    ]),
    send(lastChunk),
  ]);
  assert.deepEqual(await lines(setting.client), [{ message: { content: 'é' }, done: false }, { done: true }]);
});

test('what was said before a broken line is heard, then the host is named', async () => {
  await using setting = await start([
    send(chunkedHead('application/x-ndjson')),
    send(chunk('{"done":false}\n{"b":\n')),
    send(lastChunk),
  ]);
  const heard: unknown[] = [];
  await assert.rejects(
    async () => {
      for await (const line of setting.client.chat(body, new AbortController().signal)) heard.push(line);
    },
    (error: Error) => error.message.includes(setting.server.origin),
  );
  assert.deepEqual(heard, [{ done: false }]);
});

test('a refusal before the stream has the code of its text', async () => {
  await using setting = await start(
    routes({
      'POST /api/chat': [json({ error: 'the input length exceeds the context length' }, 400)],
      'POST /api/show': [json({ error: "model 'nope' not found" }, 404)],
    }),
  );
  await assert.rejects(lines(setting.client), { code: 'context_length_exceeded' });
  await assert.rejects(setting.client.show('nope'), { code: 'model_not_found', message: /ollama pull nope/ });
});

test('a busy server is overloaded and says when to come back', async () => {
  await using setting = await start([
    send('HTTP/1.1 503 Service Unavailable\r\nretry-after: 7\r\ncontent-length: 31\r\n\r\n'),
    send('{"error":"server busy, please"}'),
  ]);
  await assert.rejects(lines(setting.client), { code: 'overloaded', retryAfter: 7 });
});

test('a page or a list of another kind is not taken for Ollama, and not quoted', async () => {
  await using page = await start([answer(200, 'text/html', '<html>secret page</html>')]);
  await assert.rejects(page.client.tags(), (error: Error) => {
    assert.match(error.message, /not JSON/);
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
  await using other = await start([json({ data: [] })]);
  await assert.rejects(other.client.tags(), { code: 'upstream_invalid' });
  await using missing = await start([answer(404, 'text/html', '<html>secret</html>')]);
  await assert.rejects(missing.client.tags(), {
    code: 'upstream_error',
    message: /HTTP 404 from \/api\/tags/,
  });
});

test('Obelisk at the address of Ollama is recognised and said so', async () => {
  const marks = ['x-obelisk-deployment: a', 'x-request-id: req_k3j_1'];
  for (const mark of marks) {
    await using setting = await start([
      send(`HTTP/1.1 404 Not Found\r\n${mark}\r\ncontent-length: 2\r\n\r\n{}`),
    ]);
    await assert.rejects(setting.client.tags(), { code: 'loop_detected', message: /Obelisk itself/ });
  }
});

test('a host that is not there, resets or breaks off is named', async () => {
  await using gone = await start([stall]);
  await gone.server.close();
  await assert.rejects(gone.client.tags(), (error: Error) => error.message.includes(gone.server.origin));
  await using resetting = await start([reset]);
  await assert.rejects(lines(resetting.client), { code: 'upstream_unreachable' });
  await using cut = await start([cutShort('{"models":[', 500), reset]);
  await assert.rejects(cut.client.tags(), { code: 'upstream_unreachable' });
});

test('an abort closes the connection, before the first byte and in the stream', async () => {
  for (const script of [
    [stall],
    [send(chunkedHead('application/x-ndjson')), send(chunk('{"a":1}\n')), stall],
  ]) {
    await using setting = await start(script);
    const controller = new AbortController();
    const reading = assert.rejects(lines(setting.client, controller.signal), { code: 'client_gone' });
    const request = await setting.server.request(0);
    controller.abort();
    await reading;
    await request.closed;
  }
});

test('a download reports its steps and is done only with success', async () => {
  const steps = [
    { status: 'pulling abc', digest: 'sha256:abc', total: 10, completed: 5 },
    { status: 'success' },
  ];
  await using done = await start(ndjson(steps));
  const seen: unknown[] = [];
  for await (const step of done.client.pull('m', new AbortController().signal)) seen.push(step);
  assert.deepEqual(seen, steps);
  assert.deepEqual(done.server.requests[0]?.json(), { model: 'm', stream: true });

  const pullAll = async (client: OllamaClient): Promise<void> => {
    for await (const step of client.pull('m', new AbortController().signal)) assert.ok(step.status);
  };
  await using failed = await start(
    ndjson([{ status: 'pulling manifest' }, { error: 'pull model manifest: no such host' }]),
  );
  await assert.rejects(pullAll(failed.client), { code: 'upstream_error', message: /no such host/ });
  await using unfinished = await start(ndjson([{ status: 'pulling manifest' }]));
  await assert.rejects(pullAll(unfinished.client), { code: 'upstream_invalid' });
});

test('removing and copying take an empty answer', async () => {
  await using setting = await start([send('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')]);
  await setting.client.remove('m');
  await setting.client.copy('a', 'b');
  assert.deepEqual(
    setting.server.requests.map((request) => [request.method, request.path, request.json()]),
    [
      ['DELETE', '/api/delete', { model: 'm' }],
      ['POST', '/api/copy', { source: 'a', destination: 'b' }],
    ],
  );
});

test('an error that goes on for ever is cut, and is the error that its status says', async () => {
  const begun = head(500, { 'content-type': 'application/json' });
  await using setting = await start([send(`${begun}{"error":"`), flood('x'.repeat(10_000))]);
  await assert.rejects(lines(setting.client), { code: 'upstream_error', message: /HTTP 500/ });
  await (
    await setting.server.request(0)
  ).closed;
});

test('an answer without content is not one of Ollama', async () => {
  await using setting = await start([send(head(204, {}))]);
  await assert.rejects(lines(setting.client), { code: 'upstream_invalid', message: /204/ });
});

for (const [name, value, least, most] of [
  ['in seconds', () => '7', 7, 7],
  ['as a date', () => new Date(Date.now() + 60_000).toUTCString(), 40, 60],
  ['in ten years', () => '315360000', 3_600, 3_600],
] as const) {
  test(`a wait told ${name} is passed on, an hour at most`, async () => {
    const text = '{"error":"slow down"}';
    const headers = { 'retry-after': value(), 'content-length': text.length };
    await using setting = await start([send(head(429, headers) + text)]);
    await assert.rejects(lines(setting.client), (error: Error & { retryAfter?: number }) => {
      const seconds = error.retryAfter ?? 0;
      return seconds >= least && seconds <= most;
    });
  });
}

test('a line of more than 4 MiB is refused', async () => {
  const line = JSON.stringify({ message: { content: 'x'.repeat(4 * 1024 * 1024) } });
  await using setting = await start([send(chunkedHead('application/x-ndjson') + chunk(`${line}\n`))]);
  await assert.rejects(lines(setting.client), { code: 'upstream_invalid' });
});
