import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openFleet } from '../fleet-house.ts';
import type { FleetHouse } from '../fleet-house.ts';
import { until } from '../eventually.ts';

const MODELS = ['one', 'two', 'three'].map((name) => ({ name, capabilities: ['completion'] }));
const host = (more = {}): Record<string, unknown> => ({ models: MODELS, maxLoaded: 1, loadMs: 20, ...more });

/** Asks for each model in turn, so that whoever forgets where one is loaded loads it anew. */
async function askInTurn(house: FleetHouse, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const answer = await house.ask(MODELS[index % MODELS.length]?.name ?? '');
    assert.equal(answer.status, 200, answer.text);
  }
}

test('each of three models keeps its host, and is loaded once', async (context) => {
  const house = await openFleet(context, { hosts: [host(), host(), host()] });
  await askInTurn(house, 30);
  assert.equal(house.loads(), 3);
  for (const server of house.servers) assert.equal(server.loaded().length, 1);
});

test('round robin and least-busy load where warm-first does not', async (context) => {
  for (const placement of ['round-robin', 'least-busy']) {
    const house = await openFleet(context, {
      hosts: [host(), host(), host()],
      ollama: `placement: ${placement}`,
    });
    await askInTurn(house, 24);
    assert.ok(house.loads() >= 9, `${placement}: ${house.loads()} loads`);
  }
});

test('requests that come together do not all load the model somewhere', async (context) => {
  const house = await openFleet(context, { hosts: [host(), host(), host()] });
  const answers = await Promise.all(Array.from({ length: 6 }, () => house.ask('one')));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.ok(house.loads() <= 2, `${house.loads()} loads`);
});

test('a model that is wanted more than one host can serve is loaded on another', async (context) => {
  const slow = host({ wordMs: 40, loadMs: 10, words: ['a', 'b', 'c'] });
  const house = await openFleet(context, { hosts: [slow, slow] });
  await house.ask('one');
  const answers = await Promise.all(Array.from({ length: 12 }, () => house.ask('one')));
  const counts = Map.groupBy(answers, (answer) => answer.host);
  assert.deepEqual([...counts.keys()].toSorted(), ['a', 'b']);
  assert.equal(house.loads(), 2);
});

test('a host that dies while it serves costs no request, and serves again when it is back', async (context) => {
  const slow = host({ wordMs: 15, loadMs: 10 });
  const house = await openFleet(context, {
    hosts: [slow, slow, slow],
    ollama: 'placement: least-busy',
    more: 'router_settings: {cooldown_time: 0.2}',
  });
  const asked = Array.from({ length: 18 }, (_, index) => house.ask('one', { stream: index % 2 === 0 }));
  const [first] = house.servers;
  assert.ok(first !== undefined);
  await first.arrived('/api/chat', 2);
  await first.kill();
  const answers = await Promise.all(asked);
  const failed = answers.filter(({ status, text }) => status !== 200 || text.includes('"error"'));
  // One that had begun to stream cannot be asked anew: it is told so, and only it.
  assert.ok(
    failed.every(({ status, text }) => status === 200 && text.includes('"content":"Hello"')),
    JSON.stringify(failed),
  );
  assert.ok(failed.length <= 1, JSON.stringify(failed));
  const later = await Promise.all(Array.from({ length: 6 }, () => house.ask('one')));
  assert.ok(later.every(({ status, host: name }) => status === 200 && name !== 'a'));
  await first.revive();
  const before = first.sent('/api/chat').length;
  for (let tries = 0; tries < 200 && first.sent('/api/chat').length === before; tries += 1) {
    await Promise.all(Array.from({ length: 3 }, () => house.ask('one')));
  }
  assert.ok(first.sent('/api/chat').length > before, 'it is asked again');
});

test('an answer in one piece is had from another host when its own dies in the middle', async (context) => {
  const slow = host({ wordMs: 120, words: ['one', ' two', ' three', ' four'] });
  const house = await openFleet(context, { hosts: [slow, slow] });
  const asked = house.ask('one');
  const dying = await Promise.any(
    house.servers.map(async (server) => (await server.arrived('/api/chat'), server)),
  );
  await until(() => dying.inFlight('/api/chat') === 1, 'it is being answered');
  await new Promise((resolve) => setTimeout(resolve, 250));
  await dying.kill();
  const answer = await asked;
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.text, /"content":"one two three four"/);
  assert.notEqual(house.servers['ab'.indexOf(answer.host)], dying);
});

test('a drained host is given no request until that is taken back, and tells so', async (context) => {
  const house = await openFleet(context, { hosts: [host(), host()], ollama: 'placement: round-robin' });
  const control = await house.obelisk.control();
  assert.equal(control.drain('a', true).draining, true);
  for (let index = 0; index < 4; index += 1) assert.equal((await house.ask('one')).host, 'b');
  control.drain('b', true);
  const none = await house.ask('one');
  assert.equal(none.status, 503);
  assert.match(none.text, /\d is being drained; .*--undrain/);
  assert.doesNotMatch(none.text, /away/);
  await house.reload('placement: round-robin\nqueue_limit: 7');
  assert.deepEqual(
    (await house.obelisk.control()).hosts().map(({ name, draining }) => [name, draining]),
    [
      ['a', true],
      ['b', true],
    ],
    'a reload forgets nothing of it',
  );
  (await house.obelisk.control()).drain('a', false);
  assert.equal((await house.ask('one')).host, 'a');
  assert.throws(() => control.drain('c', true), { code: 'not_found' });
});

test('a model is served where it is pinned to, by name or tag', async (context) => {
  const house = await openFleet(context, {
    hosts: [host(), host(), host()],
    ofHost: { b: 'tags: [gpu]', c: 'tags: [gpu]' },
    ollama: 'placement: round-robin\nmodel_hosts: {one: [gpu], "two:latest": [a]}',
  });
  const hostsOf = async (model: string): Promise<readonly string[]> => {
    const answers = [];
    for (let index = 0; index < 4; index += 1) answers.push(await house.ask(model));
    return [...new Set(answers.map((answer) => answer.host))].toSorted();
  };
  assert.deepEqual(await hostsOf('one'), ['b', 'c']);
  assert.deepEqual(await hostsOf('two'), ['a']);
  assert.deepEqual(await hostsOf('three'), ['a', 'b', 'c']);
  await house.servers[0]?.kill();
  await until(() => house.log().includes('is not there'), 'the host is missed');
  const away = await house.ask('two');
  assert.equal(away.status, 503);
  assert.match(away.text, new RegExp(`ollama ${house.servers[0]?.url ?? ''} is away`));
});

test('a reload keeps what is known of hosts that stay', async (context) => {
  const house = await openFleet(context, { hosts: [host(), host()] });
  await house.ask('one');
  const looks = (): readonly number[] =>
    house.servers.map((server) => server.requests.filter(({ path }) => path === '/api/show').length);
  const before = looks();
  await house.reload('placement: warm-first\nqueue_limit: 5');
  await house.ask('one');
  assert.deepEqual(looks(), before, 'nothing is asked that was known');
  assert.equal(house.loads(), 1);
});

test('an entry of model_list leads to every host that has the model', async (context) => {
  const only = { models: MODELS.slice(0, 1), loadMs: 0 };
  const house = await openFleet(context, {
    hosts: [host(), host(), only],
    ollama: 'placement: round-robin',
    more: 'model_list:\n  - {model_name: alias, litellm_params: {model: ollama/two, temperature: 0}}',
  });
  const answers = [];
  for (let index = 0; index < 4; index += 1) answers.push(await house.ask('alias'));
  assert.deepEqual([...new Set(answers.map((answer) => answer.host))].toSorted(), ['alias@a#0', 'alias@b#0']);
});

test('a model that leaves the machine is refused, whatever leads to it', async (context) => {
  const far = { name: 'far', capabilities: ['completion'], remoteHost: 'https://ollama.com' };
  const house = await openFleet(context, {
    hosts: [{ models: [far, ...MODELS] }, { models: [far] }],
    ofHost: { b: 'tags: [gpu]' },
    more: 'model_list:\n  - {model_name: alias, litellm_params: {model: ollama/far}}',
  });
  for (const name of ['far', 'ollama/far', 'alias']) {
    const answer = await house.ask(name);
    assert.equal(answer.status, 503, name);
    assert.match(answer.text, /leave the machine; allow that with providers\.ollama\.allow_cloud/);
  }
  const [first] = house.servers;
  assert.deepEqual(first?.sent('/api/chat'), []);
  const control = await house.obelisk.control();
  const shown = (await control.models()).find(({ name }) => name === 'far:latest');
  assert.equal(shown?.remoteHost, 'https://ollama.com', 'but it is seen');
  await house.reload('allow_cloud: true');
  assert.equal((await house.ask('alias')).status, 200);
});

test('a host asks for its key, and the weight of a host is its part of the requests', async (context) => {
  const house = await openFleet(context, {
    hosts: [host({ apiKey: 'sk-host-a' }), host()],
    ofHost: { a: 'api_key: sk-host-a, weight: 3' },
    ollama: 'placement: round-robin',
  });
  const answers = [];
  for (let index = 0; index < 8; index += 1) answers.push((await house.ask('one')).host);
  assert.equal(answers.filter((name) => name === 'a').length, 6);
  assert.doesNotMatch(house.log(), /sk-host-a/);
});

test('models are loaded ahead of their requests, with the options that those will have', async (context) => {
  const house = await openFleet(context, {
    hosts: [host({ maxLoaded: 3 }), host(), host()],
    ofHost: { a: 'tags: [big]', b: 'hardware: {num_ctx: 2048}' },
    ollama: 'preload: [{model: one, keep_alive: -1}, {model: two, hosts: [big]}, {model: gone}]',
  });
  await until(() => house.loads() >= 4, 'four loads');
  assert.deepEqual(
    house.servers.map((server) => server.loaded().toSorted()),
    [['one:latest', 'two:latest'], ['one:latest'], ['one:latest']],
  );
  assert.equal(house.servers[1]?.loads[0]?.options['num_ctx'], 2048);
  assert.deepEqual(
    new Set(house.servers.map((server) => server.sent('/api/generate')[0]?.['keep_alive'])),
    new Set([-1]),
  );
  await Promise.all(['one', 'two', 'one'].map((model) => house.ask(model)));
  assert.equal(house.loads(), 4);
});
