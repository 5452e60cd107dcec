import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { createOllamaClient } from './client.ts';
import type { OllamaClient } from './client.ts';
import { createUpstreamClient } from '../../wire/upstream-client.ts';
import { startScriptedOllama } from '../../../test/scripted-ollama.ts';
import type { ScriptedOllama, ScriptedOllamaOptions } from '../../../test/scripted-ollama.ts';

type Setting = AsyncDisposable & { readonly ollama: ScriptedOllama; readonly client: OllamaClient };

async function start(options: ScriptedOllamaOptions): Promise<Setting> {
  const ollama = await startScriptedOllama(options);
  const upstream = createUpstreamClient();
  return {
    ollama,
    client: createOllamaClient({ url: ollama.url, upstream }),
    async [Symbol.asyncDispose]() {
      await upstream.close();
      await ollama[Symbol.asyncDispose]();
    },
  };
}

const never = new AbortController().signal;

async function say(client: OllamaClient, options: object = {}): Promise<string> {
  let said = '';
  const body = { model: 'tiny', prompt: 'hi', options: { ...options } };
  for await (const line of client.generate(body, never)) said += line.response ?? '';
  return said;
}

test('it loads once, reloads for other runner options, and says so', async () => {
  await using setting = await start({ models: [{ name: 'tiny' }] });
  assert.equal(await say(setting.client), 'Hello there!');
  await say(setting.client, { temperature: 1 });
  await say(setting.client, { num_ctx: 1024 });
  assert.deepEqual(setting.ollama.loads, [
    { model: 'tiny:latest', options: {}, reload: false },
    { model: 'tiny:latest', options: { num_ctx: 1024 }, reload: true },
  ]);
  assert.equal((await setting.client.ps())[0]?.context_length, 1024);
  await setting.client.unload('tiny');
  assert.deepEqual(await setting.client.ps(), []);
});

test('it evicts the idle model with the shortest time left', async () => {
  const models = ['a', 'b', 'c'].map((name) => ({ name }));
  await using setting = await start({ models, maxLoaded: 2 });
  await setting.client.load({ model: 'a', keep_alive: -1 });
  await setting.client.load({ model: 'b', keep_alive: '1m' });
  await setting.client.load({ model: 'c' });
  for (const { shift } of setting.ollama.sent('/api/generate')) assert.equal(shift, false, 'as every chat');
  assert.deepEqual(setting.ollama.loaded(), ['a:latest', 'c:latest']);
});

test('it loads once for many at once, and is gone and back as it is told', async () => {
  await using setting = await start({ models: [{ name: 'tiny' }], parallel: 2, wordMs: 2 });
  const all = await Promise.all(Array.from({ length: 6 }, () => say(setting.client)));
  assert.deepEqual(new Set(all), new Set(['Hello there!']));
  assert.equal(setting.ollama.loads.length, 1);
  await setting.ollama.kill();
  await assert.rejects(say(setting.client), { code: 'upstream_unreachable' });
  await setting.ollama.revive();
  assert.equal(await say(setting.client), 'Hello there!');
  assert.equal(setting.ollama.loads.length, 2);
});

test('it pulls what its registry has, and makes models of what was uploaded', async () => {
  await using setting = await start({ registry: [{ name: 'far' }] });
  const { client, ollama } = setting;
  const all = async (steps: AsyncIterable<{ status: string }>): Promise<string> => {
    let last = '';
    for await (const { status } of steps) last = status;
    return last;
  };
  assert.equal(await all(client.pull('far', never)), 'success');
  await assert.rejects(all(client.pull('nowhere', never)), { message: /file does not exist/ });
  const bytes = Buffer.from('GGUF');
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const create = { model: 'new', files: { 'a.gguf': digest } };
  await assert.rejects(all(client.create(create, never)), { message: /no such file/ });
  assert.equal(await client.hasBlob(digest), false);
  await client.uploadBlob({
    digest,
    bytes: bytes.length,
    async *open() {
      await Promise.resolve();
      yield bytes;
    },
  });
  assert.equal(await client.hasBlob(digest), true);
  assert.equal(await all(client.create(create, never)), 'success');
  assert.deepEqual([...ollama.models.keys()], ['far:latest', 'new:latest']);
});

test('a newer server lists with each model what an older one tells only of one at a time', async () => {
  const models = [{ name: 'tiny', capabilities: ['completion', 'tools'], contextLength: 4096 }];
  await using older = await start({ models });
  const [old] = await older.client.tags();
  assert.deepEqual([old?.capabilities, old?.details?.context_length], [undefined, undefined]);
  await using newer = await start({ models, version: '0.33.0' });
  const [tag] = await newer.client.tags();
  assert.deepEqual([tag?.capabilities, tag?.details?.context_length], [['completion', 'tools'], 4096]);
  assert.deepEqual((await newer.client.show('tiny')).capabilities, ['completion', 'tools']);
});
