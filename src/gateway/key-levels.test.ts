import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askSocket, deployment, startGateway } from '../../test/gateway.ts';
import type { Ask, TestGateway } from '../../test/gateway.ts';
import { Secret } from '../shared/secret.ts';
import type { Route } from './route-table.ts';

const KEY = 'sk-obelisk-master-0123456789';
const mocked = deployment({ mockResponse: 'Hello' });
const CHAT: Ask = {
  path: '/v1/chat/completions',
  body: { model: 'test-model', messages: [{ role: 'user', content: 'Hi' }] },
};

const INFERENCE_KEY = 'sk-inference-0123456789';
const LOCAL_TOKEN = 'local-token-0123456789';
const OWNED: Route = {
  method: 'GET',
  path: '/owned',
  access: 'owner',
  handle: (call) => call.json(200, '{}'),
};
const MANAGED: Route = { ...OWNED, path: '/managed', access: 'admin' };
const LEVELS = { inferenceKeys: [new Secret(INFERENCE_KEY)], localToken: new Secret(LOCAL_TOKEN) };

/** What each level answers to a key: models, what shows the server, what changes it. */
async function statusesWith(
  gateway: TestGateway,
  headers: Record<string, string>,
): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (const ask of [CHAT, { path: OWNED.path }, { path: MANAGED.path }])
    statuses.push((await askSocket(gateway, { ...ask, headers })).status);
  return statuses;
}

test('an inference key opens models, and nothing that shows or changes the server', async () => {
  const access = { allowedHosts: [], allowedOrigins: [], masterKey: new Secret(KEY), ...LEVELS };
  await using gateway = await startGateway([mocked], { access, extraRoutes: [OWNED, MANAGED] });
  const cases: readonly [string, readonly number[]][] = [
    [KEY, [200, 200, 200]],
    [LOCAL_TOKEN, [200, 200, 200]],
    [INFERENCE_KEY, [200, 403, 403]],
    ['wrong', [401, 401, 401]],
  ];
  for (const [key, statuses] of cases)
    assert.deepEqual(await statusesWith(gateway, { authorization: `Bearer ${key}` }), statuses, key);
  assert.deepEqual(await statusesWith(gateway, {}), [401, 401, 401]);
  const refused = await askSocket(gateway, { path: '/managed', headers: { 'x-api-key': INFERENCE_KEY } });
  assert.equal(JSON.parse(refused.text).error.code, 'forbidden');
  assert.match(refused.text, /opens models and vaults, and no management.*send the master key/);
});

test('without a key models are open, and the management opens to the local token alone', async () => {
  const access = { allowedHosts: [], allowedOrigins: [], localToken: new Secret(LOCAL_TOKEN) };
  await using gateway = await startGateway([mocked], { access, extraRoutes: [OWNED, MANAGED] });
  assert.deepEqual(await statusesWith(gateway, {}), [200, 200, 401]);
  assert.deepEqual(await statusesWith(gateway, { 'x-api-key': 'sk-anything' }), [200, 200, 401]);
  assert.deepEqual(await statusesWith(gateway, { 'x-api-key': LOCAL_TOKEN }), [200, 200, 200]);
  const refused = await askSocket(gateway, { path: MANAGED.path });
  assert.match(refused.text, /server\.token.*general_settings\.master_key/);
  assert.equal(refused.headers['www-authenticate'], 'Bearer');
});

test('wrong keys at the management lock it, and models that need none stay open', async () => {
  const access = { allowedHosts: [], allowedOrigins: [], localToken: new Secret(LOCAL_TOKEN) };
  await using gateway = await startGateway([mocked], { access, extraRoutes: [MANAGED] });
  for (let attempt = 0; attempt < 20; attempt += 1)
    await askSocket(gateway, { path: MANAGED.path, headers: { 'x-api-key': `wrong ${attempt}` } });
  const right = await askSocket(gateway, { path: MANAGED.path, headers: { 'x-api-key': LOCAL_TOKEN } });
  assert.equal(right.status, 429);
  assert.equal((await askSocket(gateway, CHAT)).status, 200);
});

test('an inference key sees of the readiness what everybody sees', async () => {
  const access = { allowedHosts: [], allowedOrigins: [], masterKey: new Secret(KEY), ...LEVELS };
  await using gateway = await startGateway([mocked], { access });
  const headers = { 'x-api-key': INFERENCE_KEY };
  const answer = await askSocket(gateway, { path: '/health/readiness', headers });
  assert.deepEqual(JSON.parse(answer.text), { status: 'ready' });
});
