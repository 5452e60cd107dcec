import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { ChatOllama, OllamaEmbeddings } from '@langchain/ollama';
import type { ChatEvent } from '../../src/providers/chat.ts';
import { ObeliskError } from '../../src/shared/errors.ts';
import { ANSWER, chunkOf, DOOR_KEY, DOOR_MODELS, eventsOf, startDoor } from '../door-gateway.ts';
import type { DoorSetting } from '../door-gateway.ts';
import { startDoorOllama } from '../door-ollama.ts';
import { until } from '../eventually.ts';

type Fields = ConstructorParameters<typeof ChatOllama>[0];

const chat = ({ gateway }: Pick<DoorSetting, 'gateway'>, model: string, more: object = {}): ChatOllama => {
  const fields = { model, baseUrl: gateway.origin, maxRetries: 0, ...more } satisfies Fields;
  return new ChatOllama(fields);
};
const TIDE = {
  name: 'tide',
  description: 'Height of the tide',
  schema: { type: 'object', properties: { at: { type: 'string' } }, required: ['at'] },
};
const READY = { type: 'object', properties: { ready: { type: 'boolean' } }, required: ['ready'] };
const FINISH: ChatEvent = { type: 'finish', reason: 'stop', usage: { promptTokens: 7, completionTokens: 3 } };

test('ChatOllama chats with models of every kind, whole and streaming', async () => {
  await using door = await startDoor();
  for (const model of DOOR_MODELS) {
    const whole = await chat(door, model).invoke('Is it ready?');
    assert.equal(whole.content, ANSWER, model);
    let [text, parts] = ['', 0];
    for await (const part of await chat(door, model).stream('Is it ready?')) {
      text += part.text;
      parts += 1;
    }
    assert.equal(text, ANSWER, model);
    assert.ok(parts > 2);
  }
});

test('ChatOllama calls tools and gives their results, which it sends without an id', async () => {
  const call: ChatEvent = {
    type: 'tool-call',
    index: 0,
    call: { id: 'call_a', name: 'tide', arguments: '{"at":"noon"}' },
  };
  let turn = 0;
  await using door = await startDoor({
    events: () => ((turn += 1) === 1 ? [call, { ...FINISH, reason: 'tool_calls' }] : eventsOf(ANSWER)),
  });
  const model = chat(door, 'local').bindTools([TIDE]);
  const question = new HumanMessage('How high is the tide?');
  const asked = await model.invoke([question]);
  assert.ok(asked instanceof AIMessage);
  const [made] = asked.tool_calls ?? [];
  assert.deepEqual([made?.name, made?.args], ['tide', { at: 'noon' }]);
  const result = new ToolMessage({ content: '2 m', tool_call_id: made?.id ?? '' });
  assert.equal((await model.invoke([question, asked, result])).content, ANSWER);
  const [, assistant, tool] = door.asked[1]?.messages ?? [];
  assert.ok(assistant?.role === 'assistant' && tool?.role === 'tool');
  assert.equal(tool.toolCallId, assistant.toolCalls?.[0]?.id);
  assert.equal(door.asked[0]?.tools?.[0]?.name, 'tide');
});

test('ChatOllama gets structured output, with the schema as the format', async () => {
  await using door = await startDoor({ events: () => eventsOf('{"ready": true}') });
  const answer = await chat(door, 'local').withStructuredOutput(READY).invoke('Is it ready?');
  assert.deepEqual(answer, { ready: true });
  assert.deepEqual(door.asked[0]?.format, { type: 'schema', schema: READY });
});

test('ChatOllama’s options arrive, and those that Ollama has no more are no obstacle', async () => {
  await using door = await startDoor();
  await chat(door, 'local', { temperature: 0.1, numCtx: 4096, topK: 2, mirostat: 1, keepAlive: '5m' }).invoke(
    'Hi',
  );
  const { temperature, options, keepAlive } = door.asked[0] ?? assert.fail('nothing was asked');
  assert.deepEqual([temperature, keepAlive], [0.1, '5m']);
  assert.deepEqual(options, { num_ctx: 4096, top_k: 2, mirostat: 1 });
});

test('ChatOllama is told of errors before and inside a stream', async () => {
  await using door = await startDoor({
    key: DOOR_KEY,
    async *events() {
      yield { type: 'text-delta', text: 'Well' };
      await Promise.resolve();
      throw new ObeliskError('upstream_error', 'the runner died');
    },
  });
  const headers = { authorization: `Bearer ${DOOR_KEY}` };
  await assert.rejects(chat(door, 'local').invoke('Hi'), { status_code: 401 });
  await assert.rejects(chat(door, 'nope', { headers }).invoke('Hi'), { status_code: 404 });
  await assert.rejects(chat(door, 'local', { headers }).invoke('Hi'), /the runner died/);
});

test('an abort of ChatOllama’s closes the stream, and the upstream’s with it', async () => {
  await using door = await startDoor({
    script(response) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => response.write(chunkOf({ content: 'more ' })), 5);
      response.on('close', () => clearInterval(timer));
    },
  });
  const controller = new AbortController();
  const stream = await chat(door, 'remote').stream('Hi', { signal: controller.signal });
  await assert.rejects(async () => {
    for await (const part of stream) if (part.content !== '') controller.abort();
  }, /abort/i);
  await until(() => door.upstream.abandoned() === 1, 'the upstream was left');
  await until(() => door.gateway.outcomes().length === 1, 'the request has ended');
  assert.deepEqual(door.gateway.outcomes(), ['client_gone']);
});

test('OllamaEmbeddings embeds', async () => {
  await using door = await startDoorOllama();
  const embeddings = new OllamaEmbeddings({
    model: 'embed:latest',
    baseUrl: door.gateway.origin,
    maxRetries: 0,
  });
  const [one, two] = await embeddings.embedDocuments(['one', 'two']);
  assert.ok(one !== undefined && one.length > 0 && one.length === two?.length);
  assert.deepEqual(await embeddings.embedQuery('one'), one);
});
