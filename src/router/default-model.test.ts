import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chooseDefault } from './default-model.ts';
import type { Candidate } from './default-model.ts';
import type { Deployment } from './deployment.ts';

function candidate(
  modelName: string,
  fields: Partial<Deployment> & { configured?: boolean; modifiedMs?: number } = {},
): Candidate {
  const { configured = false, modifiedMs = 0, ...deployment } = fields;
  return {
    configured,
    modifiedMs,
    deployment: {
      id: modelName,
      modelName,
      dialect: 'ollama',
      model: modelName,
      baseUrl: 'http://127.0.0.1:11434',
      defaults: {},
      capabilities: { chat: true, embedding: false },
      source: 'test',
      local: true,
      ...deployment,
    },
  };
}

const embeds = { chat: false, embedding: true };

test('the model pulled last is the default, equal ones by name', () => {
  const models = [
    candidate('old', { modifiedMs: 1 }),
    candidate('z', { modifiedMs: 2 }),
    candidate('a', { modifiedMs: 2 }),
  ];
  assert.equal(chooseDefault('chat', models)?.modelName, 'a');
  assert.equal(chooseDefault('chat', models.toReversed())?.modelName, 'a');
});

test('what leaves the machine is never a default, however new', () => {
  const models = [candidate('far:cloud', { local: false, modifiedMs: 9 }), candidate('near')];
  assert.equal(chooseDefault('chat', models)?.modelName, 'near');
  assert.equal(chooseDefault('chat', [candidate('far', { local: false, configured: true })]), undefined);
});

test('chat and embedding models are told apart, and of unknown ones none is chosen', () => {
  const models = [candidate('embed', { capabilities: embeds, modifiedMs: 9 }), candidate('talk')];
  assert.equal(chooseDefault('chat', models)?.modelName, 'talk');
  assert.equal(chooseDefault('embedding', models)?.modelName, 'embed');
  assert.equal(chooseDefault('chat', [candidate('what', { capabilities: {} })]), undefined);
  assert.equal(
    chooseDefault('embedding', [candidate('both', { capabilities: { chat: true, embedding: true } })]),
    undefined,
  );
});

test('model_list comes before what was found, in its own order, answers made up left out', () => {
  const models = [
    candidate('found', { modifiedMs: 9 }),
    candidate('mock', { configured: true, mockResponse: 'hi' }),
    candidate('second', { configured: true }),
    candidate('first', { configured: true }),
  ];
  assert.equal(chooseDefault('chat', models)?.modelName, 'second');
});
