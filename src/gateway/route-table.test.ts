import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRouteTable } from './route-table.ts';
import type { Route } from './route-table.ts';

const route = (method: Route['method'], path: string): Route => ({
  method,
  path,
  access: 'key',
  handle: () => undefined,
});
const table = createRouteTable([
  route('GET', '/v1/models'),
  route('GET', '/v1/models/*'),
  route('POST', '/v1/chat/completions'),
  route('GET', '/files/*'),
  route('GET', '/files/deep/*'),
  route('DELETE', '/files/*'),
]);

test('exact paths win, then the longest beginning', () => {
  assert.equal(table.find('GET', '/v1/models').path, '/v1/models');
  assert.equal(table.find('GET', '/v1/models/a/b:c').path, '/v1/models/*');
  assert.equal(table.find('GET', '/files/deep/x').path, '/files/deep/*');
  assert.equal(table.find('GET', '/files/dee').path, '/files/*');
  assert.equal(table.find('HEAD', '/v1/models').path, '/v1/models');
});

test('a beginning alone is no path', () => {
  assert.throws(() => table.find('GET', '/v1/models/'), /no route/);
});

test('what is wrong is said', () => {
  assert.throws(() => table.find('PUT', '/files/x'), /use GET or DELETE/);
  assert.throws(
    () => table.find('POST', '/v1//chat/completions'),
    /did you mean POST \/v1\/chat\/completions\?/,
  );
  assert.throws(() => table.find('GET', '/model'), /did you mean GET \/v1\/models\?/);
  assert.throws(() => table.find('GET', '/zzz'), /^ObeliskError: there is no route GET \/zzz$/);
  for (const [method, path] of [
    ['POST', '/v1/responses'],
    ['POST', '/v1/messages'],
    ['GET', '/v1'],
    ['GET', '/v1/files'],
  ] as const)
    assert.throws(
      () => table.find(method, path),
      /no route .*; chat is served at POST \/v1\/chat\/completions$/,
      path,
    );
});

test('a path is not repeated into a message as it came', () => {
  assert.throws(
    () => table.find('GET', `/\r\n${'x'.repeat(500)}`),
    (error: unknown) => {
      return error instanceof Error && error.message.length < 200 && !/[\r\n]/.test(error.message);
    },
  );
});

test('two routes for one path and method are a defect', () => {
  assert.throws(() => createRouteTable([route('GET', '/a'), route('GET', '/a')]), /two routes/);
});
