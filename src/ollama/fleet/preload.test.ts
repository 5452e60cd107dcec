import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { PreloadSettings } from '../../shared/ollama-hosts.ts';
import { silentLogger } from '../../telemetry/log.ts';
import { createDrainSwitch } from './fleet-host.ts';
import { createOllamaFleet } from './fleet.ts';
import { createPreloader } from './preload.ts';
import { createOllamaClient } from '../api/client.ts';
import { createOllamaDiscovery } from './discovery.ts';
import { createUpstreamClient } from '../../wire/upstream-client.ts';
import { startScriptedOllama } from '../../../test/scripted-ollama.ts';

const OWN = { weight: 1, tags: ['gpu'], parallel: 1, hardware: {}, modelOverrides: {} };

test('a model is loaded at its time of day, on each host that is named, day after day', async (context) => {
  await using server = await startScriptedOllama({ models: [{ name: 'one' }, { name: 'two' }] });
  const upstream = createUpstreamClient();
  const client = createOllamaClient({ url: server.url, upstream });
  const discovery = createOllamaDiscovery({ client, pollMs: 60_000, logger: silentLogger });
  await discovery.refresh();
  const fleet = createOllamaFleet({
    hosts: [{ name: 'a', url: server.url, ...OWN }],
    sideOf: () => ({ client, discovery, drain: createDrainSwitch() }),
    modelHosts: {},
    allowCloud: false,
  });
  const entries: readonly PreloadSettings[] = [
    { model: 'one', at: '08:30', hosts: ['gpu'] },
    { model: 'two', at: '08:30', hosts: ['elsewhere'] },
    { model: 'two', at: '09:00', days: [2] },
    { model: 'gone', at: '08:30' },
  ];
  // A Monday, by this machine's own zone.
  context.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: new Date(2026, 10, 23, 8, 0) });
  const loaded: string[] = [];
  const preloader = createPreloader({
    entries,
    fleet,
    load: ({ name }, { model }) => {
      loaded.push(`${new Date().getDate()}. ${new Date().getHours()} h: ${model} on ${name}`);
      return Promise.resolve();
    },
    logger: silentLogger,
    now: () => new Date(),
  });
  preloader.start();
  const pass = async (hours: number): Promise<void> => {
    for (let step = 0; step < hours * 120; step += 1) {
      context.mock.timers.tick(30_000);
      await Promise.resolve();
    }
  };
  await pass(1);
  assert.deepEqual(loaded, ['23. 8 h: one on a']);
  await pass(25);
  assert.deepEqual(loaded.slice(1), ['24. 8 h: one on a', '24. 9 h: two on a']);
  fleet.drain('a', true);
  await pass(24);
  assert.equal(loaded.length, 3, 'a drained host loads nothing');
  await preloader.stop();
  context.mock.timers.reset();
  fleet.end();
  await upstream.close();
});
