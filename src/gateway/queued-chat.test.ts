import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from '../../test/eventually.ts';
import { balancerFor, dataOf, deployment, startGateway } from '../../test/gateway.ts';
import type { TestGateway } from '../../test/gateway.ts';
import { MODELS, seatsForTests, sent, startServing } from '../../test/ollama-serving.ts';
import type { ServingSetting } from '../../test/ollama-serving.ts';
import { chat, messages } from '../../test/routed.ts';
import { ndjson, ollama } from '../../test/upstream-scripts.ts';
import { startUpstream, wait } from '../../test/upstream.ts';
import type { Script } from '../../test/upstream.ts';
import type { QueuePlace } from '../providers/chat.ts';
import { createOllamaChat } from '../ollama/chat-writer.ts';
import { createOllamaEmbedder } from '../ollama/embedder.ts';
import type { QueueLimits } from '../ollama/queue/queue.ts';
import { silentLogger } from '../telemetry/log.ts';
import { createInProcessClient } from './in-process-chat.ts';

const LINES = [
  { message: { content: 'well' } },
  { done: true, total_duration: 9e6, load_duration: 4e6, prompt_eval_duration: 2e6, eval_duration: 3e6 },
];

/** An Ollama whose answers take as long as told. */
function slow(ms: number): Script {
  const usual = ollama(MODELS);
  return (request, index) => {
    if (request.path === '/api/chat') return [wait(ms), ...ndjson(LINES)];
    return usual(request, index);
  };
}

type Setting = AsyncDisposable & { readonly serving: ServingSetting; readonly gateway: TestGateway };

async function start(
  script: Script,
  limits: QueueLimits,
  elsewhere: readonly string[] = [],
): Promise<Setting> {
  const serving = await startServing(script, { seats: seatsForTests(limits) });
  const unused = (): never => assert.fail('the test has no such writer');
  const places = [serving.server.origin, ...elsewhere];
  const group = places.map((baseUrl, index) =>
    deployment({
      id: `test#${index}`,
      dialect: 'ollama',
      baseUrl,
      model: 'tiny:latest',
      routing: { weight: index === 0 ? 1 : 0 },
    }),
  );
  const gateway = await startGateway(group, {
    balancer: balancerFor(silentLogger),
    writers: { ollama: createOllamaChat(serving.serving), vault: unused, extractive: unused },
    embedders: { ollama: createOllamaEmbedder(serving.serving) },
    heartbeat: { firstMs: 10, everyMs: 10 },
  });
  return {
    serving,
    gateway,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await serving[Symbol.asyncDispose]();
    },
  };
}

test('a stream that waits for its turn tells its place in its heartbeats, and the log where the time went', async () => {
  await using setting = await start(slow(300), { parallel: 1, queueLimit: 5 });
  const { gateway, serving } = setting;
  const first = chat(gateway, { stream: true });
  await until(() => sent(serving).length === 1, 'the first is asked');
  const second = await chat(gateway, { stream: true });
  assert.equal((await first).headers['x-obelisk-queue-position'], undefined);
  assert.match(second.text, /^: queued position=1\n\n/);
  assert.match(second.text, /\n\n: loading\n\n|data: /);
  assert.equal(dataOf(second.text).at(-1), '[DONE]');
  assert.equal(second.headers['x-obelisk-queue-position'], '1');
  await until(() => gateway.outcomes().length === 2, 'both are logged');
  const lines = gateway.log.filter(({ message }) => message === 'request').map(({ fields }) => fields);
  assert.equal(lines[0]?.['queueMs'], undefined, 'who did not wait has none');
  assert.ok(Number(lines[1]?.['queueMs']) > 0);
  assert.deepEqual([lines[1]?.['loadMs'], lines[1]?.['promptMs'], lines[1]?.['generationMs']], [4, 2, 3]);
});

test('an answer in one piece says how long it waited and where the time went', async () => {
  await using setting = await start(slow(300), { parallel: 1, queueLimit: 5 });
  const { gateway, serving } = setting;
  const first = chat(gateway);
  await until(() => sent(serving).length === 1, 'the first is asked');
  const second = await chat(gateway);
  assert.equal(
    (await first).headers['x-obelisk-timing'],
    'queue;dur=0, load;dur=4, prompt;dur=2, generation;dur=3',
  );
  assert.equal(second.headers['x-obelisk-queue-position'], '1');
  assert.match(second.headers['x-obelisk-queue-wait'] ?? '', /^0\.[0-9]$/);
  assert.match(second.headers['x-obelisk-timing'] ?? '', /^queue;dur=[1-9].*load;dur=4/);
});

for (const stream of [false, true]) {
  test(`a full queue is a 503 with the place, the wait and when to come back, ${stream ? 'as a stream' : 'whole'}`, async () => {
    await using setting = await start(slow(300), { parallel: 1, queueLimit: 0 });
    const { gateway, serving } = setting;
    const first = chat(gateway);
    await until(() => sent(serving).length === 1, 'the first is asked');
    const refused = await chat(gateway, { stream });
    assert.equal(refused.status, 503);
    assert.equal(JSON.parse(refused.text).error.code, 'overloaded');
    assert.match(refused.headers['retry-after'] ?? '', /^\d+$/);
    assert.equal(refused.headers['x-obelisk-queue-position'], '1');
    assert.equal((await first).status, 200);
    assert.equal(sent(serving).length, 1);
  });
}

test('where the queue of one host is full another is asked', async () => {
  await using other = await startUpstream(ollama(MODELS));
  await using setting = await start(slow(300), { parallel: 1, queueLimit: 0 }, [other.origin]);
  const { gateway, serving } = setting;
  const first = chat(gateway);
  await until(() => sent(serving).length === 1, 'the first is asked');
  const second = await chat(gateway);
  assert.equal(second.status, 200, second.text);
  assert.equal(second.headers['x-obelisk-deployment'], 'test#1');
  await first;
});

test('our own code that asks for somebody waits in their turn, and hears where', async () => {
  await using setting = await start(slow(300), { parallel: 1, queueLimit: 5 });
  const { gateway, serving } = setting;
  const client = createInProcessClient(gateway.handler);
  const first = chat(gateway);
  await until(() => sent(serving).length === 1, 'the first is asked');
  const places: (QueuePlace | undefined)[] = [];
  const request = {
    model: 'test-model',
    messages: messages.map(() => ({ role: 'user' as const, text: 'hi' })),
    stream: true,
    includeUsage: false,
    options: {},
  };
  const context = {
    signal: new AbortController().signal,
    client: 'somebody',
    onQueued: (queued: { place(): QueuePlace | undefined }) => places.push(queued.place()),
  };
  for await (const event of client.chat(request, context)) assert.ok(event.type !== 'tool-call');
  assert.deepEqual(places, [{ position: 1 }]);
  await first;
});
