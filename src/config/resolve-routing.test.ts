import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createConfigFolder } from '../../test/config-folder.ts';

const { load, refusal } = createConfigFolder();

test('how requests are spread is read from LiteLLM’s keys, our own over them', () => {
  const { settings, notices, noEffect } = load(`
model_list:
  - model_name: a
    litellm_params:
      {model: openai/a, weight: 2, rpm: "60", tpm: 1000, max_parallel_requests: 3, num_retries: 9, timeout: 1.5, stream_timeout: 0.5, cooldown_time: 0, allowed_fails: 1}
  - {model_name: b, litellm_params: {model: openai/b}}
router_settings: {routing_strategy: latency-based-routing, num_retries: 1, timeout: 20, cooldown_time: 30, fallbacks: [{a: [b]}]}
litellm_settings: {num_retries: 4, request_timeout: 10}
upstream: {timeouts: {connect: 0.25, total: 5}}
`);
  assert.deepEqual(settings.modelList[0]?.routing, {
    weight: 2,
    rpm: 60,
    tpm: 1000,
    maxParallelRequests: 3,
    retries: 5,
    allowedFails: 1,
    cooldownMs: 0,
    timeoutMs: 1500,
    streamTimeoutMs: 500,
  });
  assert.deepEqual(settings.modelList[0]?.params, {});
  assert.equal(settings.modelList[1]?.routing, undefined);
  assert.deepEqual(settings.routing, {
    strategy: 'least-busy',
    retries: 1,
    cooldownMs: 30_000,
    retryAfterMs: 0,
    timeouts: { connectMs: 250, totalMs: 5_000 },
  });
  assert.match(notices.join('\n'), /latency-based-routing and uses least-busy.*\n.*5 times at most/);
  assert.deepEqual(
    noEffect.map(({ key }) => key),
    ['router_settings.fallbacks'],
  );
});

test('without a word about routing its defaults hold, and a wrong word is refused with its line', () => {
  assert.deepEqual(load('').settings.routing, {
    strategy: 'simple-shuffle',
    retries: 2,
    retryAfterMs: 0,
    timeouts: {},
  });
  assert.match(
    refusal('router_settings: {routing_strategy: least_busy}\n'),
    /FILE:1:\d+: router_settings.routing_strategy must be one of/,
  );
  assert.match(refusal('upstream: {timeouts: {conect: 1}}\n'), /did you mean "connect"/);
  assert.match(refusal('router_settings: {num_retires: 1}\n'), /num_retries/);
});

test('the configuration of the note on routing runs when pasted, without a notice', () => {
  const note = readFileSync('docs/Routing.md', 'utf8');
  const [, example = ''] = /```yaml\n(.*?)```/s.exec(note) ?? [];
  const { settings, notices, noEffect } = load(example);
  assert.deepEqual(
    settings.modelList.map(({ modelName }) => modelName),
    ['chat', 'chat'],
  );
  assert.deepEqual([...notices, ...noEffect], []);
});
