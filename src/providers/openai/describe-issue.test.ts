import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { toInvalidRequest } from './describe-issue.ts';

const said = (schema: z.ZodType, value: unknown): readonly [string | undefined, string] => {
  const { error } = schema.safeParse(value);
  assert.ok(error);
  const { code, param, message } = toInvalidRequest(error);
  assert.equal(code, 'invalid_request');
  return [param, message];
};

test('a field that is missing is said to be missing', () => {
  assert.deepEqual(said(z.object({ model: z.string() }), {}), [
    'model',
    'model: expected string, but it is missing',
  ]);
  const either = z.object({ input: z.union([z.string(), z.array(z.string())]) });
  assert.deepEqual(said(either, {}), [
    'input',
    'input: expected string or expected array, but it is missing',
  ]);
});

test('the fault is told without the name of the check that found it', () => {
  const schema = z.object({ messages: z.array(z.object({ role: z.enum(['user', 'tool']) })) });
  assert.deepEqual(said(schema, { messages: [{ role: 5 }] }), [
    'messages[0].role',
    'messages[0].role: expected one of "user"|"tool"',
  ]);
  assert.deepEqual(said(schema, { messages: 'x' }), [
    'messages',
    'messages: expected array, received string',
  ]);
});
