import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Secret } from '../shared/secret.ts';
import type { Logger } from '../telemetry/log.ts';
import { createUpstreamClient } from '../wire/upstream-client.ts';
import { answer, json } from '../../test/upstream-scripts.ts';
import { startUpstream } from '../../test/upstream.ts';
import type { Script, TestUpstream } from '../../test/upstream.ts';
import { createProxyModels } from './proxy-models.ts';
import type { ProxyModels } from './proxy-models.ts';

type Setting = AsyncDisposable & {
  readonly server: TestUpstream;
  readonly proxy: ProxyModels;
  readonly lines: readonly string[];
};

async function start(script: Script, path = '/v1'): Promise<Setting> {
  const server = await startUpstream(script);
  const upstream = createUpstreamClient();
  const lines: string[] = [];
  const note = (message: string): void => void lines.push(message);
  const logger: Logger = { debug: note, info: note, warn: note, error: note };
  const proxy = createProxyModels({
    proxy: { apiBase: `${server.origin}${path}`, apiKey: new Secret('sk-proxy') },
    upstream,
    pollMs: 60_000,
    logger,
  });
  return {
    server,
    proxy,
    lines,
    async [Symbol.asyncDispose]() {
      await proxy.stop();
      await upstream.close();
      await server.close();
    },
  };
}

test('the models of a proxy are listed once each and kept as the same objects', async () => {
  await using setting = await start([json({ data: [{ id: 'gpt-4' }, { id: 'gpt-4' }, { id: 'claude' }] })]);
  const { proxy, server, lines } = setting;
  let changes = 0;
  proxy.onChange(() => (changes += 1));
  assert.match(proxy.trouble() ?? '', /not been found yet/);
  await proxy.refresh();
  const [first] = proxy.models();
  await proxy.refresh();
  assert.equal(server.requests[0]?.path, '/v1/models');
  assert.deepEqual(
    proxy.models().map((model) => model.modelName),
    ['gpt-4', 'claude'],
  );
  assert.equal(proxy.model('gpt-4'), first);
  assert.equal(proxy.trouble(), undefined);
  assert.equal(changes, 1);
  assert.deepEqual(lines, ['LiteLLM proxy found']);
});

test('what is wrong with a proxy is said once, without its key', async () => {
  const cases: readonly (readonly [Script, RegExp])[] = [
    [[json({ error: {} }, 401)], /401; check providers\.litellm\.api_key/],
    [[json({ models: [] })], /did not answer \/models with a list/],
    [[answer(200, 'text/html', '<html>')], /did not answer \/models with a list/],
    [[json({ error: {} }, 508)], /is this Obelisk itself/],
    [[json({}, 500)], /answered \/models with 500/],
  ];
  for (const [script, expected] of cases) {
    await using setting = await start(script);
    await setting.proxy.refresh();
    await setting.proxy.refresh();
    assert.match(setting.proxy.trouble() ?? '', expected);
    assert.doesNotMatch(setting.proxy.trouble() ?? '', /sk-proxy/);
    assert.deepEqual(setting.lines, ['the LiteLLM proxy cannot be used']);
  }
});

test('models leave the list with the proxy and are remembered by name', async () => {
  await using setting = await start([json({ data: [{ id: 'gpt-4' }] })]);
  await setting.proxy.refresh();
  await setting.server.close();
  await setting.proxy.refresh();
  assert.deepEqual(setting.proxy.models(), []);
  assert.equal(setting.proxy.wasSeen('gpt-4'), true);
  assert.equal(setting.proxy.wasSeen('gpt-5'), false);
  assert.deepEqual(setting.lines, ['LiteLLM proxy found', 'the LiteLLM proxy cannot be used']);
});
