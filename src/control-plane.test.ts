import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { eventually, until } from '../test/eventually.ts';
import { openFleet } from '../test/fleet-house.ts';
import type { ControlEvent } from './ollama/control-plane.ts';

const NOTES = { name: 'notes' };
const BIG = { name: 'big', sizeBytes: 9_000_000_000 };

test('the models of every host are one list, which says where each is', async (context) => {
  const own = await openFleet(context, { hosts: [{ models: [NOTES, BIG] }, { models: [NOTES] }] });
  const models = await own.control.models();
  assert.deepEqual(
    models.map(({ name, hosts }) => [name, hosts.map(({ host }) => host)]),
    [
      ['big:latest', ['a']],
      ['notes:latest', ['a', 'b']],
    ],
  );
});

test('a model is shown from the host that has it, in any spelling, or from the one that is named', async (context) => {
  const own = await openFleet(context, { hosts: [{ models: [BIG] }, { models: [NOTES] }] });
  const { control, servers } = own;
  const shown = await control.show('registry.ollama.ai/library/Notes');
  assert.equal(shown.host, 'b');
  assert.deepEqual(shown.capabilities, ['completion']);
  assert.equal((await control.show('notes', { host: 'b', verbose: true })).host, 'b');
  assert.equal(servers[1]?.sent('/api/show').at(-1)?.['verbose'], true);
  await assert.rejects(control.show('notes', { host: 'a' }), { code: 'model_not_found' });
  await assert.rejects(control.show('notes', { host: 'c' }), {
    code: 'not_found',
    message: /no host c of Ollama/,
  });
  await assert.rejects(control.show('ntes'), {
    code: 'model_not_found',
    message: /did you mean notes\?/,
  });
  await assert.rejects(control.show('other'), { message: /get it with: obelisk models pull other/ });
});

test('what is copied and deleted is so on every host that has it, or on the one that is named', async (context) => {
  const own = await openFleet(context, { hosts: [{ models: [NOTES] }, { models: [NOTES] }] });
  const { control, servers } = own;
  const names = (): unknown => servers.map(({ models }) => [...models.keys()].toSorted());
  await control.copy('notes', 'team/notes');
  assert.deepEqual(names(), [
    ['notes:latest', 'team/notes:latest'],
    ['notes:latest', 'team/notes:latest'],
  ]);
  await control.remove('team/notes', { host: 'b' });
  await control.remove('NOTES:latest');
  assert.deepEqual(names(), [['team/notes:latest'], []]);
  assert.deepEqual(
    (await control.models()).map(({ name }) => name),
    ['team/notes:latest'],
  );
});

test('what only some hosts could do is an error that names those who did', async (context) => {
  const own = await openFleet(context, { hosts: [{ models: [NOTES] }, { models: [NOTES] }] });
  own.servers[1]?.always('/api/delete', { kind: 'refuse', status: 500, error: 'disk on fire' });
  await assert.rejects(own.control.remove('notes'), {
    code: 'upstream_error',
    message: /disk on fire.*\(done on a\)/,
  });
  assert.deepEqual(
    own.control.hosts().map(({ models }) => models),
    [0, 1],
    'and what was done is seen',
  );
});

test('a model is unloaded wherever it is loaded, and nowhere else', async (context) => {
  const own = await openFleet(context, { hosts: [{ models: [NOTES] }, { models: [NOTES] }] });
  const { control, servers } = own;
  const load = { method: 'POST', body: JSON.stringify({ model: 'notes', stream: false }) };
  await (await fetch(`${servers[1]?.url}/api/generate`, load)).text();
  assert.deepEqual(await control.unload('notes'), ['b']);
  assert.deepEqual(servers[1]?.loaded(), []);
  assert.deepEqual(await control.unload('notes'), []);
  assert.equal(servers[0]?.sent('/api/generate').length, 0);
  await assert.rejects(control.unload('other'), { code: 'model_not_found' });
});

test('a model of a host that is away is told apart from one that nobody has', async (context) => {
  const own = await openFleet(context, { hosts: [{ models: [NOTES] }, { models: [BIG] }] });
  await own.servers[1]?.kill();
  await own.control.models();
  await assert.rejects(own.control.show('big'), { code: 'model_unavailable', message: /^b, which has big/ });
  await assert.rejects(own.control.show('other'), { message: /they are away: b/ });
  assert.deepEqual(
    own.control.hosts().map(({ state }) => state),
    ['up', 'away'],
  );
});

test('memory is estimated for every host that has the model, and for one that might get it', async (context) => {
  const own = await openFleet(context, { hosts: [{ models: [NOTES] }, {}] });
  const [estimate, ...more] = await own.control.fit('notes', { numCtx: 1_000_000, parallel: 2 });
  assert.equal(more.length, 0);
  assert.equal(estimate?.host, 'a');
  assert.equal(estimate?.numCtx, 8_192, 'no more than it was trained for');
  assert.equal(estimate?.parallel, 2);
  const [other] = await own.control.fit('notes', { host: 'b' });
  assert.equal(other?.host, 'b');
  await assert.rejects(own.control.fit('other'), { code: 'model_not_found' });
});

test('a drained host says so and is heard of in the events that follow a request', async (context) => {
  const own = await openFleet(context, { hosts: [{ models: [NOTES] }, { models: [NOTES] }] });
  const { control } = own;
  assert.equal(control.drain('a', true).draining, true);
  const stop = new AbortController();
  const events: ControlEvent[] = [];
  const listening = (async () => {
    for await (const event of control.events(stop.signal)) events.push(event);
  })();
  const { status, text } = await own.ask('notes');
  assert.equal(status, 200, text);
  await until(() => events.some(({ type }) => type === 'request'), 'the request was told of');
  stop.abort();
  await listening;
  assert.deepEqual([...new Set(events.map(({ host }) => host))], ['b']);
  assert.equal(own.servers[0]?.sent('/api/chat').length, 0);
});

test('a preloaded model stays for as long as its entry says, whatever the profile says of requests', async (context) => {
  const own = await openFleet(context, {
    hosts: [{ models: [NOTES] }],
    ollama: 'hardware: {keep_alive: 10m}\npreload: [{model: notes, keep_alive: -1}]\n',
  });
  await until(() => own.servers[0]?.sent('/api/generate').length === 1, 'it was loaded');
  assert.equal(own.servers[0]?.sent('/api/generate')[0]?.['keep_alive'], -1);
});

test('a host that the configuration gives up is measured no longer', async (context) => {
  const own = await openFleet(context, { hosts: [{ models: [NOTES] }, { models: [NOTES] }] });
  const { control, folder, servers, obelisk, url } = own;
  const measured = async (): Promise<readonly string[]> => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return [...text.matchAll(/^obelisk_ollama_model_loaded\{host="([^"]+)"/gm)].map(([, host = '']) => host);
  };
  for await (const job of control.watchJob(
    control.startJob({ kind: 'load', model: 'notes', host: 'b' }).id,
    new AbortController().signal,
  ))
    assert.notEqual(job.state, 'failed');
  assert.deepEqual(await measured(), ['b']);
  writeFileSync(
    path.join(folder, 'obelisk.yaml'),
    `vaults: []\nserver: {port: 0}\nproviders: {ollama: {hosts: [{name: a, url: "${servers[0]?.url}"}]}}\n`,
  );
  await obelisk.reload();
  await eventually(async () => assert.deepEqual(await measured(), []));
});

test('a host that goes away is told of once', async (context) => {
  const own = await openFleet(context, { hosts: [{ models: [NOTES] }] });
  const { control, servers } = own;
  const reading = new AbortController();
  const heard: ControlEvent[] = [];
  const listening = (async () => {
    for await (const event of control.events(reading.signal)) heard.push(event);
  })();
  await servers[0]?.[Symbol.asyncDispose]();
  await control.models();
  reading.abort();
  await listening;
  assert.deepEqual(
    heard.flatMap((event) => (event.type === 'host' ? [[event.host, event.state]] : [])),
    [['a', 'away']],
  );
});
