import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askSocket, deployment, startGateway } from '../../test/gateway.ts';
import type { TestGateway } from '../../test/gateway.ts';

const CHAT = deployment({
  modelName: 'llama3:latest',
  dialect: 'ollama',
  source: 'ollama http://127.0.0.1:11434',
  capabilities: {
    chat: true,
    embedding: false,
    tools: true,
    vision: false,
    contextLength: 131_072,
    servedContext: 16_384,
  },
});
const EMBEDDING = deployment({
  modelName: 'minilm:latest',
  dialect: 'ollama',
  capabilities: { chat: false, embedding: true, contextLength: 512 },
});
const UNKNOWN = deployment({ modelName: 'org/gpt ü', capabilities: {} });

async function getJson(gateway: TestGateway, path: string): Promise<Record<string, unknown>> {
  const answer = await askSocket(gateway, { path });
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text) as Record<string, unknown>;
}

test('a listed model tells what it can do, where it comes from, what fits and whether it is a default', async () => {
  await using gateway = await startGateway([CHAT, EMBEDDING, UNKNOWN]);
  const { data } = await getJson(gateway, '/v1/models');
  const created = 1_677_610_602;
  assert.deepEqual(data, [
    {
      id: 'llama3:latest',
      object: 'model',
      created,
      owned_by: 'ollama',
      mode: 'chat',
      max_input_tokens: 16_384,
      capabilities: { tools: true, vision: false },
      source: 'ollama http://127.0.0.1:11434',
      default: 'chat',
    },
    {
      id: 'minilm:latest',
      object: 'model',
      created,
      owned_by: 'ollama',
      mode: 'embedding',
      max_input_tokens: 512,
      capabilities: {},
      source: 'test',
      default: 'embedding',
    },
    {
      id: 'org/gpt ü',
      object: 'model',
      created,
      owned_by: 'openai',
      mode: 'chat',
      capabilities: {},
      source: 'test',
    },
  ]);
});

test('one model is the same as in the list, by its id plain or percent-encoded, with and without /v1', async () => {
  await using gateway = await startGateway([CHAT, EMBEDDING, UNKNOWN]);
  const { data } = await getJson(gateway, '/models');
  assert.ok(Array.isArray(data));
  assert.deepEqual(await getJson(gateway, '/v1/models/llama3:latest'), data[0]);
  assert.deepEqual(await getJson(gateway, '/models/llama3%3Alatest'), data[0]);
  assert.deepEqual(await getJson(gateway, '/v1/models/org/gpt%20%C3%BC'), data[2]);
  assert.deepEqual(await getJson(gateway, '/v1/models/org%2Fgpt%20u%CC%88'), data[2]);
});
