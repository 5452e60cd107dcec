import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChatWriter, Embedder } from '../../providers/chat.ts';
import { ObeliskError } from '../../shared/errors.ts';
import { until } from '../../../test/eventually.ts';
import { askSocket, deployment, startGateway, startUpstream } from '../../../test/gateway.ts';
import type { Answer, TestGateway } from '../../../test/gateway.ts';
import { ANSWER, eventsOf } from '../../../test/door-gateway.ts';

const chat = (gateway: TestGateway, stream: boolean): Promise<Answer> =>
  askSocket(gateway, {
    path: '/api/chat',
    body: { model: 'both', messages: [{ role: 'user', content: 'Hi' }], stream },
  });
const refuse = (status: number) => () =>
  startUpstream((response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end('{"error":{"message":"no room"}}');
  });

const WELL: ChatWriter = async function* well() {
  await Promise.resolve();
  yield* eventsOf(ANSWER);
};

function failing(): never[] {
  throw new ObeliskError('context_length_exceeded', 'the prompt does not fit');
}

/** A name with an OpenAI-compatible deployment, asked first, and one of Ollama's. */
async function both(baseUrl: string, local: ChatWriter): Promise<TestGateway> {
  const name = { modelName: 'both', capabilities: { chat: true, embedding: true } };
  const embed: Embedder = () => Promise.resolve({ vectors: [Float32Array.of(1, 0)], promptTokens: 2 });
  return startGateway(
    [
      deployment({ ...name, id: 'remote', baseUrl, routing: { weight: 1_000_000 } }),
      deployment({ ...name, id: 'local', dialect: 'ollama', routing: { weight: 0.000_001 } }),
    ],
    {
      writers: { ollama: () => local, vault: () => local, extractive: local },
      embedders: { ollama: () => embed },
    },
  );
}

for (const [what, upstreamOf] of [
  ['busy', refuse(429)],
  ['broken', refuse(500)],
] as const) {
  test(`a deployment that is ${what} is left for another, and the request has one outcome`, async () => {
    await using upstream = await upstreamOf();
    await using gateway = await both(upstream.baseUrl, WELL);
    for (const stream of [true, false]) {
      const { status, headers, text } = await chat(gateway, stream);
      assert.equal(status, 200);
      assert.equal(headers['x-obelisk-deployment'], 'local');
      const lines = text.trim().split('\n');
      const said = lines.map((line) => JSON.parse(line).message.content).join('');
      assert.equal(said, ANSWER);
    }
    await until(() => gateway.outcomes().length === 2, 'both requests have ended');
    assert.deepEqual(gateway.outcomes(), ['ok', 'ok']);
    const requests = /^obelisk_requests_total\{route="\/api\/chat",.*outcome="ok".*\} (\d+)$/m.exec(
      gateway.metrics(),
    );
    assert.equal(requests?.[1], '2');
    const attempts = [...gateway.metrics().matchAll(/^obelisk_upstream_attempts_total\{(.*)\} (\d+)$/gm)];
    assert.ok(
      attempts.some(([, labels]) => labels?.includes('deployment="local"')),
      gateway.metrics(),
    );
    assert.ok(attempts.some(([, labels]) => labels?.includes('deployment="remote"')));
  });
}

test('what has begun is not asked for again', async () => {
  await using upstream = await startUpstream((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: {"choices":[{"index":0,"delta":{"content":"Half"},"finish_reason":null}]}\n\n');
    setTimeout(() => response.socket?.destroy(), 20);
  });
  await using gateway = await both(upstream.baseUrl, WELL);
  const { text } = await chat(gateway, true);
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(lines[0].message.content, 'Half');
  assert.deepEqual(Object.keys(lines.at(-1)), ['error']);
  assert.equal(upstream.received.length, 1);
});

test('an upstream that breaks after its head may have been paid: nobody else is asked', async () => {
  await using upstream = await startUpstream((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': waiting\n\n');
    setTimeout(() => response.socket?.destroy(), 20);
  });
  let asked = 0;
  await using gateway = await both(upstream.baseUrl, async function* counted(request, context) {
    asked += 1;
    yield* WELL(request, context);
  });
  assert.equal((await chat(gateway, false)).status, 502);
  assert.deepEqual([upstream.received.length, asked], [1, 0]);
});

test('embeddings are asked for elsewhere too, and have the length 1 wherever they come from', async () => {
  await using broken = await refuse(500)();
  await using gateway = await both(broken.baseUrl, WELL);
  const ask = { path: '/api/embed', body: { model: 'both', input: 'one' } };
  assert.deepEqual(JSON.parse((await askSocket(gateway, ask)).text).embeddings, [[1, 0]]);
  await using whole = await startUpstream((response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"data":[{"index":0,"embedding":[3,4]}],"usage":{"prompt_tokens":1,"total_tokens":1}}');
  });
  await using healthy = await both(whole.baseUrl, WELL);
  const options = { ...ask.body, options: { num_ctx: 512 }, keep_alive: '5m' };
  const { headers, text } = await askSocket(healthy, { ...ask, body: options });
  const [vector] = JSON.parse(text).embeddings;
  assert.deepEqual(
    vector.map((value: number) => Math.round(value * 1e6) / 1e6),
    [0.6, 0.8],
  );
  assert.equal(headers['x-obelisk-options-ignored'], 'keep_alive, num_ctx');
  assert.deepEqual(JSON.parse(whole.received[0]?.body ?? ''), { input: ['one'], model: 'upstream-model' });
});

test('a model’s own refusal is told and not asked for elsewhere', async () => {
  let asked = 0;
  await using upstream = await refuse(500)();
  await using gateway = await both(upstream.baseUrl, async function* refused() {
    asked += 1;
    await Promise.resolve();
    yield* failing();
  });
  const { status, text } = await chat(gateway, true);
  assert.deepEqual([status, JSON.parse(text)], [400, { error: 'the prompt does not fit' }]);
  assert.equal(asked, 1);
});
