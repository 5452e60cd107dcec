import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deployment, startGateway, startUpstream, TRANSPORTS } from '../../test/gateway.ts';

const CHAT = '/v1/chat/completions';
const MESSAGES = [{ role: 'user', content: 'Hi' }];
const mocked = { model: 'mocked', messages: MESSAGES };

type Row = {
  readonly name: string;
  readonly body: unknown;
  readonly status: number;
  readonly message: RegExp;
  readonly param?: string;
};

const ROWS: readonly Row[] = [
  { name: 'an empty body', body: '', status: 400, message: /JSON/ },
  { name: 'half an object', body: '{"model":"mocked"', status: 400, message: /JSON/ },
  { name: 'an array', body: '[]', status: 400, message: /object/ },
  {
    name: 'a depth bomb',
    body: `{"model":"mocked","messages":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    status: 400,
    message: /deep/,
  },
  {
    name: 'a key twice',
    body: '{"model":"a","model":"mocked","messages":[]}',
    status: 400,
    message: /model/,
  },
  {
    name: 'no model',
    body: { messages: MESSAGES },
    status: 400,
    message: /^model: .*"passed"/,
    param: 'model',
  },
  {
    name: 'a model that is a number',
    body: { ...mocked, model: 1 },
    status: 400,
    message: /^model:/,
    param: 'model',
  },
  {
    name: 'an unknown model',
    body: { ...mocked, model: 'nope' },
    status: 404,
    message: /no model nope; did you mean/,
    param: 'model',
  },
  { name: 'a model that climbs', body: { ...mocked, model: '../../x' }, status: 400, message: /^model:/ },
  {
    name: 'a model with a line end',
    body: { ...mocked, model: 'a\r\nx: y' },
    status: 400,
    message: /^model:/,
  },
  {
    name: 'a model of 10,000 characters',
    body: { ...mocked, model: 'a'.repeat(10_000) },
    status: 400,
    message: /256/,
  },
  {
    name: 'an embedding model',
    body: { ...mocked, model: 'embedder' },
    status: 400,
    message: /cannot chat; ask passed/,
  },
  { name: 'no messages', body: { model: 'mocked' }, status: 400, message: /^messages: /, param: 'messages' },
  {
    name: 'empty messages',
    body: { ...mocked, messages: [] },
    status: 400,
    message: /^messages: expected at least one message$/,
    param: 'messages',
  },
  {
    name: 'an unknown role',
    body: { ...mocked, messages: [{ role: 'robot', content: '' }] },
    status: 400,
    message: /^messages\[0\]\.role: expected one of/,
    param: 'messages[0].role',
  },
  {
    name: 'content that is a number',
    body: { ...mocked, messages: [{ role: 'user', content: 1 }] },
    status: 400,
    message: /^messages\[0\]\.content: /,
    param: 'messages[0].content',
  },
  {
    name: 'content that is null',
    body: { ...mocked, messages: [{ role: 'user', content: null }] },
    status: 400,
    message: /^messages\[0\]\.content: expected string, received null or expected array, received null$/,
    param: 'messages[0].content',
  },
  {
    name: 'a part of another type',
    body: { ...mocked, messages: [{ role: 'user', content: [{ type: 'input_audio' }] }] },
    status: 400,
    message: /^messages\[0\]\.content\[0\]\.type: .*audio/,
  },
  {
    name: 'an image by address',
    body: {
      ...mocked,
      messages: [
        { role: 'user', content: [{ type: 'image_url', image_url: { url: 'http://169.254.169.254/' } }] },
      ],
    },
    status: 400,
    message: /never fetched/,
    param: 'messages[0].content[0].image_url',
  },
  {
    name: 'a temperature in words',
    body: { ...mocked, temperature: 'hot' },
    status: 400,
    message: /^temperature: expected number/,
    param: 'temperature',
  },
  {
    name: 'an unknown option type',
    body: { ...mocked, options: { num_ctx: {} } },
    status: 400,
    message: /^options\.num_ctx: /,
    param: 'options.num_ctx',
  },
  { name: 'several answers', body: { ...mocked, n: 2 }, status: 400, message: /^n: /, param: 'n' },
  {
    name: 'the old functions',
    body: { ...mocked, functions: [] },
    status: 400,
    message: /use tools/,
    param: 'functions',
  },
  {
    name: 'a stream in words, passed through',
    body: { model: 'passed', messages: MESSAGES, stream: 'yes' },
    status: 400,
    message: /^stream: /,
    param: 'stream',
  },
  {
    name: 'an address of its own',
    body: { ...mocked, api_base: 'http://evil' },
    status: 400,
    message: /api_base/,
  },
  {
    name: 'an address spelt with escapes',
    body: '{"model":"passed","messages":[],"\\u0061pi_base":"http://evil"}',
    status: 400,
    message: /api_base/,
  },
  {
    name: 'a key in metadata',
    body: { model: 'passed', messages: MESSAGES, metadata: { api_key: 'x' } },
    status: 400,
    message: /api_key/,
  },
];

for (const { name: transport, ask } of TRANSPORTS) {
  for (const { name, body, status, message, param } of ROWS) {
    test(`${name} is answered with ${status} and its reason, ${transport}`, async () => {
      await using gateway = await startGateway([
        deployment({ modelName: 'passed' }),
        deployment({ modelName: 'mocked', mockResponse: 'Hello' }),
        deployment({ modelName: 'embedder', capabilities: { embedding: true, chat: false } }),
      ]);
      const answer = await ask(gateway, {
        path: CHAT,
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
      assert.equal(answer.status, status, answer.text);
      const { error } = JSON.parse(answer.text);
      assert.match(error.message, message);
      assert.equal(error.type, 'invalid_request_error');
      if (param) assert.equal(error.param, param);
      assert.equal(gateway.outcomes().length, 1);
    });
  }

  test(`a tool may name its parameters as it likes, ${transport}`, async () => {
    await using upstream = await startUpstream((response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}');
    });
    await using gateway = await startGateway([deployment({ baseUrl: upstream.baseUrl })]);
    const tools = [
      {
        type: 'function',
        function: { name: 'f', parameters: { properties: { api_key: { type: 'string' } } } },
      },
    ];
    const answer = await ask(gateway, {
      path: CHAT,
      body: { model: 'test-model', messages: MESSAGES, tools },
    });
    assert.equal(answer.status, 200, answer.text);
  });

  test(`a body over 16 MiB is refused, ${transport}`, async () => {
    await using gateway = await startGateway([deployment({ mockResponse: 'Hello' })]);
    const body = `{"model":"test-model","messages":[{"role":"user","content":"${'x'.repeat(16 * 1024 * 1024)}"}]}`;
    const answer = await ask(gateway, { path: CHAT, body });
    assert.equal(answer.status, 413);
    assert.equal(JSON.parse(answer.text).error.code, 'payload_too_large');
  });
}
