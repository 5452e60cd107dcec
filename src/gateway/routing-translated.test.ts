import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from '../../test/eventually.ts';
import { askSocket, balancerFor, dataOf, deployment, startGateway } from '../../test/gateway.ts';
import type { TestGateway } from '../../test/gateway.ts';
import { MODELS, sent, startServing } from '../../test/ollama-serving.ts';
import type { ServingSetting } from '../../test/ollama-serving.ts';
import { refusingOrigin } from '../../test/ports.ts';
import { chat, messages } from '../../test/routed.ts';
import { chunk, chunkedHead, json, ollama, openAi } from '../../test/upstream-scripts.ts';
import { close, send, stall, startUpstream, wait } from '../../test/upstream.ts';
import type { Script } from '../../test/upstream.ts';
import type { RoutingSettings } from '../config/settings.ts';
import { createOllamaChat } from '../ollama/chat-writer.ts';
import { createOllamaEmbedder } from '../ollama/embedder.ts';
import type { Deployment } from '../router/deployment.ts';
import { silentLogger } from '../telemetry/log.ts';
import { DEFAULT_HEARTBEAT } from './event-stream.ts';

/** Deployments of one name, of the given dialects, asked in their order. */
function inOrder(...places: readonly (readonly ['openai' | 'ollama', string])[]): readonly Deployment[] {
  return places.map(([dialect, origin], index) =>
    deployment({
      id: `test#${index}`,
      dialect,
      baseUrl: dialect === 'openai' ? `${origin}/v1` : origin,
      model: 'tiny:latest',
      routing: { weight: index === 0 ? 1 : 0 },
    }),
  );
}

function startTranslated(
  { serving }: ServingSetting,
  group: readonly Deployment[],
  {
    heartbeat = DEFAULT_HEARTBEAT,
    ...settings
  }: Partial<RoutingSettings> & { readonly heartbeat?: typeof DEFAULT_HEARTBEAT } = {},
): Promise<TestGateway> {
  const unused = (): never => {
    throw new Error('the test has no such writer');
  };
  return startGateway(group, {
    balancer: balancerFor(silentLogger, settings),
    writers: { ollama: createOllamaChat(serving), vault: unused, extractive: unused },
    embedders: { ollama: createOllamaEmbedder(serving) },
    heartbeat,
  });
}

/** An Ollama whose chats go as a script says. */
function ollamaWith(script: Script): Script {
  const well = ollama(MODELS);
  return (request, index) => {
    const chosen = request.path === '/api/chat' || request.path === '/api/embed' ? script : well;
    return typeof chosen === 'function' ? chosen(request, index) : chosen;
  };
}

for (const stream of [false, true]) {
  const how = stream ? 'as a stream' : 'whole';

  test(`where an Ollama refuses, another answers, ${how}`, async () => {
    await using setting = await startServing(ollama(MODELS));
    const group = inOrder(['ollama', await refusingOrigin()], ['ollama', setting.server.origin]);
    await using gateway = await startTranslated(setting, group);
    const answer = await chat(gateway, { stream });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers['x-obelisk-attempts'], '2');
    assert.equal(answer.headers['x-obelisk-deployment'], 'test#1');
    if (stream) assert.equal(dataOf(answer.text).at(-1), '[DONE]');
    assert.equal((await chat(gateway, { stream })).headers['x-obelisk-attempts'], '1');
    assert.match(gateway.metrics(), /attempts_total\{deployment="test#0",outcome="upstream_unreachable"\} 1/);
    assert.match(gateway.metrics(), /attempts_total\{deployment="test#1",outcome="ok"\} 2/);
  });

  test(`an Ollama takes over from an OpenAI-compatible server and the other way round, ${how}`, async () => {
    await using setting = await startServing(ollama(MODELS));
    await using other = await startUpstream(openAi(['from', ' afar']));
    const dead = await refusingOrigin();
    for (const [group, text] of [
      [inOrder(['openai', dead], ['ollama', setting.server.origin]), 'Hello'],
      [inOrder(['ollama', dead], ['openai', other.origin]), 'from'],
    ] as const) {
      await using gateway = await startTranslated(setting, group);
      const answer = await chat(gateway, { stream });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.headers['x-obelisk-attempts'], '2');
      assert.match(answer.text, new RegExp(text));
      await until(() => gateway.outcomes().length === 1, 'the call is settled');
      assert.deepEqual(gateway.outcomes(), ['ok']);
    }
  });

  test(`where an Ollama breaks in its answer another is asked only if none of it was seen, ${how}`, async () => {
    const part = JSON.stringify({
      model: 'tiny:latest',
      message: { role: 'assistant', content: 'Hel' },
      done: false,
    });
    const script: Script = [
      send(chunkedHead('application/x-ndjson')),
      send(chunk(`${part}\n`)),
      wait(20),
      close,
    ];
    await using setting = await startServing(ollamaWith(script));
    const { origin } = setting.server;
    await using gateway = await startTranslated(setting, inOrder(['ollama', origin], ['ollama', origin]));
    const answer = await chat(gateway, { stream });
    if (stream) assert.match(answer.text, /Hel.*"error".*\[DONE\]/s);
    else assert.equal(answer.status, 502, 'the other has broken as well');
    assert.equal(sent(setting).length, stream ? 1 : 2);
  });
}

test('a stream that has shown signs of life goes on with a server of the other dialect', async () => {
  await using setting = await startServing(ollamaWith([stall]));
  await using other = await startUpstream(openAi(['from', ' afar']));
  const group = inOrder(['ollama', setting.server.origin], ['openai', other.origin]);
  await using gateway = await startTranslated(setting, group, {
    timeouts: { firstByteMs: 150 },
    heartbeat: { firstMs: 10, everyMs: 10 },
  });
  const answer = await chat(gateway, { stream: true });
  assert.match(answer.text, /^: loading.*from.*\[DONE\]\n\n$/s);
  assert.doesNotMatch(answer.text, /"error"/);
});

test('an Ollama that is busy is asked again after a pause, and a model it lacks is told with what to do', async () => {
  let busy = 2;
  const script: Script = (request, index) => {
    busy -= 1;
    if (busy >= 0) return [json({ error: 'server busy, please try again' }, 503)];
    const well = ollama(MODELS);
    return well(request, index);
  };
  await using setting = await startServing(ollamaWith(script));
  const { origin } = setting.server;
  await using gateway = await startTranslated(setting, inOrder(['ollama', origin]));
  const answer = await chat(gateway);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers['x-obelisk-attempts'], '3', 'each time that it was asked');
  assert.equal(sent(setting).length, 3);
  const missing = inOrder(['ollama', origin], ['ollama', origin]).map((one) => ({
    ...one,
    model: 'none:latest',
  }));
  await using without = await startTranslated(setting, missing);
  const told = await chat(without);
  assert.equal(told.status, 404);
  assert.match(told.text, /ollama pull none:latest/);
  assert.equal(told.headers['x-obelisk-attempts'], '1');
});

test('a client that leaves frees the deployment it was waiting for', async () => {
  await using setting = await startServing(ollamaWith([stall]));
  const [only] = inOrder(['ollama', setting.server.origin]);
  assert.ok(only);
  await using gateway = await startTranslated(setting, [{ ...only, routing: { maxParallelRequests: 1 } }]);
  for (const stream of [false, true]) {
    const controller = new AbortController();
    const before = sent(setting).length;
    const asked = fetch(`${gateway.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'test-model', messages, stream }),
      signal: controller.signal,
    });
    const left = assert.rejects(asked, { name: 'AbortError' });
    await until(() => sent(setting).length > before, 'the model is asked');
    controller.abort();
    await left;
    const settled = stream ? 2 : 1;
    await until(() => gateway.outcomes().length === settled, 'the call is settled');
    assert.equal(gateway.outcomes().at(-1), 'client_gone');
  }
  const third = fetch(`${gateway.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'test-model', messages }),
  });
  await until(() => sent(setting).length === 3, 'there is room again');
  await setting.server.close();
  assert.equal((await third).status, 502);
});

test('embeddings of an Ollama find another one, of either dialect', async () => {
  await using setting = await startServing(ollama(MODELS));
  await using other = await startUpstream(openAi());
  const dead = await refusingOrigin();
  for (const group of [
    inOrder(['ollama', dead], ['ollama', setting.server.origin]),
    inOrder(['ollama', dead], ['openai', other.origin]),
    inOrder(['openai', dead], ['ollama', setting.server.origin]),
  ]) {
    const embedders = group.map((one) => ({
      ...one,
      model: 'embed:latest',
      capabilities: { embedding: true },
    }));
    await using gateway = await startTranslated(setting, embedders);
    const answer = await askSocket(gateway, {
      path: '/v1/embeddings',
      body: { model: 'test-model', input: 'x' },
    });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers['x-obelisk-attempts'], '2');
  }
});
