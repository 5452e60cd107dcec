import assert from 'node:assert/strict';
import { once, EventEmitter } from 'node:events';
import { test } from 'node:test';

import type { LogFields, Logger } from '../../telemetry/log.ts';
import { silentLogger } from '../../telemetry/log.ts';
import { LOCAL_CLOCKS } from '../../wire/upstream.ts';
import { createUpstreamClient } from '../../wire/upstream-client.ts';
import { answer, json, ollama, routes } from '../../../test/upstream-scripts.ts';
import type { OllamaModel as ScriptedModel } from '../../../test/upstream-scripts.ts';
import { reset, stall, startUpstream } from '../../../test/upstream.ts';
import type { Script, TestUpstream } from '../../../test/upstream.ts';
import { createOllamaClient } from '../api/client.ts';
import { createOllamaDiscovery } from './discovery.ts';
import type { OllamaDiscovery, OllamaDiscoveryOptions } from './discovery.ts';

type Entry = { readonly level: string; readonly message: string; readonly fields: LogFields };

function recorder(entries: Entry[]): Logger {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}) => {
      entries.push({ level, message, fields });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

type Setting = AsyncDisposable & {
  readonly server: TestUpstream;
  readonly discovery: OllamaDiscovery;
  readonly entries: readonly Entry[];
};

async function start(
  script: Script,
  more: Partial<OllamaDiscoveryOptions> = {},
  lookMs?: number,
): Promise<Setting> {
  const server = await startUpstream(script);
  const upstream = createUpstreamClient({ tickMs: 5 });
  const entries: Entry[] = [];
  const clocks = lookMs === undefined ? {} : { lookClocks: { ...LOCAL_CLOCKS, firstByteMs: lookMs } };
  const client = createOllamaClient({ url: server.origin, upstream, ...clocks });
  const discovery = createOllamaDiscovery({ client, pollMs: 20, logger: recorder(entries), ...more });
  return {
    server,
    discovery,
    entries,
    async [Symbol.asyncDispose]() {
      await discovery.stop();
      await upstream.close();
      await server.close();
    },
  };
}

const told = (entries: readonly Entry[]): readonly string[] =>
  entries.filter((entry) => entry.level !== 'debug').map((entry) => entry.message);

test('the models are found with what they can do', async () => {
  await using setting = await start(
    ollama([
      { name: 'llama3:latest', capabilities: ['completion', 'tools'], contextLength: 8192 },
      { name: 'minilm:latest', capabilities: ['embedding'], contextLength: 512 },
      { name: 'big:cloud', capabilities: ['completion'] },
    ]),
  );
  const { discovery } = setting;
  assert.equal(discovery.state().kind, 'starting');
  await discovery.refresh();
  assert.deepEqual(discovery.state(), { kind: 'up', version: '0.30.0' });
  assert.deepEqual(
    discovery
      .models()
      .map(({ name, chat, embedding, contextLength, remoteHost }) => [
        name,
        chat,
        embedding,
        contextLength,
        remoteHost,
      ]),
    [
      ['big:cloud', true, false, 8192, 'ollama.com'],
      ['llama3:latest', true, false, 8192, undefined],
      ['minilm:latest', false, true, 512, undefined],
    ],
  );
  assert.equal(discovery.model('LLAMA3')?.name, 'llama3:latest');
  assert.equal(discovery.model('llama'), undefined);
});

test('each digest is described once, however often is looked', async () => {
  await using setting = await start(ollama([{ name: 'a:latest' }, { name: 'b:latest' }]));
  for (let look = 0; look < 3; look += 1) await setting.discovery.refresh();
  const shows = setting.server.requests.filter((request) => request.path === '/api/show');
  assert.equal(shows.length, 2);
});

test('a model that cannot be described is listed all the same, and asked for again', async () => {
  let broken = true;
  const models: readonly ScriptedModel[] = [{ name: 'a:latest', capabilities: ['embedding'] }];
  await using setting = await start((request, index) => {
    if (request.path === '/api/show' && broken) return [json({ error: 'boom' }, 500)];
    return ollama(models)(request, index);
  });
  await setting.discovery.refresh();
  assert.equal(setting.discovery.model('a')?.chat, true);
  broken = false;
  await setting.discovery.refresh();
  assert.equal(setting.discovery.model('a')?.chat, false);
  assert.equal(setting.discovery.model('a')?.embedding, true);
});

test('models come and go with the host; its names are remembered; changes are told once', async () => {
  let models: readonly ScriptedModel[] = [{ name: 'a:latest' }];
  const seen: (readonly string[])[] = [];
  const live: Script = (request, index) => ollama(models)(request, index);
  await using setting = await start(live, { onSeen: (names) => seen.push(names) });
  const { discovery, entries, server } = setting;
  let changes = 0;
  discovery.onChange(() => (changes += 1));
  await discovery.refresh();
  await discovery.refresh();
  assert.equal(changes, 1);
  models = [{ name: 'a:latest' }, { name: 'b:latest' }];
  await discovery.refresh();
  assert.equal(changes, 2);
  assert.deepEqual(seen, [['a:latest'], ['a:latest', 'b:latest']]);

  await server.close();
  await discovery.refresh();
  await discovery.refresh();
  assert.equal(changes, 3);
  assert.equal(discovery.state().kind, 'away');
  assert.deepEqual(discovery.models(), []);
  assert.equal(discovery.wasSeen('b'), true);
  assert.equal(discovery.wasSeen('c'), false);

  await using again = await startUpstream(live, { port: Number(new URL(server.origin).port) });
  assert.equal(again.origin, server.origin);
  await discovery.refresh();
  assert.equal(discovery.models().length, 2);
  assert.deepEqual(told(entries), [
    'Ollama found',
    'the models of Ollama changed',
    'Ollama is not there; looking for it',
    'Ollama found',
  ]);
});

test('names of an earlier process are known before the host is found', async () => {
  await using setting = await start([stall], { seen: ['llama3:latest'] });
  assert.equal(setting.discovery.wasSeen('ollama3'), false);
  assert.equal(setting.discovery.wasSeen('llama3'), true);
});

test('a model that was deleted is forgotten, and its host away means nothing for it', async () => {
  let models: readonly ScriptedModel[] = [{ name: 'a:latest' }, { name: 'b:latest' }];
  const seen: (readonly string[])[] = [];
  const live: Script = (request, index) => ollama(models)(request, index);
  await using setting = await start(live, { seen: ['old:latest'], onSeen: (names) => seen.push(names) });
  const { discovery, server } = setting;
  await discovery.refresh();
  models = [{ name: 'b:latest' }];
  await discovery.refresh();
  await discovery.refresh();
  assert.deepEqual(seen, [['a:latest', 'b:latest'], ['b:latest']]);
  await server.close();
  await discovery.refresh();
  assert.deepEqual(
    ['old', 'a', 'b'].map((name) => discovery.wasSeen(name)),
    [false, false, true],
  );
});

test('the same models in another order are no change', async () => {
  const models: ScriptedModel[] = [{ name: 'a:latest' }, { name: 'b:latest' }];
  const live: Script = (request, index) => ollama(models)(request, index);
  await using setting = await start(live);
  const { discovery, entries } = setting;
  await discovery.refresh();
  models.reverse();
  await discovery.refresh();
  assert.deepEqual(told(entries), ['Ollama found']);
  assert.deepEqual(
    discovery.models().map((model) => model.name),
    ['a:latest', 'b:latest'],
  );
});

test('it goes on looking by itself, and stops when told', async () => {
  await using setting = await start(ollama([{ name: 'a:latest' }]));
  const { discovery, server } = setting;
  await discovery.start();
  // Each look asks for tags and ps; the third look has come by the seventh request.
  await server.request(7);
  await discovery.stop();
  const { length } = server.requests;
  await discovery.refresh();
  assert.equal(server.requests.length, length);
});

test('a look is shared by all who ask for one at the same time', async () => {
  await using setting = await start(ollama([]));
  await Promise.all([setting.discovery.refresh(), setting.discovery.refresh()]);
  assert.equal(setting.server.requests.filter((request) => request.path === '/api/tags').length, 1);
});

test('stopping does not wait for a host that is silent', async () => {
  await using setting = await start([stall]);
  const events = new EventEmitter();
  void setting.discovery.start().then(() => events.emit('started'));
  await setting.server.request(0);
  const started = once(events, 'started');
  await setting.discovery.stop();
  await started;
  assert.equal(setting.discovery.state().kind, 'starting');
});

test('a host that is late twice keeps its models, the third time it is away', async () => {
  let late = false;
  await using setting = await start(
    (request, index) => {
      if (late && request.path === '/api/tags') return [stall];
      return ollama([{ name: 'a:latest' }])(request, index);
    },
    {},
    600,
  );
  const { discovery } = setting;
  await discovery.refresh();
  late = true;
  await discovery.refresh();
  await discovery.refresh();
  assert.equal(discovery.models().length, 1);
  await discovery.refresh();
  assert.equal(discovery.state().kind, 'away');
  assert.deepEqual(discovery.models(), []);
});

test('something else at the address is named as such, and once', async () => {
  await using setting = await start([answer(200, 'text/html', '<html></html>')]);
  await setting.discovery.refresh();
  await setting.discovery.refresh();
  assert.equal(setting.discovery.state().kind, 'wrong');
  assert.deepEqual(told(setting.entries), ['the address of Ollama is not one of Ollama']);
});

test('a server without /api/ps and /api/version still serves', async () => {
  await using setting = await start(
    routes({
      'GET /api/tags': [json({ models: [{ name: 'a:latest' }] })],
      'POST /api/show': [json({ capabilities: ['completion'] })],
    }),
    { logger: silentLogger },
  );
  await setting.discovery.refresh();
  assert.deepEqual(setting.discovery.state(), { kind: 'up', version: 'unknown' });
  assert.equal(setting.discovery.models().length, 1);
});

test('each look tells what is loaded, or that the host is away', async () => {
  const told: unknown[] = [];
  let isThere = true;
  const usual = ollama([{ name: 'a:latest' }]);
  await using setting = await start(
    (request, index) => {
      if (!isThere) return [reset];
      if (request.path === '/api/ps') return [json({ models: [{ name: 'a:latest', size: 7 }] })];
      return usual(request, index);
    },
    { onLook: () => (found) => told.push(found?.running.map(({ name }) => name)) },
  );
  const { discovery } = setting;
  await discovery.refresh();
  await discovery.refresh();
  isThere = false;
  await discovery.refresh();
  assert.deepEqual(told, [['a:latest'], ['a:latest'], undefined]);
});
