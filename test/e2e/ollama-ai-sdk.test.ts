import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APICallError, embedMany, generateText, jsonSchema, Output, stepCountIs, streamText, tool } from 'ai';
import { createOllama } from 'ollama-ai-provider-v2';
import type { OllamaProvider } from 'ollama-ai-provider-v2';
import type { ChatEvent } from '../../src/providers/chat.ts';
import { ANSWER, chunkOf, DOOR_KEY, DOOR_MODELS, eventsOf, startDoor } from '../door-gateway.ts';
import type { DoorSetting } from '../door-gateway.ts';
import { startDoorOllama } from '../door-ollama.ts';
import { until } from '../eventually.ts';

const provider = ({ gateway }: Pick<DoorSetting, 'gateway'>, key?: string): OllamaProvider =>
  createOllama({
    baseURL: `${gateway.origin}/api`,
    ...(key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } }),
  });
const maxRetries = 0;
const prompt = 'Is it ready?';
const FINISH: ChatEvent = { type: 'finish', reason: 'stop', usage: { promptTokens: 7, completionTokens: 3 } };

test('the AI SDK asks models of every kind, whole and streaming', async () => {
  await using door = await startDoor();
  for (const name of DOOR_MODELS) {
    const model = provider(door)(name);
    const whole = await generateText({ model, prompt, maxRetries });
    assert.equal(whole.text, ANSWER, name);
    assert.deepEqual([whole.usage.inputTokens, whole.usage.outputTokens], [7, 3]);
    const streamed = streamText({ model, prompt, maxRetries });
    let [text, parts] = ['', 0];
    for await (const part of streamed.textStream) {
      text += part;
      parts += 1;
    }
    assert.equal(text, ANSWER, name);
    assert.ok(parts > 1);
    assert.equal(await streamed.finishReason, 'stop');
  }
});

test('the AI SDK calls tools and goes on with their results', async () => {
  let turn = 0;
  const call: ChatEvent = {
    type: 'tool-call',
    index: 0,
    call: { id: 'call_a', name: 'tide', arguments: '{"at":"noon"}' },
  };
  await using door = await startDoor({
    events: () => ((turn += 1) % 2 === 1 ? [call, { ...FINISH, reason: 'tool_calls' }] : eventsOf(ANSWER)),
  });
  const given: unknown[] = [];
  const tide = tool({
    description: 'Height of the tide',
    inputSchema: jsonSchema<{ at: string }>({ type: 'object', properties: { at: { type: 'string' } } }),
    execute: (input) => {
      given.push(input);
      return '2 m';
    },
  });
  const asked = {
    model: provider(door)('local'),
    prompt,
    maxRetries,
    tools: { tide },
    stopWhen: stepCountIs(2),
  };
  assert.equal((await generateText(asked)).text, ANSWER);
  assert.equal(await streamText(asked).text, ANSWER);
  assert.deepEqual(given, [{ at: 'noon' }, { at: 'noon' }]);
  const last = door.asked[1]?.messages.at(-1);
  assert.deepEqual(last, { role: 'tool', text: '2 m', toolCallId: 'call_a', toolName: 'tide' });
});

test('the AI SDK gets objects of a schema', async () => {
  await using door = await startDoor({ events: () => eventsOf('{"ready": true}') });
  const schema = jsonSchema<{ ready: boolean }>({
    type: 'object',
    properties: { ready: { type: 'boolean' } },
    required: ['ready'],
  });
  const { output } = await generateText({
    model: provider(door)('local'),
    prompt,
    output: Output.object({ schema }),
    maxRetries,
  });
  assert.deepEqual(output, { ready: true });
  assert.equal(door.asked[0]?.format?.type, 'schema');
});

test('the AI SDK completes texts and embeds them', async () => {
  await using door = await startDoorOllama();
  const ollama = provider(door);
  const { text } = await generateText({ model: ollama.completion('able:latest'), prompt, maxRetries });
  assert.notEqual(text, '');
  const values = ['one', 'two'];
  const { embeddings, usage } = await embedMany({
    model: ollama.embeddingModel('embed:latest'),
    values,
    maxRetries,
  });
  assert.equal(embeddings.length, 2);
  assert.ok(usage.tokens > 0);
});

test('the AI SDK is told of errors with their status', async () => {
  await using door = await startDoor({ key: DOOR_KEY });
  const failures: readonly [OllamaProvider, string, number][] = [
    [provider(door), 'local', 401],
    [provider(door, DOOR_KEY), 'nope', 404],
    [provider(door, DOOR_KEY), 'embedder', 400],
  ];
  for (const [ollama, name, status] of failures) {
    await assert.rejects(generateText({ model: ollama(name), prompt, maxRetries }), (error) => {
      assert.ok(error instanceof APICallError);
      assert.equal(error.statusCode, status);
      assert.match(error.responseBody ?? '', /^\{"error":"/);
      return true;
    });
  }
});

test('an abort of the AI SDK’s closes the stream, and the upstream’s with it', async () => {
  await using door = await startDoor({
    script(response) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunkOf({ content: 'First' }));
    },
  });
  const controller = new AbortController();
  const { fullStream } = streamText({
    model: provider(door)('remote'),
    prompt,
    maxRetries,
    abortSignal: controller.signal,
  });
  const kinds: string[] = [];
  for await (const part of fullStream) {
    kinds.push(part.type);
    if (part.type === 'text-delta') controller.abort();
  }
  assert.equal(kinds.at(-1), 'abort');
  await until(() => door.upstream.abandoned() === 1, 'the upstream was left');
  await until(() => door.gateway.outcomes().length === 1, 'the request has ended');
  assert.deepEqual(door.gateway.outcomes(), ['client_gone']);
});
