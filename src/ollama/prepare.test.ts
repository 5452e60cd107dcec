import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toOllamaModel } from './fleet/model-facts.ts';
import type { OllamaModel } from './fleet/model-facts.ts';
import { profilesOf } from '../../test/ollama-profiles.ts';
import { effectiveOptions, servedContext } from './prepare.ts';

const TARGET = { baseUrl: 'http://127.0.0.1:11434', model: 'llama3:latest', defaults: {} };

function model(more: Partial<OllamaModel> = {}): OllamaModel {
  const told = { model_info: { 'general.architecture': 'llama', 'llama.context_length': 131_072 } };
  return { ...toOllamaModel({ name: 'llama3:latest' }, told), ...more };
}

test('the context that is served is the one a request without num_ctx is sent with', () => {
  const usual = profilesOf();
  const large = profilesOf({ hardware: { num_ctx: 32_768 } });
  const cases = [
    [TARGET, { model: model(), profiles: usual }, 16_384],
    [TARGET, { model: model({ contextLength: 2_048 }), profiles: usual }, 2_048],
    [TARGET, { model: model({ ownOptions: { num_ctx: 8_192 } }), profiles: usual }, 8_192],
    [TARGET, { model: model(), profiles: large }, 32_768],
    [{ ...TARGET, defaults: { num_ctx: 512, temperature: 'hot' } }, { model: model(), profiles: large }, 512],
  ] as const;
  for (const [target, facts, expected] of cases) {
    assert.equal(servedContext(target, facts), expected);
    const defaults = { ...target.defaults, temperature: 1 };
    const sent = effectiveOptions({ ...target, defaults }, facts, { options: {} });
    assert.equal(sent.numCtx, expected);
  }
});

test('of an unknown model, and of one of Ollama’s cloud, no context is claimed', () => {
  const profiles = profilesOf();
  assert.equal(servedContext(TARGET, { model: undefined, profiles }), undefined);
  const remote = model({ remoteHost: 'ollama.com' });
  assert.equal(servedContext(TARGET, { model: remote, profiles }), undefined);
});

test('keep_alive is the request’s, else the deployment’s; a profile that has one keeps it', () => {
  const deployed = { ...TARGET, defaults: { keep_alive: '1h' } };
  const keptFor = (
    target: typeof TARGET | typeof deployed,
    hardware: Readonly<Record<string, number | boolean>>,
    { keepAlive, allowed = [] }: { keepAlive?: number | string; allowed?: readonly string[] } = {},
  ) => {
    const profiles = profilesOf({ hardware, requestOptions: allowed });
    const served = effectiveOptions(target, { model: model(), profiles }, { options: {}, keepAlive });
    return [served.keepAlive, served.ignored];
  };
  assert.deepEqual(keptFor(TARGET, {}), [undefined, []]);
  assert.deepEqual(keptFor(TARGET, {}, { keepAlive: 0 }), [0, []]);
  assert.deepEqual(keptFor(deployed, {}), ['1h', []]);
  assert.deepEqual(keptFor(deployed, {}, { keepAlive: '5m' }), ['5m', []]);
  const kept = { keep_alive: 600 };
  assert.deepEqual(keptFor(TARGET, kept), [600, []]);
  assert.deepEqual(keptFor(TARGET, kept, { keepAlive: 0 }), [600, ['keep_alive']]);
  assert.deepEqual(keptFor(deployed, kept, { keepAlive: 0 }), ['1h', ['keep_alive']]);
  assert.deepEqual(keptFor(TARGET, kept, { keepAlive: 0, allowed: ['keep_alive'] }), [0, []]);
});
