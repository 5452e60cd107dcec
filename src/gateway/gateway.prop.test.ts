import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { dataOf, deployment, startGateway, startUpstream, TRANSPORTS } from '../../test/gateway.ts';
import type { Answer } from '../../test/gateway.ts';

/** Values that a field may wrongly have, and names that mean something to the gateway. */
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom('test-model', 'nope', '', '..', '__proto__'),
);
const field = fc.constantFrom(
  'model',
  'messages',
  'stream',
  'stream_options',
  'n',
  'tools',
  'tool_choice',
  'response_format',
  'stop',
  'options',
  'think',
  'num_ctx',
  'keep_alive',
  'max_tokens',
  'logprobs',
  'metadata',
  'input',
  'encoding_format',
  '__proto__',
  'constructor',
  'api_base',
);
const message = fc.record(
  {
    role: fc.oneof(fc.constantFrom('system', 'developer', 'user', 'assistant', 'tool'), value),
    content: fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.array(
        fc.record({ type: fc.constantFrom('text', 'image_url'), text: value }, { requiredKeys: ['type'] }),
      ),
      value,
    ),
    tool_calls: value,
    tool_call_id: value,
  },
  { requiredKeys: ['role'] },
);
const body = fc
  .tuple(
    fc.boolean(),
    fc.array(message, { maxLength: 3 }),
    fc.array(fc.tuple(field, value), { maxLength: 4 }),
  )
  .map(([stream, messages, fields]) =>
    JSON.stringify(
      Object.fromEntries<unknown>([
        ['model', 'test-model'],
        ['messages', messages],
        ['stream', stream],
        ['input', 'a'],
        ...fields,
      ]),
    ),
  );

function assertWellFormed(answer: Answer, proof: string): void {
  if (answer.headers['content-type']?.startsWith('text/event-stream')) {
    const data = dataOf(answer.text);
    assert.equal(data.at(-1), '[DONE]');
    for (const chunk of data.slice(0, -1)) assert.ok(Array.isArray(JSON.parse(chunk).choices), chunk);
    return;
  }
  const json = JSON.parse(answer.text);
  if (answer.status === 200) {
    assert.ok(Array.isArray(json[proof]), answer.text);
    return;
  }
  assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${answer.text}`);
  assert.equal(typeof json.error.message, 'string');
  assert.equal(json.error.type, 'invalid_request_error');
  assert.equal(typeof json.error.code, 'string');
}

for (const { name, ask } of TRANSPORTS) {
  test(`any body for a translated model is answered in OpenAI’s shape, ${name}`, async () => {
    await using gateway = await startGateway([deployment({ mockResponse: 'Hello' })]);
    await fc.assert(
      fc.asyncProperty(body, async (text) => {
        assertWellFormed(await ask(gateway, { path: '/v1/chat/completions', body: text }), 'choices');
      }),
      { numRuns: 100 },
    );
  });

  test(`any body for a model that is passed through is answered in OpenAI’s shape, ${name}`, async () => {
    await using upstream = await startUpstream((response, request) => {
      const { stream } = JSON.parse(request.body);
      const chunk =
        '{"choices":[{"delta":{"content":"Hi"},"message":{"content":"Hi"},"finish_reason":"stop"}]}';
      response.writeHead(200, { 'content-type': stream === true ? 'text/event-stream' : 'application/json' });
      response.end(stream === true ? `data: ${chunk}\n\n` : chunk);
    });
    await using gateway = await startGateway([deployment({ baseUrl: upstream.baseUrl })]);
    await fc.assert(
      fc.asyncProperty(body, async (text) => {
        assertWellFormed(await ask(gateway, { path: '/v1/chat/completions', body: text }), 'choices');
      }),
      { numRuns: 100 },
    );
  });

  test(`any body for embeddings is answered in OpenAI’s shape, ${name}`, async () => {
    await using gateway = await startGateway([deployment({ dialect: 'ollama', capabilities: {} })], {
      embedders: {
        ollama:
          () =>
          async ({ input }) => ({ vectors: input.map(() => Float32Array.of(1, 2)), promptTokens: 1 }),
      },
    });
    await fc.assert(
      fc.asyncProperty(body, async (text) => {
        assertWellFormed(await ask(gateway, { path: '/v1/embeddings', body: text }), 'data');
      }),
      { numRuns: 100 },
    );
  });
}

test('any path is answered in OpenAI’s shape', async () => {
  await using gateway = await startGateway([deployment({ mockResponse: 'Hello' })]);
  const inProcess = TRANSPORTS.find(({ name }) => name === 'in process');
  assert.ok(inProcess);
  const path = fc.oneof(
    fc.webPath(),
    fc.string().map((text) => `/v1/models/${text}`),
    fc.string({ unit: 'binary' }).map((text) => `/${text}`),
  );
  await fc.assert(
    fc.asyncProperty(path, async (text) => {
      const answer = await inProcess.ask(gateway, { path: text });
      assert.ok(
        answer.status === 200 || [400, 404, 405].includes(answer.status),
        `${answer.status} ${answer.text}`,
      );
      if (answer.status !== 200) assert.equal(typeof JSON.parse(answer.text).error.message, 'string');
    }),
    { numRuns: 150 },
  );
});
