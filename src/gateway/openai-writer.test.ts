import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChatRequest } from '../providers/chat.ts';
import type { UpstreamClient, UpstreamRequest } from '../wire/upstream.ts';
import { deployment } from '../../test/gateway.ts';
import { createOpenAiWriter } from './openai-writer.ts';
import { createTargets } from './upstream-target.ts';

const REQUEST: ChatRequest = {
  model: 'x',
  messages: [
    { role: 'user', text: 'Hi' },
    { role: 'assistant', text: 'Hello', reasoning: 'Greet.' },
  ],
  stream: false,
  includeUsage: true,
  think: 'max',
  keepAlive: '5m',
  options: { num_ctx: 512 },
};

/** The body that a server at an address is sent, and what the client is told of. */
async function sentTo(
  baseUrl: string,
  changes: Partial<ChatRequest> = {},
  defaults = {},
): Promise<{ body: Record<string, unknown>; told: unknown }> {
  const sent: UpstreamRequest[] = [];
  // No socket: an address of OpenAI's is what the test is about.
  const upstream: UpstreamClient = {
    send: () => assert.fail('it is asked with request'),
    request(request) {
      sent.push(request);
      return Promise.reject(new Error('nobody is there'));
    },
    connections: () => ({ open: 0, idle: 0 }),
    close: () => Promise.resolve(),
  };
  let told: unknown;
  const write = createOpenAiWriter({ upstream, targetOf: createTargets('me'), unixMs: Date.now }, '');
  const context = {
    signal: new AbortController().signal,
    onHeader: (name: string, value: string) => {
      told = [name, value];
    },
  };
  await assert.rejects(async () => {
    for await (const event of write(deployment({ baseUrl, defaults }))({ ...REQUEST, ...changes }, context))
      assert.fail(event.type);
  }, /nobody is there/);
  const [request] = sent;
  assert.ok(request !== undefined && Buffer.isBuffer(request.body));
  return { body: JSON.parse(request.body.toString()), told };
}

test('OpenAI gets nothing that it would refuse, and what was left out is named', async () => {
  const { body, told } = await sentTo(
    'https://api.openai.com/v1',
    { maxTokens: 9 },
    { max_tokens: 4, user: 'me' },
  );
  assert.deepEqual(body, {
    user: 'me',
    max_completion_tokens: 9,
    model: 'upstream-model',
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
    ],
    stream: true,
    stream_options: { include_usage: true },
    reasoning_effort: 'high',
  });
  assert.deepEqual(told, ['x-obelisk-options-ignored', 'keep_alive, num_ctx']);
});

test('other servers get the limit under the name that they know, and what the model thought', async () => {
  const { body, told } = await sentTo('http://127.0.0.1:8000/v1', { maxTokens: 9, think: true });
  assert.equal(body['max_tokens'], 9);
  assert.ok(!('max_completion_tokens' in body || 'reasoning_effort' in body || 'think' in body));
  assert.deepEqual(body['messages'], [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello', reasoning_content: 'Greet.' },
  ]);
  assert.deepEqual(told, ['x-obelisk-options-ignored', 'keep_alive, num_ctx, think']);
});

test('a limit of the configuration stays where the request has none', async () => {
  const { body } = await sentTo('http://127.0.0.1:8000/v1', {}, { max_tokens: 4 });
  assert.equal(body['max_tokens'], 4);
});
