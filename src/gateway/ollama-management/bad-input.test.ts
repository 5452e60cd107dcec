import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { after, before, test } from 'node:test';
import { askSocket, startGateway } from '../../../test/gateway.ts';
import type { Answer, TestGateway } from '../../../test/gateway.ts';
import { recordedControl } from '../../../test/recorded-control.ts';
import { Secret } from '../../shared/secret.ts';
import { MANAGEMENT_ROUTES } from './route-list.ts';
import { managementRoutes } from './routes.ts';

const MASTER = 'sk-master-0123456789';
const headers = { authorization: `Bearer ${MASTER}` };
const control = recordedControl();
let gateway: TestGateway;

before(async () => {
  gateway = await startGateway([], {
    access: { allowedHosts: [], allowedOrigins: [], masterKey: new Secret(MASTER) },
    extraRoutes: managementRoutes({ control }),
  });
});
after(() => gateway[Symbol.asyncDispose]());

function refused(answer: Answer, status: number, param?: string): void {
  assert.equal(answer.status, status, answer.text);
  const { error } = JSON.parse(answer.text);
  assert.equal(typeof error.message, 'string');
  if (param !== undefined) assert.equal(error.param, param, answer.text);
  assert.deepEqual(control.calls, [], 'nothing was done');
}

/** A path as it is: `fetch` would take `..` out of it. */
function rawStatus(method: string, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(gateway.origin);
    const json = { 'content-type': 'application/json' };
    const request = httpRequest(
      { hostname, port, method, path, headers: { ...headers, ...json } },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    request.on('error', reject);
    request.end(method === 'PATCH' ? '{}' : undefined);
  });
}

const NO_NAMES = [
  '..',
  '../../etc/passwd',
  '..%2F..%2Fetc%2Fpasswd',
  '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  'a/../b',
  'a/./b',
  'a//b',
  '/etc/passwd',
  'C:%5Cmodels',
  'a%00b',
  'a%0d%0ab',
  'a%20b',
  'a:b:c',
  'one/two/three/four',
  '-begins-with-a-dash',
  '.hidden',
  '%E0%A4%A',
  '%ff',
  'x'.repeat(400),
  '%F0%9F%A6%99',
];

test('a name that is none reaches no host, whatever the route', async () => {
  const withModel = MANAGEMENT_ROUTES.filter(([, path]) => path.endsWith('{model}'));
  assert.equal(withModel.length, 5);
  for (const [method, path] of withModel) {
    for (const name of NO_NAMES) {
      const status = await rawStatus(method, path.replace('{model}', name));
      assert.equal(status, 400, `${method} ${path} ${name}`);
    }
  }
  assert.deepEqual(control.calls, []);
});

const BAD_BODIES: readonly (readonly [method: string, path: string, body: unknown, param?: string])[] = [
  ['PATCH', '/ollama/hosts/x', {}, 'draining'],
  ['PATCH', '/ollama/hosts/x', { draining: 'yes' }, 'draining'],
  ['PATCH', '/ollama/hosts/x', { draining: true, weight: 2 }],
  ['POST', '/ollama/copy', { source: 'a' }, 'destination'],
  ['POST', '/ollama/copy', { source: '../a', destination: 'b' }, 'source'],
  ['POST', '/ollama/copy', { source: 'a', destination: 'b\n' }, 'destination'],
  ['POST', '/ollama/copy', { source: 'a', destination: 'b', overwrite: true }],
  ['POST', '/ollama/unload', { model: 7 }, 'model'],
  ['POST', '/ollama/unload', { model: 'a', host: '' }, 'host'],
  ['POST', '/ollama/unload', { model: 'a', host: 'h'.repeat(1_000) }, 'host'],
  ['POST', '/ollama/jobs', {}, 'kind'],
  ['POST', '/ollama/jobs', { kind: 'format', model: 'a' }, 'kind'],
  ['POST', '/ollama/jobs', { kind: 'pull' }, 'model'],
  ['POST', '/ollama/jobs', { kind: 'pull', model: ['a'] }, 'model'],
  ['POST', '/ollama/jobs', { kind: 'pull', model: 'http://evil.example/a' }, 'model'],
  ['POST', '/ollama/jobs', { kind: 'pull', model: 'a', insecure: 'true' }, 'insecure'],
  ['POST', '/ollama/jobs', { kind: 'pull', model: 'a', password: 'x' }],
  ['POST', '/ollama/jobs', { kind: 'push', model: 'a', ifMissing: true }],
  ['POST', '/ollama/jobs', { kind: 'load', model: 'a', keepAlive: 'soon' }, 'keepAlive'],
  ['POST', '/ollama/jobs', { kind: 'load', model: 'a', keepAlive: { s: 5 } }, 'keepAlive'],
  ['POST', '/ollama/jobs', { kind: 'create', model: 'a' }, 'source'],
  ['POST', '/ollama/jobs', { kind: 'create', model: 'a', source: 'b' }, 'source'],
  ['POST', '/ollama/jobs', { kind: 'create', model: 'a', source: { from: '' } }, 'source.from'],
  ['POST', '/ollama/jobs', { kind: 'create', model: 'a', source: { weights: {} } }, 'source'],
  ['POST', '/ollama/jobs', { kind: 'create', model: 'a', source: { files: {} } }, 'source.files'],
  [
    'POST',
    '/ollama/jobs',
    { kind: 'create', model: 'a', source: { files: { '../a': `sha256:${'0'.repeat(64)}` } } },
    'source.files',
  ],
  [
    'POST',
    '/ollama/jobs',
    { kind: 'create', model: 'a', source: { messages: [{ role: 'root', content: '' }] } },
    'source.messages[0].role',
  ],
  ['PATCH', '/ollama/profiles/a', { options: { num_ctx: 'many' } }, 'options.num_ctx'],
  ['PATCH', '/ollama/profiles/a', { options: [] }, 'options'],
  ['PATCH', '/ollama/profiles/a', { keepAlive: 'for ever' }, 'keepAlive'],
  ['PATCH', '/ollama/profiles/a', { requestOptions: 'all' }, 'requestOptions'],
  ['PATCH', '/ollama/profiles/a', { hardware: {} }],
  ['POST', '/ollama/jobs', '{"kind":'],
  ['POST', '/ollama/jobs', '[]'],
  ['POST', '/ollama/jobs', 'null'],
  ['POST', '/ollama/jobs', ''],
  ['POST', '/ollama/jobs', '['.repeat(100_000)],
];

test('a body of a wrong type, with an unknown field or no JSON is refused and named', async () => {
  for (const [method, path, body, param] of BAD_BODIES) {
    refused(await askSocket(gateway, { method, path, body, headers }), 400, param);
  }
});

test('a body that is huge is refused', async () => {
  const body = { kind: 'create', model: 'a', source: { system: 'x'.repeat(5 * 1024 * 1024) } };
  refused(await askSocket(gateway, { method: 'POST', path: '/ollama/jobs', body, headers }), 413);
});

test('a query with an unknown, a doubled or a wrong parameter is refused', async () => {
  const queries = [
    '/ollama/hosts?x=1',
    '/ollama/models?limit=5',
    '/ollama/models/a?verbose=yes',
    '/ollama/models/a?host=h&host=h',
    '/ollama/models/a?host=',
    '/ollama/fit/a?numCtx=0',
    '/ollama/fit/a?numCtx=-1',
    '/ollama/fit/a?numCtx=1e9',
    '/ollama/fit/a?numCtx=8192.5',
    '/ollama/fit/a?parallel=99999',
    '/ollama/jobs?state=done',
  ];
  for (const path of queries) refused(await askSocket(gateway, { method: 'GET', path, headers }), 400);
});

test('a method that a path has not is refused with those that it has', async () => {
  const wrong = await askSocket(gateway, { method: 'PUT', path: '/ollama/hosts/x', body: {}, headers });
  refused(wrong, 405);
  assert.equal(wrong.headers['allow'], 'GET, PATCH');
});
