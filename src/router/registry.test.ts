import assert from 'node:assert/strict';
import { test } from 'node:test';

import { meaning, startRegistry as start } from '../../test/registry-setting.ts';
import { ollama } from '../../test/upstream-scripts.ts';
import { startUpstream } from '../../test/upstream.ts';

const LLAMA = { name: 'llama3:latest', capabilities: ['completion'] };
const MINILM = { name: 'minilm:latest', capabilities: ['embedding'] };

test('every spelling of a model of Ollama means the same one', async () => {
  await using setting = await start({ models: [LLAMA] });
  for (const name of [
    'llama3',
    'llama3:latest',
    'ollama/llama3',
    'ollama_chat/llama3:latest',
    'LLaMA3',
    'library/llama3',
  ]) {
    assert.equal(meaning(setting.registry.resolve(name)), 'ollama llama3:latest -> llama3:latest', name);
  }
  assert.deepEqual(
    setting.registry.list().map((deployment) => deployment.modelName),
    ['llama3:latest'],
  );
});

test('a deployment stays the same object while nothing changes', async () => {
  await using setting = await start({
    models: [LLAMA],
    modelList: [{ modelName: 'a' }, { modelName: 'x/*', model: 'openai/*' }],
  });
  for (const name of ['llama3', 'a', 'x/y']) {
    const [one, two] = [setting.registry.resolve(name), setting.registry.resolve(name)];
    assert.ok(one.kind === 'found' && two.kind === 'found');
    assert.equal(one.deployment, two.deployment, name);
  }
});

test('model_list wins a collision and is listed once', async () => {
  await using setting = await start({
    models: [LLAMA],
    modelList: [{ modelName: 'llama3:latest', model: 'openai/gpt-4o' }],
  });
  assert.equal(meaning(setting.registry.resolve('llama3:latest')), 'openai llama3:latest -> gpt-4o');
  assert.equal(meaning(setting.registry.resolve('ollama/llama3')), 'ollama llama3:latest -> llama3:latest');
  assert.equal(setting.registry.list().length, 1);
});

test('an entry of the Ollama that was found can do what its model can', async () => {
  await using setting = await start({
    models: [{ ...MINILM, contextLength: 512 }],
    modelList: [{ modelName: 'my-embed', model: 'ollama/minilm', params: { num_ctx: 256 } }],
  });
  const resolution = setting.registry.resolve('my-embed');
  assert.ok(resolution.kind === 'found');
  assert.equal(resolution.deployment.capabilities.embedding, true);
  assert.equal(resolution.deployment.capabilities.contextLength, 512);
  assert.deepEqual(resolution.deployment.defaults, { num_ctx: 256 });
});

test('a name means every deployment of it, the same group while nothing changes', async () => {
  await using setting = await start({
    models: [LLAMA],
    modelList: [
      { modelName: 'gpt', model: 'openai/a' },
      { modelName: 'gpt', model: 'ollama/llama3' },
    ],
  });
  const { registry, server, discovery } = setting;
  const [one, two] = [registry.resolve('gpt'), registry.resolve('gpt')];
  assert.ok(one.kind === 'found' && two.kind === 'found');
  assert.deepEqual(
    one.group.map(({ dialect, model }) => `${dialect} ${model}`),
    ['openai a', 'ollama llama3:latest'],
  );
  assert.equal(one.deployment, one.group[0]);
  assert.equal(one.group, two.group);
  assert.equal(registry.list().filter((deployment) => deployment.modelName === 'gpt').length, 1);
  await server.close();
  await discovery.refresh();
  const left = registry.resolve('gpt');
  assert.ok(left.kind === 'found');
  assert.deepEqual(
    left.group.map(({ dialect }) => dialect),
    ['openai'],
  );
});

test('who asks for a model of an Ollama that was away may have it looked for, not more often than twice a second', async () => {
  await using setting = await start({ models: [LLAMA] });
  const { registry, server, discovery } = setting;
  await server.close();
  await discovery.refresh();
  const away = registry.resolve('llama3');
  assert.ok(away.kind === 'away' && away.look);
  await away.look();
  const still = registry.resolve('llama3');
  assert.ok(still.kind === 'away' && still.look === undefined);
  setting.passMs(500);
  await using _back = await startUpstream(ollama([LLAMA]), { port: Number(new URL(server.origin).port) });
  const again = registry.resolve('llama3');
  assert.ok(again.kind === 'away' && again.look);
  await again.look();
  assert.equal(meaning(registry.resolve('llama3')), 'ollama llama3:latest -> llama3:latest');
});

test('when Ollama goes its models leave the list, and who asks for one is told host and remedy', async () => {
  await using setting = await start({
    models: [LLAMA],
    modelList: [
      { modelName: 'mine', model: 'ollama/llama3' },
      { modelName: 'gpt', model: 'openai/a' },
    ],
  });
  const { registry, server, discovery } = setting;
  assert.deepEqual(
    registry.list().map((deployment) => deployment.modelName),
    ['mine', 'gpt', 'llama3:latest'],
  );
  await server.close();
  await discovery.refresh();
  assert.deepEqual(
    registry.list().map((deployment) => deployment.modelName),
    ['gpt'],
  );
  for (const name of ['llama3', 'ollama/llama3', 'ollama/never-seen', 'mine']) {
    assert.match(
      meaning(registry.resolve(name)),
      /^away ollama http:\/\/127\.0\.0\.1:\d+: start it with "ollama serve"/,
      name,
    );
  }
  assert.match(meaning(registry.resolve('never-seen')), /^unknown/);
  assert.equal(meaning(registry.resolve('gpt')), 'openai gpt -> a');
  assert.equal(registry.defaultChat(), undefined);
});

test('an unknown name gets the nearest ones', async () => {
  await using setting = await start({ models: [LLAMA], vaults: ['Notes'] });
  assert.equal(meaning(setting.registry.resolve('lama3:latest')), 'unknown, nearest llama3:latest');
  assert.equal(meaning(setting.registry.resolve('llma3')), 'unknown, nearest llama3:latest');
  assert.equal(meaning(setting.registry.resolve('vault/Note')), 'unknown, nearest vault/Notes');
  assert.equal(meaning(setting.registry.resolve('zzz')), 'unknown, nearest ');
});

test('a vault is a model, by any spelling, with or without who writes', async () => {
  await using setting = await start({ models: [LLAMA], vaults: ['Müller Notes'] });
  const { registry } = setting;
  assert.equal(
    meaning(registry.resolve('vault/Mu\u0308ller%20Notes')),
    'vault vault/Müller Notes -> Müller Notes',
  );
  const written = registry.resolve('vault/Müller Notes:llama3');
  assert.ok(written.kind === 'found');
  assert.equal(written.deployment.writer, 'llama3');
  assert.equal(written.deployment.modelName, 'vault/Müller Notes:llama3');
  assert.equal(meaning(registry.resolve('vault/Müller Notes:extractive')).startsWith('vault '), true);
  assert.match(meaning(registry.resolve('vault/Müller Notes:lama3')), /^unknown/);
  assert.match(meaning(registry.resolve('vault/Müller Notes:vault/Müller Notes')), /^unknown/);
  assert.deepEqual(
    registry.list().map((deployment) => deployment.modelName),
    ['llama3:latest', 'vault/Müller Notes'],
  );
});

test('a LiteLLM proxy is a backend: its models are found, and asked for with its key', async () => {
  await using setting = await start({ proxied: ['gpt-4', 'llama3:latest'], models: [LLAMA] });
  const { registry, proxyServer } = setting;
  assert.equal(proxyServer.requests[0]?.headers['authorization'], 'Bearer sk-proxy');
  assert.equal(meaning(registry.resolve('gpt-4')), 'openai gpt-4 -> gpt-4');
  assert.equal(
    meaning(registry.resolve('litellm_proxy/llama3:latest')),
    'openai llama3:latest -> llama3:latest',
  );
  assert.equal(meaning(registry.resolve('llama3:latest')), 'ollama llama3:latest -> llama3:latest');
  const found = registry.resolve('gpt-4');
  assert.ok(
    found.kind === 'found' && !found.deployment.local && found.deployment.apiKey?.reveal() === 'sk-proxy',
  );
  await using litellmFirst = await start({ mode: 'litellm', proxied: ['llama3:latest'], models: [LLAMA] });
  assert.equal(
    meaning(litellmFirst.registry.resolve('llama3:latest')),
    'openai llama3:latest -> llama3:latest',
  );
});

test('a proxy that went is named with what is wrong', async () => {
  await using setting = await start({ proxied: ['gpt-4'] });
  await setting.proxyServer.close();
  await setting.proxy?.refresh();
  assert.match(meaning(setting.registry.resolve('gpt-4')), /^away litellm http/);
  assert.match(meaning(setting.registry.resolve('litellm_proxy/any')), /^away litellm http/);
  assert.match(meaning(setting.registry.resolve('other')), /^unknown/);
});

test('a pattern covers what nothing else has, the most specific first, and is no name itself', async () => {
  const patterns = [
    { modelName: 'o*', model: 'openai/*' },
    { modelName: 'org/*', model: 'openai/our-*' },
  ];
  await using setting = await start({ models: [LLAMA], modelList: patterns });
  const means = (name: string): string => meaning(setting.registry.resolve(name));
  assert.equal(means('llama3'), 'ollama llama3:latest -> llama3:latest');
  assert.equal(means('o-4$&'), 'openai o-4$& -> -4$&');
  assert.equal(means('org/x'), 'openai org/x -> our-x');
  for (const name of ['o', 'o*', 'org/*']) assert.match(means(name), /^unknown/, name);
  assert.equal(setting.registry.list().length, 1);
});

test('an entry that leads nowhere says so when it is asked for, and is not listed', async () => {
  await using setting = await start({
    modelList: [{ modelName: 'claude', model: 'anthropic/claude', line: 3 }],
  });
  assert.match(
    meaning(setting.registry.resolve('claude')),
    /^unservable model_list, line 3: Obelisk does not speak/,
  );
  assert.deepEqual(setting.registry.list(), []);
  assert.deepEqual(
    setting.registry.unservable().map((entry) => entry.modelName),
    ['claude'],
  );
});

test('the defaults are a local chat and a local embedding model, or the ones that were named', async () => {
  const models = [LLAMA, MINILM, { name: 'big:cloud', capabilities: ['completion'] }];
  await using found = await start({ models });
  assert.equal(found.registry.defaultChat()?.modelName, 'llama3:latest');
  assert.equal(found.registry.defaultEmbedding()?.modelName, 'minilm:latest');
  await using named = await start({
    models,
    allowCloud: true,
    defaults: { defaultModel: 'big:cloud', defaultEmbeddingModel: 'nope' },
  });
  assert.equal(named.registry.defaultChat()?.modelName, 'big:cloud');
  assert.equal(named.registry.defaultEmbedding(), undefined);
  await using cloudOnly = await start({
    models: [{ name: 'big:cloud', capabilities: ['completion'] }],
    allowCloud: true,
  });
  assert.equal(cloudOnly.registry.defaultChat(), undefined);
});

test('a model that leaves the machine is not served before that is allowed, and says how', async () => {
  const models = [LLAMA, { name: 'big:cloud', capabilities: ['completion'] }];
  await using off = await start({
    models,
    modelList: [{ modelName: 'alias', model: 'ollama/big:cloud' }],
  });
  for (const name of ['big:cloud', 'ollama/big:cloud', 'alias']) {
    const resolution = off.registry.resolve(name);
    assert.match(meaning(resolution), /^unservable .*ollama\.com: .*allow_cloud$/, name);
  }
  assert.deepEqual(
    off.registry.list().map(({ modelName }) => modelName),
    ['llama3:latest'],
  );
  await using on = await start({ models, allowCloud: true });
  assert.equal(on.registry.resolve('big:cloud').kind, 'found');
});
