import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ChatRequest } from '../chat.ts';
import { toOllamaChat, toSamplingOptions } from './chat-request.ts';

const target = { model: 'tiny:latest', options: { num_ctx: 2048 } };

function request(fields: Partial<ChatRequest>): ChatRequest {
  return { model: 'tiny', messages: [], stream: true, includeUsage: false, options: {}, ...fields };
}

test('nothing is ever cut in silence: truncate and shift are off in every request', () => {
  const body = toOllamaChat(request({ stream: false }), target);
  assert.deepEqual(body, {
    model: 'tiny:latest',
    messages: [],
    stream: true,
    truncate: false,
    shift: false,
    options: { num_ctx: 2048 },
  });
});

test('text and images of one turn stay in one message', () => {
  const body = toOllamaChat(
    request({
      messages: [
        { role: 'system', text: 'be brief' },
        { role: 'user', text: 'what is this?', images: [{ mediaType: 'image/png', base64: 'AAAA' }] },
      ],
    }),
    target,
  );
  assert.deepEqual(body.messages, [
    { role: 'system', content: 'be brief' },
    { role: 'user', content: 'what is this?', images: ['AAAA'] },
  ]);
});

test('a tool result carries the name of the tool that the earlier call named', () => {
  const body = toOllamaChat(
    request({
      messages: [
        {
          role: 'assistant',
          text: '',
          reasoning: 'hm',
          toolCalls: [
            { id: 'call_a', name: 'time', arguments: '' },
            { id: 'call_b', name: 'weather', arguments: '{"city":"Oslo"}' },
          ],
        },
        { role: 'tool', text: '4 °C', toolCallId: 'call_b' },
        { role: 'tool', text: '?', toolCallId: 'call_z' },
      ],
    }),
    target,
  );
  assert.deepEqual(body.messages, [
    {
      role: 'assistant',
      content: '',
      thinking: 'hm',
      tool_calls: [
        { id: 'call_a', function: { index: 0, name: 'time', arguments: {} } },
        { id: 'call_b', function: { index: 1, name: 'weather', arguments: { city: 'Oslo' } } },
      ],
    },
    { role: 'tool', content: '4 °C', tool_call_id: 'call_b', tool_name: 'weather' },
    { role: 'tool', content: '?', tool_call_id: 'call_z' },
  ]);
});

test('tool arguments that are no JSON object are refused with the path of the field', () => {
  for (const text of ['{"a":', '[1]', '3', 'null']) {
    assert.throws(
      () =>
        toOllamaChat(
          request({
            messages: [{ role: 'assistant', text: '', toolCalls: [{ id: 'a', name: 'f', arguments: text }] }],
          }),
          target,
        ),
      { code: 'invalid_request', param: 'messages[0].tool_calls[0].function.arguments' },
    );
  }
});

test('tools go natively, and not at all with tool_choice none', () => {
  const tools = [{ name: 'f', parameters: { type: 'object', properties: { a: {} } } }, { name: 'g' }];
  assert.deepEqual(toOllamaChat(request({ tools, toolChoice: 'auto' }), target).tools, [
    {
      type: 'function',
      function: { name: 'f', description: '', parameters: { type: 'object', properties: { a: {} } } },
    },
    {
      type: 'function',
      function: { name: 'g', description: '', parameters: { type: 'object', properties: {} } },
    },
  ]);
  assert.equal('tools' in toOllamaChat(request({ tools, toolChoice: 'none' }), target), false);
  assert.equal('tools' in toOllamaChat(request({ tools: [] }), target), false);
});

test('a tool choice that Ollama cannot keep is refused, never ignored', () => {
  for (const toolChoice of ['required', { name: 'f' }] as const) {
    assert.throws(() => toOllamaChat(request({ tools: [{ name: 'f' }], toolChoice }), target), {
      code: 'unsupported',
      param: 'tool_choice',
    });
  }
});

test('format, think, keep_alive and logprobs travel at the top level', () => {
  const schema = { type: 'object' };
  const body = toOllamaChat(
    request({
      format: { type: 'schema', schema },
      think: 'high',
      logprobs: true,
      topLogprobs: 3,
    }),
    { ...target, keepAlive: '300' },
  );
  assert.equal(body.format, schema);
  assert.equal(body.think, 'high');
  assert.equal(body.keep_alive, 300);
  assert.equal(body.logprobs, true);
  assert.equal(body.top_logprobs, 3);
  assert.equal(toOllamaChat(request({ format: { type: 'json' } }), target).format, 'json');
  assert.equal('format' in toOllamaChat(request({ format: { type: 'text' } }), target), false);
  assert.equal(toOllamaChat(request({ think: false }), target).think, false);
  assert.throws(() => toOllamaChat(request({ logprobs: true, topLogprobs: 21 }), target), {
    code: 'invalid_request',
  });
});

test('the fields of OpenAI become sampling options, with max_tokens as num_predict', () => {
  assert.deepEqual(
    toSamplingOptions(
      request({
        maxTokens: 5,
        temperature: 0,
        topP: 0.5,
        seed: 7,
        stop: ['x'],
        frequencyPenalty: 0,
        presencePenalty: 1,
      }),
    ),
    {
      num_predict: 5,
      temperature: 0,
      top_p: 0.5,
      seed: 7,
      stop: ['x'],
      presence_penalty: 1,
      frequency_penalty: 0,
    },
  );
  assert.deepEqual(toSamplingOptions(request({})), {});
});
