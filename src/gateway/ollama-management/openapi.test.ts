import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApiDocument } from './openapi.ts';
import { MANAGEMENT_ROUTES } from './route-list.ts';

const document = JSON.parse(JSON.stringify(openApiDocument()));

test('the document has every route, and nothing else', () => {
  const described = Object.entries<Record<string, { operationId: string }>>(document.paths).flatMap(
    ([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => `${method} ${path} ${operationId}`),
  );
  const routes = MANAGEMENT_ROUTES.map(
    ([method, path, , operation]) => `${method.toLowerCase()} ${path} ${operation}`,
  );
  assert.deepEqual(described.toSorted(), routes.toSorted());
});

test('every reference of the document leads to a schema of it', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, target]) => target);
  assert.ok(references.length > 50);
  for (const target of new Set(references)) {
    const name = /^#\/components\/schemas\/(\w+)$/.exec(target ?? '')?.[1] ?? '';
    assert.ok(Object.hasOwn(document.components.schemas, name), target);
  }
});

test('every name in a path is a parameter, and every operation says what it does and how it fails', () => {
  for (const [path, methods] of Object.entries<Record<string, Record<string, unknown>>>(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const {
        parameters = [],
        responses,
        summary,
      } = operation as {
        parameters?: readonly { name: string; in: string }[];
        responses: Record<string, { description: string }>;
        summary: string;
      };
      const inPath = parameters.filter((one) => one.in === 'path').map(({ name }) => name);
      assert.deepEqual(
        inPath,
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
      );
      assert.ok(summary.length > 5, `${method} ${path}`);
      for (const status of ['200', '400', '401', '403', '429', '503'])
        assert.ok(responses[status]?.description, `${method} ${path} ${status}`);
    }
  }
});

test('the fields of a request are described', () => {
  const body = document.paths['/ollama/jobs'].post.requestBody.content['application/json'].schema;
  const kinds = body.oneOf.map(
    (one: { properties: { kind: { const: string } } }) => one.properties.kind.const,
  );
  assert.deepEqual(kinds, ['pull', 'push', 'create', 'load']);
  assert.ok(body.oneOf.every((one: { additionalProperties: unknown }) => one.additionalProperties === false));
  const fit = document.paths['/ollama/fit/{model}'].get.parameters;
  assert.deepEqual(
    fit.map(({ name }: { name: string }) => name),
    ['model', 'host', 'numCtx', 'parallel'],
  );
});
