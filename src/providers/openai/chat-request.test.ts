import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObeliskError } from '../../shared/errors.ts';
import { parseChatRequest } from './chat-request.ts';

const base = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };
const parsed = (fields: object): ReturnType<typeof parseChatRequest> =>
  parseChatRequest({ ...base, ...fields });

function refused(fields: object, code: string, message: RegExp): void {
  assert.throws(
    () => parsed(fields),
    (error: unknown) => isObeliskError(error) && error.code === code && message.test(error.message),
  );
}

test('a plain request is plain', () => {
  assert.deepEqual(parseChatRequest(base), {
    model: 'm',
    messages: [{ role: 'user', text: 'Hi' }],
    stream: false,
    includeUsage: false,
    options: {},
  });
});

test('every kind of turn is understood', () => {
  const call = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } };
  const { messages } = parsed({
    messages: [
      { role: 'developer', content: 'Be kind.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is' },
          { type: 'text', text: 'this?' },
          { type: 'image_url', image_url: { url: 'data:image/PNG;base64,iVBORw0KGgo=' } },
        ],
      },
      { role: 'assistant', content: null, tool_calls: [call], reasoning_content: 'Hmm' },
      { role: 'tool', tool_call_id: 'c1', content: [{ type: 'text', text: '42' }] },
      { role: 'assistant', content: [{ type: 'text', text: 'It is 42.' }] },
    ],
  });
  assert.deepEqual(messages, [
    { role: 'system', text: 'Be kind.' },
    { role: 'user', text: 'What is\nthis?', images: [{ mediaType: 'image/png', base64: 'iVBORw0KGgo=' }] },
    {
      role: 'assistant',
      text: '',
      reasoning: 'Hmm',
      toolCalls: [{ id: 'c1', name: 'f', arguments: '{"a":1}' }],
    },
    { role: 'tool', text: '42', toolCallId: 'c1' },
    { role: 'assistant', text: 'It is 42.' },
  ]);
});

test('the newer name of the token limit wins', () => {
  assert.equal(parsed({ max_tokens: 1, max_completion_tokens: 2 }).maxTokens, 2);
  assert.equal(parsed({ max_tokens: 1, max_completion_tokens: null }).maxTokens, 1);
});

test('Ollama’s options are gathered, the top level over `options`', () => {
  const request = parsed({
    num_ctx: 8192,
    top_k: 5,
    keep_alive: '10m',
    options: { num_ctx: 1, mirostat: 1, stop: ['x'], a: null },
    foo: 1,
  });
  assert.deepEqual(request.options, { num_ctx: 8192, top_k: 5, mirostat: 1, stop: ['x'] });
  assert.equal(request.keepAlive, '10m');
});

test('an option named __proto__ changes nothing', () => {
  const request = parseChatRequest(
    JSON.parse('{"model":"m","messages":[{"role":"user","content":"Hi"}],"options":{"__proto__":1}}'),
  );
  assert.deepEqual(request.options, {});
});

test('efforts become Ollama’s words, and `think` wins', () => {
  const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'];
  assert.deepEqual(
    efforts.map((effort) => parsed({ reasoning_effort: effort }).think),
    [false, 'low', 'low', 'medium', 'high', 'max'],
  );
  assert.equal(parsed({ reasoning_effort: 'high', think: false }).think, false);
});

test('formats and tools are understood', () => {
  const schema = { type: 'object' };
  assert.deepEqual(parsed({ response_format: { type: 'json_object' } }).format, { type: 'json' });
  assert.deepEqual(
    parsed({ response_format: { type: 'json_schema', json_schema: { name: 'x', strict: true, schema } } })
      .format,
    { type: 'schema', schema },
  );
  assert.equal(parsed({ response_format: { type: 'text' } }).format, undefined);
  const tools = [
    { type: 'function', function: { name: 'f', description: 'd', parameters: schema, strict: true } },
  ];
  const request = parsed({ tools, tool_choice: { type: 'function', function: { name: 'f' } } });
  assert.deepEqual(request.tools, [{ name: 'f', description: 'd', parameters: schema }]);
  assert.deepEqual(request.toolChoice, { name: 'f' });
  assert.equal(parsed({ tools: [] }).tools, undefined);
});

test('a wrong field is named as the caller would write it', () => {
  refused({ temperature: 3 }, 'invalid_request', /^temperature: /);
  refused(
    { messages: [{ role: 'tool', content: 'x' }] },
    'invalid_request',
    /^messages\[0\]\.tool_call_id: /,
  );
  refused(
    { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
    'invalid_request',
    /^messages\[0\]\.content\[0\]\.text: expected string/,
  );
  refused(
    { tools: [{ type: 'function', function: {} }] },
    'invalid_request',
    /^tools\[0\]\.function\.name: /,
  );
  refused({ stop: [1] }, 'invalid_request', /^stop\[0\]: /);
  refused({ think: 'hard' }, 'invalid_request', /^think: /);
  refused({ options: [] }, 'invalid_request', /^options: /);
});

test('what no translated model has is refused, not ignored', () => {
  refused({ n: 2 }, 'unsupported', /^n: /);
  refused({ functions: [{}] }, 'unsupported', /^functions: /);
  refused({ modalities: ['text', 'audio'] }, 'unsupported', /^modalities: /);
});

test('text that is no object is refused', () => {
  for (const json of [null, 1, 'x', []]) {
    assert.throws(
      () => parseChatRequest(json),
      (error: unknown) => isObeliskError(error) && error.code === 'invalid_request',
    );
  }
});
