import { z } from 'zod';
import { COMPONENTS, OPERATION_DOCS } from './operation-docs.ts';
import type { OperationDoc } from './operation-docs.ts';
import { MANAGEMENT_ROUTES } from './route-list.ts';

type Json = Readonly<Record<string, unknown>>;

/** Describes the management routes (OpenAPI 3.1, whose schemas are JSON Schema 2020-12). */
export function openApiDocument(): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Obelisk: management of Ollama',
      version: '1',
      description:
        'Models and hosts of Ollama. Everything but this document needs the master key, or the local token that the server keeps in its data directory. A name of a model may hold `/` and `:` as it is.',
    },
    paths: pathsOf(),
    components: {
      schemas: {
        ...Object.fromEntries(
          Object.entries(COMPONENTS).map(([name, schema]) => [name, schemaOf(schema(), 'output')]),
        ),
        Error: ERROR_SCHEMA,
      },
      securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
    },
    security: [{ key: [] }],
  };
}

const ERROR_SCHEMA: Json = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['message', 'type', 'param', 'code'],
      properties: {
        message: { type: 'string', description: 'What happened, and what to do' },
        type: { type: 'string' },
        param: { type: ['string', 'null'], description: 'The field at fault' },
        code: { type: 'string' },
      },
    },
  },
};

function pathsOf(): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [method, path, access, operation] of MANAGEMENT_ROUTES) {
    const described = (paths[path] ??= {});
    described[method.toLowerCase()] = {
      operationId: operation,
      ...operationOf(path, OPERATION_DOCS[operation]),
      ...(access === 'key' ? { security: [{}, { key: [] }] } : {}),
    };
  }
  return paths;
}

function operationOf(path: string, doc: OperationDoc): Json {
  const { summary, description, query, body } = doc;
  const parameters = [...pathParameters(path), ...(query === undefined ? [] : queryParameters(query()))];
  return {
    summary,
    ...(description === undefined ? {} : { description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: jsonOf(schemaOf(body(), 'input')) } }),
    responses: { ...answersOf(doc), ...failuresOf(doc) },
  };
}

function pathParameters(path: string): readonly Json[] {
  const name = /\{(\w+)\}/.exec(path)?.[1];
  return name === undefined ? [] : [{ name, in: 'path', required: true, schema: { type: 'string' } }];
}

function queryParameters(schema: z.ZodType): readonly Json[] {
  const { properties } = schemaOf(schema, 'input');
  return Object.entries(properties ?? {}).map(([name, value]) => ({ name, in: 'query', schema: value }));
}

function answersOf({ answer }: OperationDoc): Json {
  if ('document' in answer) return { 200: { description: answer.document, content: jsonOf({}) } };
  if ('inline' in answer) return { 200: success(jsonOf(schemaOf(answer.inline(), 'output'))) };
  if ('events' in answer)
    return { 200: success({ 'text/event-stream': { schema: reference(answer.events) } }) };
  const one = reference(answer.of);
  const list = { type: 'object', required: ['data'], properties: { data: { type: 'array', items: one } } };
  const content = jsonOf(answer.list === true ? list : one);
  return { 200: success(content), ...(answer.also === undefined ? {} : { [answer.also]: success(content) }) };
}

const FAILURES: Readonly<Record<number, string>> = {
  400: 'A field is wrong; the message names it',
  401: 'No key, or not the right one',
  403: 'A key that opens models only, or a page or registry that is not allowed',
  404: 'There is no such host, model or job',
  429: 'Too many wrong keys; wait for `retry-after`',
  502: 'The host failed, or is not there',
  503: 'The server is starting, stopping or has too much to do',
};

function failuresOf({ errors = [] }: OperationDoc): Json {
  return Object.fromEntries(
    [400, 401, 403, 429, 503, ...errors].map((status) => [
      status,
      { description: FAILURES[status], content: jsonOf(reference('Error')) },
    ]),
  );
}

const success = (content: Json): Json => ({ description: 'Done', content });
const jsonOf = (schema: unknown): Json => ({ 'application/json': { schema } });
const reference = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): z.core.JSONSchema.BaseSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
