import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import { Secret } from '../shared/secret.ts';
import { until } from '../../test/eventually.ts';
import { askSocket, dataOf, deployment, startGateway, startUpstream } from '../../test/gateway.ts';
import type { TestGateway } from '../../test/gateway.ts';

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
const answering =
  (status: number, text: string) =>
  (response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(text);
  };

test('silence before the answer becomes heartbeats, and a later error a frame', async () => {
  const waiting = Promise.withResolvers<ServerResponse>();
  await using upstream = await startUpstream((response) => waiting.resolve(response));
  await using gateway = await startGateway([deployment({ baseUrl: upstream.baseUrl })], {
    heartbeat: { firstMs: 10, everyMs: 10 },
  });
  const asked = askSocket(gateway, { path: CHAT, body: body(true) });
  const response = await waiting.promise;
  await new Promise((resolve) => setTimeout(resolve, 60));
  answering(429, '{"error":{"message":"slow down"}}')(response);
  const answer = await asked;
  assert.equal(answer.status, 200);
  assert.match(answer.text, /^: loading\n\n: loading\n\n/);
  assert.equal(JSON.parse(dataOf(answer.text)[0] ?? '').error.code, 'rate_limited');
  assert.deepEqual(dataOf(answer.text).slice(1), ['[DONE]']);
});

/** Sends a request whose connection the test closes itself. */
function open(
  gateway: TestGateway,
  stream: boolean,
  onResponse?: (response: IncomingMessage) => void,
): () => void {
  const request = httpRequest(gateway.origin + CHAT, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  });
  request.on('error', (error) => assert.match(error.message, /hang up|reset/));
  if (onResponse) request.on('response', onResponse);
  request.end(JSON.stringify(body(stream)));
  return () => request.destroy();
}

const LEAVING: readonly { name: string; stream: boolean; script: (response: ServerResponse) => void }[] = [
  { name: 'before the first byte of a stream', stream: true, script: () => undefined },
  { name: 'while a whole answer is written', stream: false, script: () => undefined },
  {
    name: 'in the middle of a stream',
    stream: true,
    script: (response) => {
      startEvents(response);
      response.write(event(chunk('Hel')));
    },
  },
];

for (const { name, stream, script } of LEAVING) {
  test(`a client that leaves ${name} closes its upstream`, async () => {
    await using upstream = await startUpstream(script);
    await using gateway = await startGateway([deployment({ baseUrl: upstream.baseUrl })]);
    let begun = false;
    const leave = open(gateway, stream, () => (begun = true));
    await until(() => upstream.received.length === 1, 'the upstream has the request');
    if (name.startsWith('in the')) await until(() => begun, 'the stream has begun');
    leave();
    await until(() => upstream.abandoned() === 1, 'the upstream connection is closed');
    await until(() => gateway.outcomes().length === 1, 'the call is settled');
    assert.deepEqual(gateway.outcomes(), ['client_gone']);
    assert.match(gateway.metrics(), /obelisk_in_flight_requests 0\n/);
  });
}

/** Writes until the connection takes no more, and counts. */
function flood(response: ServerResponse, count: (bytes: number) => void): void {
  startEvents(response);
  const block = event(chunk('x'.repeat(16_000)));
  const pump = (): void => {
    for (let room = true; room && !response.destroyed;) {
      room = response.write(block);
      count(block.length);
    }
    response.once('drain', pump);
  };
  pump();
}

test('a client that does not read stops the upstream instead of filling the memory', async () => {
  let sent = 0;
  await using upstream = await startUpstream((response) => flood(response, (bytes) => (sent += bytes)));
  await using gateway = await startGateway([deployment({ baseUrl: upstream.baseUrl })]);
  const leave = open(gateway, true, (response) => response.pause());
  await until(() => sent > 0, 'the upstream sends');
  let before = -1;
  await until(() => {
    const settled = before === sent;
    before = sent;
    return settled && sent > 0;
  }, 'the upstream is paused');
  await new Promise((resolve) => setTimeout(resolve, 100));
  // Kernel buffers of two connections hold several MiB; without a pause this would be hundreds.
  assert.ok(sent < 32 * 1024 * 1024, `${sent} bytes were taken from the upstream`);
  leave();
  await until(() => upstream.abandoned() === 1, 'the upstream connection is closed');
});

test('the key goes to the deployment’s own address and nowhere else', async () => {
  await using upstream = await startUpstream(
    answering(401, '{"error":{"message":"bad key sk-canary-upstream"}}'),
  );
  await using gateway = await startGateway([
    deployment({ baseUrl: upstream.baseUrl, apiKey: new Secret('sk-canary-upstream') }),
  ]);
  const headers = { 'x-api-key': 'sk-canary-client' };
  const answer = await askSocket(gateway, { path: CHAT, body: body(false), headers });
  assert.equal(upstream.received[0]?.headers.authorization, 'Bearer sk-canary-upstream');
  assert.equal(upstream.received[0]?.headers['x-api-key'], undefined);
  const said = JSON.stringify([answer, gateway.log, gateway.metrics()]);
  assert.doesNotMatch(said, /canary/);
});

test('a gateway that is its own upstream says so', async () => {
  const own = deployment();
  await using gateway = await startGateway([own]);
  Object.assign(own, { baseUrl: `${gateway.origin}/v1`, model: 'test-model' });
  const answer = await askSocket(gateway, { path: CHAT, body: body(false) });
  assert.equal(answer.status, 508);
  assert.match(answer.text, /came back to the Obelisk that sent it/);
  assert.equal(answer.headers['x-should-retry'], 'false');
});

test('a look for models that comes back is told so, whatever it looked for', async () => {
  await using gateway = await startGateway([deployment()]);
  for (const path of ['/v1/models', '/api/tags']) {
    const answer = await askSocket(gateway, { path, headers: { 'x-obelisk-hop': 'a,testinstance' } });
    assert.equal(answer.status, 508, path);
  }
});

test('instances that a request has come through are passed on', async () => {
  await using upstream = await startUpstream(answering(200, '{"choices":[]}'));
  await using gateway = await startGateway([deployment({ baseUrl: upstream.baseUrl })]);
  await askSocket(gateway, { path: CHAT, body: body(false), headers: { 'x-obelisk-hop': 'another' } });
  assert.equal(upstream.received[0]?.headers['x-obelisk-hop'], 'another,testinstance');
});

test('an error behind signs of life has a status of its own, and no first token', async () => {
  await using upstream = await startUpstream((response) => {
    startEvents(response);
    response.write(': processing\n\n', () => {
      setTimeout(() => response.end(event('{"error":{"message":"out of memory"}}')), 20);
    });
  });
  await using gateway = await startGateway([deployment({ baseUrl: upstream.baseUrl })]);
  const answer = await askSocket(gateway, { path: CHAT, body: body(true) });
  assert.equal(answer.status, 502, answer.text);
  assert.match(answer.text, /out of memory/);
  const line = gateway.log.find(({ message }) => message === 'request');
  assert.equal(line?.fields['firstTokenMs'], undefined);
});

test('media types and codings are known in any case', async () => {
  const events = event(chunk('x', 'stop')) + event('[DONE]');
  await using upstream = await startUpstream((response) => {
    response
      .writeHead(200, { 'content-type': 'Text/Event-Stream', 'content-encoding': 'Identity' })
      .end(events);
  });
  await using gateway = await startGateway([deployment({ baseUrl: upstream.baseUrl })]);
  const answer = await askSocket(gateway, { path: CHAT, body: body(true) });
  assert.equal(answer.text, events);
});
