import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deployment, startGateway, startUpstream, TRANSPORTS } from '../../test/gateway.ts';

const PATH = '/v1/embeddings';
const embedder = deployment({ dialect: 'ollama', capabilities: { embedding: true, chat: false } });

for (const { name, ask } of TRANSPORTS) {
  test(`token ids and encodings pass to an upstream of the same dialect ${name}`, async () => {
    const list =
      '{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPw=="}],"model":"u","usage":{"prompt_tokens":2,"total_tokens":2}}';
    await using upstream = await startUpstream((response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(list);
    });
    await using gateway = await startGateway([deployment({ baseUrl: upstream.baseUrl, capabilities: {} })]);
    const body = { model: 'test-model', input: [[1, 2]], encoding_format: 'base64' };
    const answer = await ask(gateway, { path: PATH, body });
    assert.equal(answer.text, list);
    assert.equal(upstream.received[0]?.path, '/v1/embeddings');
    assert.deepEqual(JSON.parse(upstream.received[0]?.body ?? ''), { ...body, model: 'upstream-model' });
    assert.match(gateway.metrics(), /obelisk_tokens_total\{model="test-model",kind="prompt"\} 2\n/);
  });

  test(`the fields of a request reach the embedder ${name}`, async () => {
    let seen: unknown;
    await using gateway = await startGateway([embedder], {
      embedders: {
        ollama: () => async (request) => {
          seen = request;
          return { vectors: [Float32Array.of(0.5)], promptTokens: 1 };
        },
      },
    });
    const body = {
      model: 'test-model',
      input: 'a',
      dimensions: 1,
      keep_alive: '5m',
      num_ctx: 512,
      user: 'u',
    };
    const answer = await ask(gateway, { path: PATH, body });
    assert.deepEqual(JSON.parse(answer.text).data, [{ object: 'embedding', index: 0, embedding: [0.5] }]);
    const expected = {
      model: 'test-model',
      input: ['a'],
      dimensions: 1,
      keepAlive: '5m',
      options: { num_ctx: 512 },
    };
    assert.deepEqual(seen, expected);
  });

  for (const [what, input, message] of [
    ['token ids', [1, 2], /token ids/],
    ['no text', [], /at least one/],
    ['an empty text', ['a', ''], /empty/],
    ['an object', {}, /^input: /],
  ] as const) {
    test(`${what} for a translated model are refused ${name}`, async () => {
      await using gateway = await startGateway([embedder], {
        embedders: { ollama: () => () => assert.fail('asked') },
      });
      const answer = await ask(gateway, { path: PATH, body: { model: 'test-model', input } });
      assert.equal(answer.status, 400);
      const { error } = JSON.parse(answer.text);
      assert.match(error.message, message);
      assert.equal(error.param, 'input');
    });
  }

  test(`a vault and a chat model make no embeddings ${name}`, async () => {
    await using gateway = await startGateway([
      deployment({ modelName: 'vault/notes', dialect: 'vault' }),
      deployment({ modelName: 'chat', capabilities: { chat: true, embedding: false } }),
      embedder,
    ]);
    const vault = await ask(gateway, { path: PATH, body: { model: 'vault/notes', input: 'a' } });
    assert.equal(JSON.parse(vault.text).error.code, 'unsupported');
    const chat = await ask(gateway, { path: PATH, body: { model: 'chat', input: 'a' } });
    assert.match(JSON.parse(chat.text).error.message, /no embedding model; ask test-model/);
  });
}
