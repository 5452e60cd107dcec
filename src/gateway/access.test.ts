import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import { Secret } from '../shared/secret.ts';
import { askSocket, deployment, startGateway, TRANSPORTS } from '../../test/gateway.ts';
import type { Answer, Ask, TestGateway } from '../../test/gateway.ts';

const KEY = 'sk-obelisk-master-0123456789';
const mocked = deployment({ mockResponse: 'Hello' });
const CHAT: Ask = {
  path: '/v1/chat/completions',
  body: { model: 'test-model', messages: [{ role: 'user', content: 'Hi' }] },
};

function withKey(extra: object = {}): Promise<TestGateway> {
  const access = { allowedHosts: [], allowedOrigins: [], masterKey: new Secret(KEY), ...extra };
  return startGateway([mocked], { access });
}

/** Asks with a Host of the test's choice, which `fetch` does not allow. */
function askWithHost(gateway: TestGateway, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${gateway.origin}/v1/models`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('error', reject);
    request.end();
  });
}

const codeOf = (answer: Answer): unknown => JSON.parse(answer.text).error.code;

test('every route says who may call it, and only health is open', async () => {
  await using gateway = await withKey();
  assert.ok(gateway.routes.length >= 20);
  for (const { method, path, access } of gateway.routes) {
    const expected = /\/health\//.test(path) ? 'open' : path.endsWith('/metrics') ? 'owner' : 'key';
    assert.equal(access, expected, path);
    const answer = await askSocket(gateway, {
      method,
      path: path.replace('*', 'x'),
      ...(method === 'POST' ? { body: {} } : {}),
    });
    if (access !== 'open') assert.equal(answer.status, 401, `${method} ${path}`);
    else assert.equal(answer.status, 200, `${method} ${path}`);
  }
});

const KEYS: readonly { name: string; headers: Record<string, string>; status: number; code?: string }[] = [
  { name: 'no key', headers: {}, status: 401, code: 'invalid_api_key' },
  { name: 'a wrong key', headers: { authorization: 'Bearer wrong' }, status: 401, code: 'invalid_api_key' },
  {
    name: 'another scheme',
    headers: { authorization: `Basic ${KEY}` },
    status: 401,
    code: 'invalid_api_key',
  },
  {
    name: 'a beginning of the key',
    headers: { 'x-api-key': KEY.slice(0, -1) },
    status: 401,
    code: 'invalid_api_key',
  },
  { name: 'an empty key', headers: { 'x-api-key': '' }, status: 401, code: 'invalid_api_key' },
  { name: 'the key as a bearer', headers: { authorization: `Bearer ${KEY}` }, status: 200 },
  { name: 'the key with the scheme in lower case', headers: { authorization: `bearer ${KEY}` }, status: 200 },
  { name: 'the key as x-api-key', headers: { 'x-api-key': KEY }, status: 200 },
  { name: 'the key twice', headers: { authorization: `Bearer ${KEY}`, 'x-api-key': KEY }, status: 200 },
  {
    name: 'two different keys',
    headers: { authorization: `Bearer ${KEY}`, 'x-api-key': 'other' },
    status: 400,
    code: 'invalid_request',
  },
];

for (const { name, headers, status, code } of KEYS) {
  test(`${name} is answered with ${status}`, async () => {
    await using gateway = await withKey();
    const answer = await askSocket(gateway, { ...CHAT, headers });
    assert.equal(answer.status, status, answer.text);
    if (code) assert.equal(codeOf(answer), code);
    if (status === 401) assert.equal(answer.headers['www-authenticate'], 'Bearer');
    assert.doesNotMatch(JSON.stringify([gateway.log, answer.text]), new RegExp(KEY));
  });
}

test('twenty wrong keys lock an address out for a minute, the right key too', async () => {
  let nowMs = 0;
  await using gateway = await startGateway([mocked], {
    access: { allowedHosts: [], allowedOrigins: [], masterKey: new Secret(KEY) },
    clock: { monotonicMs: () => nowMs, unixMs: () => 0 },
  });
  const wrong = { ...CHAT, headers: { 'x-api-key': 'wrong' } };
  const right = { ...CHAT, headers: { 'x-api-key': KEY } };
  for (let attempt = 0; attempt < 20; attempt += 1)
    assert.equal((await askSocket(gateway, wrong)).status, 401);
  const locked = await askSocket(gateway, right);
  assert.equal(locked.status, 429);
  assert.equal(locked.headers['retry-after'], '60');
  nowMs = 60_001;
  assert.equal((await askSocket(gateway, right)).status, 200);
});

test('a session of the page stands for the key', async () => {
  const sessions = {
    authorizes: (request: { header(name: string): string | undefined }) => request.header('cookie') === 's=1',
  };
  await using gateway = await withKey({ sessions });
  assert.equal((await askSocket(gateway, { ...CHAT, headers: { cookie: 's=1' } })).status, 200);
  assert.equal((await askSocket(gateway, { ...CHAT, headers: { cookie: 's=2' } })).status, 401);
});

const HOSTS: readonly [string, number][] = [
  ['localhost', 200],
  ['LOCALHOST:4000', 200],
  ['127.0.0.1:4000', 200],
  ['127.1.2.3', 200],
  ['[::1]:4000', 200],
  ['host.docker.internal:4000', 200],
  ['notes.lan:4000', 200],
  ['evil.example', 403],
  ['evil.example:4000', 403],
  ['127.0.0.1.evil.example', 403],
  ['localhost.evil.example', 403],
  ['0.0.0.0', 403],
];

test('a server is reached by the address it listens on, and by no other of that machine', async () => {
  for (const [host, header] of [
    ['192.168.1.5', '192.168.1.5:4000'],
    ['fd00::5', '[fd00::5]:4000'],
    ['Notes.lan', 'notes.LAN:4000'],
  ] as const) {
    await using gateway = await startGateway([mocked], {
      access: { host, allowedHosts: [], allowedOrigins: [] },
    });
    assert.equal(await askWithHost(gateway, header), 200, header);
    assert.equal(await askWithHost(gateway, '192.168.1.6:4000'), 403);
  }
});

test('only names of this machine and listed ones are answered to', async () => {
  await using gateway = await startGateway([mocked], {
    access: { allowedHosts: ['notes.lan'], allowedOrigins: [] },
  });
  for (const [host, status] of HOSTS) assert.equal(await askWithHost(gateway, host), status, host);
});

test('a page elsewhere is refused, Obsidian and listed origins are let in', async () => {
  await using gateway = await startGateway([mocked], {
    access: { allowedHosts: [], allowedOrigins: ['https://notes.example'] },
  });
  for (const origin of ['https://evil.example', 'null', 'http://localhost:1', 'app://obsidian.md.evil']) {
    const refused = await askSocket(gateway, { ...CHAT, headers: { origin } });
    assert.equal(refused.status, 403, origin);
    assert.equal(refused.headers['access-control-allow-origin'], undefined);
  }
  for (const origin of ['app://obsidian.md', 'https://notes.example']) {
    const answer = await askSocket(gateway, { ...CHAT, headers: { origin } });
    assert.equal(answer.status, 200, origin);
    assert.equal(answer.headers['access-control-allow-origin'], origin);
  }
  const own = await askSocket(gateway, { ...CHAT, headers: { origin: gateway.origin } });
  assert.equal(own.status, 200);
});

test('a preflight is answered for allowed origins only', async () => {
  await using gateway = await withKey();
  const headers = {
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization, content-type',
  };
  const ask = (origin: string): Promise<Answer> =>
    askSocket(gateway, { method: 'OPTIONS', path: CHAT.path, headers: { ...headers, origin } });
  const allowed = await ask('app://obsidian.md');
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers['access-control-allow-methods'], 'POST');
  assert.equal(allowed.headers['access-control-allow-headers'], 'authorization, content-type');
  assert.equal((await ask('https://evil.example')).status, 403);
});

test('a body that a form could send is refused', async () => {
  await using gateway = await startGateway([mocked]);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    const answer = await askSocket(gateway, { ...CHAT, headers: { 'content-type': type } });
    assert.equal(answer.status, 415, type);
    assert.equal(codeOf(answer), 'unsupported_media_type');
  }
  const packed = await askSocket(gateway, { ...CHAT, headers: { 'content-encoding': 'gzip' } });
  assert.equal(packed.status, 415);
  assert.match(packed.text, /without content-encoding/);
  const charset = { 'content-type': 'application/json; charset=UTF-8' };
  assert.equal((await askSocket(gateway, { ...CHAT, headers: charset })).status, 200);
});

for (const { name, ask } of TRANSPORTS) {
  test(`an unknown route names the nearest and a wrong method those there are, ${name}`, async () => {
    await using gateway = await startGateway([mocked]);
    const unknown = await ask(gateway, { path: '/v1/chat/completion', body: {} });
    assert.equal(unknown.status, 404);
    assert.match(unknown.text, /did you mean POST \/(v1\/)?chat\/completions\?/);
    const wrong = await ask(gateway, { path: '/v1/chat/completions' });
    assert.equal(wrong.status, 405);
    assert.equal(wrong.headers['allow'], 'POST');
  });

  test(`a request id is repeated only when it is harmless, ${name}`, async () => {
    await using gateway = await startGateway([mocked]);
    const sane = await ask(gateway, { path: '/v1/models', headers: { 'x-request-id': 'trace-1' } });
    assert.equal(sane.headers['x-request-id'], 'trace-1');
    const long = await ask(gateway, { path: '/v1/models', headers: { 'x-request-id': 'x'.repeat(200) } });
    assert.match(long.headers['x-request-id'] ?? '', /^req_testinst_/);
  });
}

test('a call inside the process needs no key', async () => {
  await using gateway = await withKey();
  const inProcess = TRANSPORTS.find(({ name }) => name === 'in process');
  assert.equal((await inProcess?.ask(gateway, CHAT))?.status, 200);
});

test('a probe is no line of the log, and its failure would be one', async () => {
  await using gateway = await withKey();
  await askSocket(gateway, { path: '/health/liveliness' });
  await askSocket(gateway, CHAT);
  const levels = gateway.log.filter(({ message }) => message === 'request').map(({ level }) => level);
  assert.deepEqual(levels, ['debug', 'warn']);
});

test('readiness tells its details only to holders of the key', async () => {
  await using gateway = await withKey();
  const open = await askSocket(gateway, { path: '/health/readiness' });
  assert.deepEqual(JSON.parse(open.text), { status: 'ready' });
  const full = await askSocket(gateway, { path: '/health/readiness', headers: { 'x-api-key': KEY } });
  assert.deepEqual(JSON.parse(full.text), { status: 'ready', vaults: [] });
});
