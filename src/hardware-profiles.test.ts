import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import { startScriptedOllama } from '../test/scripted-ollama.ts';
import type { ScriptedOllama } from '../test/scripted-ollama.ts';
import { createObelisk } from './obelisk.ts';
import type { Obelisk } from './obelisk.ts';

const KEY = 'sk-admin-0123456789';

/** What the tests read of answers. */
type Answer = {
  readonly options: Readonly<Record<string, { readonly value: unknown; readonly source: string }>>;
  readonly requestOptions: readonly string[];
  readonly notices: readonly string[];
  readonly keepAlive?: number;
  readonly error: { readonly message: string };
  readonly data: readonly { readonly numCtx: number; readonly memoryBytes: number }[];
};

type Setting = {
  readonly ollama: ScriptedOllama;
  readonly obelisk: Obelisk;
  stop(): Promise<void>;
  metrics(): Promise<string>;
  ask(
    body: Record<string, unknown>,
    path?: string,
  ): Promise<{ status: number; headers: Headers; body: Answer }>;
  manage(method: string, at: string, body?: unknown): Promise<{ status: number; body: Answer }>;
};

/** The whole product before a scripted Ollama. */
async function serve(context: TestContext, ollamaYaml = ''): Promise<Setting> {
  const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-hardware-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const ollama = await startScriptedOllama({
    models: [{ name: 'tiny', contextLength: 8192, parameters: 'num_batch 128' }],
  });
  context.after(() => ollama[Symbol.asyncDispose]());
  return open(context, { folder, ollama, ollamaYaml });
}

type Place = { readonly folder: string; readonly ollama: ScriptedOllama; readonly ollamaYaml?: string };

async function open(context: TestContext, { folder, ollama, ollamaYaml = '' }: Place): Promise<Setting> {
  const config = path.join(folder, 'obelisk.yaml');
  writeFileSync(
    config,
    `vaults: []\nserver: {port: 0}\ngeneral_settings: {master_key: ${KEY}}\nproviders:\n  ollama:\n    url: ${ollama.url}\n${ollamaYaml}`,
  );
  const obelisk = await createObelisk({ config, dataDir: path.join(folder, 'data'), environment: {} });
  await obelisk.models();
  const { url, close } = await obelisk.listen();
  const stop = async (): Promise<void> => {
    await close();
    await obelisk.close();
  };
  context.after(stop);
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  return {
    ollama,
    obelisk,
    async ask(body, at = '/v1/chat/completions') {
      const whole = { model: 'tiny', messages: [{ role: 'user', content: 'hi' }], ...body };
      const response = await fetch(url + at, { method: 'POST', headers, body: JSON.stringify(whole) });
      return { status: response.status, headers: response.headers, body: (await response.json()) as Answer };
    },
    async manage(method, at, body) {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await fetch(url + at, { method, headers, ...sent });
      return { status: response.status, body: (await response.json()) as Answer };
    },
    stop,
    metrics: async () => (await fetch(`${url}/metrics`, { headers })).text(),
  };
}

test('clients that alternate every option reload nothing, and each gets its own sampling', async (context) => {
  const setting = await serve(context);
  const { ask, ollama } = setting;
  for (let turn = 0; turn < 4; turn += 1) {
    const one = await ask({ temperature: 0, num_ctx: 512, options: { num_thread: 2, num_gpu: 1 } });
    const two = await ask({ temperature: 1, seed: turn, options: { num_ctx: 4096, num_batch: 64 } });
    assert.deepEqual([one.status, two.status], [200, 200]);
    assert.equal(one.headers.get('x-obelisk-options-ignored'), 'num_gpu, num_thread');
    assert.equal(two.headers.get('x-obelisk-options-ignored'), 'num_batch');
    assert.equal(one.headers.get('x-obelisk-reload'), null);
  }
  assert.equal(ollama.loads.length, 1);
  const temperatures = ollama.sent('/api/chat').map((body) => Object(body['options']).temperature);
  assert.deepEqual(temperatures, [0, 1, 0, 1, 0, 1, 0, 1]);
});

test('an option that requests may set reloads the model each time, and says so', async (context) => {
  const setting = await serve(context, '    request_options: [num_ctx]\n');
  const { ask, ollama, manage } = setting;
  await ask({});
  const stop = new AbortController();
  const events = (await setting.obelisk.control()).events(stop.signal);
  const smaller = await ask({ options: { num_ctx: 512 } });
  assert.equal(smaller.headers.get('x-obelisk-reload'), 'num_ctx');
  const back = await ask({});
  assert.equal(back.headers.get('x-obelisk-reload'), 'num_ctx');
  assert.equal((await ask({})).headers.get('x-obelisk-reload'), null);
  assert.deepEqual(
    ollama.loads.map(({ reload }) => reload),
    [false, true, true],
  );
  for await (const event of events) {
    if (event.type !== 'reload') continue;
    assert.deepEqual([event.model, event.options], ['tiny:latest', ['num_ctx']]);
    stop.abort();
  }
  const metrics = await setting.metrics();
  assert.match(metrics, /obelisk_ollama_reloads_total\{[^}]*model="tiny:latest"[^}]*\} 2\n/);
  const profile = (await manage('GET', '/ollama/profiles/tiny')).body;
  assert.deepEqual(profile.requestOptions, ['num_ctx']);
  assert.match(profile.notices.join(), /may set num_ctx, and reloads/);
});

test('a profile is changed while requests are served, and the change outlives the program', async (context) => {
  const setting = await serve(context, '    model_overrides: {Tiny: {num_ctx: 2048}}\n');
  const { ask, ollama, manage, obelisk } = setting;
  await ask({});
  const patched = await manage('PATCH', '/ollama/profiles/tiny', {
    options: { num_ctx: 1024, num_thread: 3 },
    keepAlive: '30m',
  });
  assert.equal(patched.status, 200);
  assert.deepEqual(patched.body.options, {
    num_batch: { value: 128, source: 'model' },
    num_ctx: { value: 1024, source: 'run time' },
    num_thread: { value: 3, source: 'run time' },
  });
  assert.equal(patched.body.keepAlive, 1800);
  const answer = await ask({ keep_alive: 0 });
  assert.equal(answer.headers.get('x-obelisk-reload'), 'num_ctx, num_thread');
  assert.equal(answer.headers.get('x-obelisk-options-ignored'), 'keep_alive');
  const last = ollama.sent('/api/chat').at(-1);
  assert.deepEqual(last?.['options'], { num_ctx: 1024, num_batch: 128, num_thread: 3 });
  assert.equal(last?.['keep_alive'], 1800);
  const [model] = await obelisk.models();
  assert.equal(model?.capabilities.servedContext, 1024);
  await setting.stop();
  const folder = path.dirname(obelisk.config.settings.dataDir);
  const again = await open(context, { folder, ollama });
  assert.equal((await again.manage('GET', '/ollama/profiles/tiny')).body.options['num_thread']?.value, 3);
});

test('what Ollama does not have is refused over HTTP and in the library, with what to use instead', async (context) => {
  const setting = await serve(context);
  const { manage, obelisk } = setting;
  const refused = await manage('PATCH', '/ollama/profiles/tiny', { options: { use_mlock: true } });
  assert.equal(refused.status, 400);
  assert.match(refused.body.error.message, /use_mlock cannot be used: .*keep_alive/);
  assert.throws(() => obelisk.configureHardware({ num_gpu: 2, num_thread: 8, gpu_memory_fraction: 0.9 }), {
    code: 'invalid_request',
    param: 'gpu_memory_fraction',
    message: /OLLAMA_GPU_OVERHEAD/,
  });
  assert.deepEqual(
    (await manage('GET', '/ollama/profiles/default')).body.options,
    {},
    'a call that fails changes nothing',
  );
});

test('configureHardware sets the profile of every model, or of one', async (context) => {
  const setting = await serve(context);
  const { ask, obelisk, ollama } = setting;
  const all = obelisk.configureHardware({ num_gpu: 2, num_thread: 8, keep_alive: '1h' });
  assert.equal(all.model, 'default');
  assert.equal(all.keepAlive, 3600);
  assert.match(all.notices.join(), /num_gpu: 2 places up to 2 layers on the GPU; it does not count GPUs/);
  obelisk.configureHardware({ num_gpu: -1 }, { model: 'tiny' });
  await ask({});
  assert.deepEqual(ollama.sent('/api/chat')[0]?.['options'], {
    num_ctx: 8192,
    num_batch: 128,
    num_gpu: -1,
    num_thread: 8,
  });
  obelisk.configureHardware({ num_gpu: null, num_thread: null, keep_alive: null });
  assert.deepEqual((await obelisk.control()).profile('default').options, {});
});

test('what a model takes is told before it is loaded, and what is not known is said', async (context) => {
  const setting = await serve(context, '    memory: 8GB\n');
  const { manage, ollama } = setting;
  const [fit] = (await manage('GET', '/ollama/fit/tiny')).body.data;
  assert.equal(fit?.numCtx, 8192);
  assert.equal(fit?.memoryBytes, 8e9);
  const missing = await manage('GET', '/ollama/fit/nope');
  assert.equal(missing.status, 404);
  assert.match(missing.body.error.message, /get it with: obelisk models pull nope/);
  assert.deepEqual(ollama.loads, []);
});
