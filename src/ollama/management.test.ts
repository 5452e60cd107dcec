import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isObeliskError } from '../shared/errors.ts';
import { profilesOf } from '../../test/ollama-profiles.ts';
import { MODELS, sent, startServing } from '../../test/ollama-serving.ts';
import { ollama } from '../../test/upstream-scripts.ts';

test('the window a deployment is served with is known beforehand', async () => {
  await using setting = await startServing(ollama(MODELS));
  const baseUrl = setting.server.origin;
  const { management } = setting;
  assert.equal(management.contextWindow({ baseUrl, model: 'able:latest', defaults: {} }), 16_384);
  assert.equal(
    management.contextWindow({ baseUrl, model: 'able:latest', defaults: { num_ctx: 4096 } }),
    4096,
  );
  assert.equal(management.contextWindow({ baseUrl, model: 'nope', defaults: {} }), undefined);
  assert.equal(management.contextWindow({ baseUrl: 'http://else', model: 'able', defaults: {} }), undefined);
});

test('the options that travel with every request for a model are told', async () => {
  const profiles = profilesOf({ hardware: { num_thread: 4 }, modelOverrides: { Able: { num_gpu: 0 } } });
  await using setting = await startServing(ollama(MODELS), { profiles });
  const optionsOf = (model: string) => setting.management.hardware(model, new AbortController().signal);
  assert.deepEqual(await optionsOf('able'), { num_ctx: 16_384, num_thread: 4, num_gpu: 0 });
  assert.deepEqual(await optionsOf('far:cloud'), {});
});

test('a download from a registry that is not allowed is refused before anything is sent', async () => {
  await using setting = await startServing(ollama(MODELS));
  const steps = setting.management.pull('evil.example/a/b', new AbortController().signal);
  await assert.rejects(
    async () => {
      for await (const step of steps) assert.fail(step.status);
    },
    (error) => isObeliskError(error) && error.code === 'forbidden',
  );
  assert.deepEqual(sent(setting, '/api/pull'), []);
});
