import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ObeliskError } from '../../../shared/errors.ts';
import type { ChatEvent } from '../../chat.ts';
import { createDoorBuilder, createDoorStream } from './door-answer.ts';
import type { DoorAnswer } from './door-answer.ts';
import { parseDoorChat } from './door-chat.ts';
import { parseDoorEmbed, parseDoorEmbedOne } from './door-embed.ts';
import { toDoorError } from './door-error.ts';
import { parseDoorGenerate } from './door-generate.ts';

const user = { role: 'user', content: 'Hi' };
const refused = (parse: () => unknown): string => {
  try {
    parse();
  } catch (error) {
    assert.ok(error instanceof ObeliskError && error.code === 'invalid_request', String(error));
    return error.param ?? error.message;
  }
  return assert.fail('it was taken');
};

test('what is left out is as Ollama has it: a stream, no turns, no options', () => {
  const bare = { model: 'm', messages: [], stream: true, includeUsage: true, options: {} };
  assert.deepEqual(parseDoorChat({ model: 'm' }), bare);
  const nothing = { messages: null, stream: null, format: '', options: null, tools: null, think: null };
  assert.deepEqual(parseDoorChat({ model: 'm', ...nothing, keep_alive: null, more: 1 }), bare);
});

test('fields of the wrong type are refused by their names', () => {
  const chat = (fields: object) => (): unknown => parseDoorChat({ model: 'm', ...fields });
  const cases: readonly [() => unknown, string][] = [
    [chat({ model: 5 }), 'model'],
    [chat({ messages: [{ role: 'user', content: 5 }] }), 'messages[0].content'],
    [chat({ messages: [{ role: 'nobody' }] }), 'messages[0].role'],
    [chat({ messages: [{ ...user, images: ['http://x/y.png'] }] }), 'messages[0].images[0]'],
    [chat({ messages: [user], format: 'yaml' }), 'format'],
    [chat({ messages: [user], options: { seed: 'x' } }), 'seed'],
    [chat({ messages: [user], keep_alive: 'soon' }), 'keep_alive'],
    [chat({ messages: [user], think: 'deeply' }), 'think'],
    [chat({ messages: [user], top_logprobs: 21 }), 'top_logprobs'],
    [chat({ messages: [user], tools: [{ function: {} }] }), 'tools[0].function.name'],
    [() => parseDoorGenerate({ model: 'm', context: ['a'] }), 'context[0]'],
    [() => parseDoorGenerate({ model: 'm', images: ['%'] }), 'images[0]'],
    [() => parseDoorEmbed({ model: 'm', input: [1] }), 'input[0]'],
    [() => parseDoorEmbed({ model: 'm', input: 'x', dimensions: 0 }), 'dimensions'],
    [() => parseDoorEmbedOne({ model: 'm', prompt: ['x'] }), 'prompt'],
  ];
  for (const [parse, name] of cases) assert.equal(refused(parse), name);
});

test('content may be a list of texts, as some clients send an empty one', () => {
  const { messages } = parseDoorChat({
    model: 'm',
    messages: [
      { role: 'user', content: [] },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
    ],
  });
  assert.deepEqual(
    messages.map(({ text }) => text),
    ['', 'ab'],
  );
});

test('an image says itself what it is, and may come as a data URL', () => {
  const images = [
    'iVBORw0KGgoA',
    '/9j/4AAQ',
    'R0lGODlh',
    'UklGRgAA',
    'data:image/jpeg;base64,/9j/4AAQ',
    'AAAA',
  ];
  const [turn] = parseDoorChat({ model: 'm', messages: [{ ...user, images }] }).messages;
  assert.deepEqual(
    turn?.role === 'user' && turn.images?.map(({ mediaType }) => mediaType.slice('image/'.length)),
    ['png', 'jpeg', 'gif', 'webp', 'jpeg', 'png'],
  );
});

test('a result belongs to the call of its id, else of its tool, else to the first that has none', () => {
  const call = (name: string, id?: string): object => ({
    ...(id && { id }),
    function: { name, arguments: {} },
  });
  const { messages } = parseDoorChat({
    model: 'm',
    messages: [
      { role: 'assistant', tool_calls: [call('a', 'call_x'), call('b'), call('b'), call('c')] },
      { role: 'tool', content: 'second b?', tool_name: 'b' },
      { role: 'tool', content: 'x', tool_call_id: 'call_x' },
      { role: 'tool', content: 'first left' },
      { role: 'tool', content: 'c', tool_name: 'c' },
      { role: 'tool', content: 'of nobody', tool_name: 'd' },
      { role: 'tool', content: 'of an unknown id', tool_call_id: 'call_y' },
    ],
  });
  const results = messages.flatMap((turn) =>
    turn.role === 'tool' ? [[turn.toolCallId, turn.toolName]] : [],
  );
  assert.deepEqual(results, [
    ['call_1', 'b'],
    ['call_x', 'a'],
    ['call_2', 'b'],
    ['call_3', 'c'],
    ['call_0', 'd'],
    ['call_y', undefined],
  ]);
});

test('a limit of no limit stays in Ollama’s words', () => {
  const { maxTokens, options } = parseDoorChat({ model: 'm', options: { num_predict: -1, numa: true } });
  assert.equal(maxTokens, undefined);
  assert.deepEqual(options, { num_predict: -1, numa: true });
});

test('no text is no text, whichever way it is written', () => {
  for (const input of ['', [], null, undefined])
    assert.deepEqual(parseDoorEmbed({ model: 'm', input }).input, []);
  assert.deepEqual(parseDoorEmbedOne({ model: 'm' }).input, []);
});

const finish: ChatEvent = {
  type: 'finish',
  reason: 'length',
  usage: { promptTokens: 2, completionTokens: 3 },
};

function answer(kind: DoorAnswer['kind']): DoorAnswer {
  let nowMs = 100;
  return { model: 'm', kind, unixMs: () => 0, monotonicMs: () => (nowMs += 10), startedMs: 100 };
}

test('a stream and an answer in one piece say the same, of texts as of chats', () => {
  const logprob = { token: 'a', logprob: -1, bytes: [97], top_logprobs: [] };
  const events: readonly ChatEvent[] = [
    { type: 'reasoning-delta', text: 'hm' },
    { type: 'text-delta', text: 'a', logprobs: [logprob] },
    { type: 'tool-call', index: 0, call: { id: 'call_1', name: 'f', arguments: '' } },
    finish,
  ];
  for (const kind of ['chat', 'generate'] as const) {
    const stream = createDoorStream(answer(kind));
    const lines = events.map((event) => JSON.parse(stream.event(event)));
    const builder = createDoorBuilder(answer(kind));
    for (const event of events) builder.add(event);
    const whole = JSON.parse(builder.body() ?? '');
    const partOf = (line: Record<string, unknown>): Record<string, unknown> =>
      Object.assign({}, kind === 'chat' ? line['message'] : line);
    const text = kind === 'chat' ? 'content' : 'response';
    assert.equal(lines.map((line) => partOf(line)[text]).join(''), partOf(whole)[text]);
    assert.equal(partOf(lines[0])['thinking'], partOf(whole)['thinking']);
    assert.deepEqual(partOf(lines[2])['tool_calls'], partOf(whole)['tool_calls']);
    assert.deepEqual(partOf(whole)['tool_calls'], [
      { id: 'call_1', function: { index: 0, name: 'f', arguments: {} } },
    ]);
    assert.deepEqual(lines[1].logprobs, whole.logprobs);
    assert.deepEqual(
      lines.map(({ done }) => done),
      [false, false, false, true],
    );
    for (const end of [lines.at(-1), whole]) {
      assert.deepEqual([end.done_reason, end.prompt_eval_count, end.eval_count], ['length', 2, 3]);
      // Seen from here: 10 ms to the first word, 10 ms more to the end.
      assert.deepEqual([end.prompt_eval_duration, end.eval_duration, end.total_duration], [10e6, 10e6, 20e6]);
      assert.equal(end.created_at, '1970-01-01T00:00:00.000Z');
      assert.deepEqual(end.context, kind === 'generate' ? [] : undefined);
    }
  }
});

test('a sign of life has no text, and says where a request waits', () => {
  const stream = createDoorStream(answer('chat'));
  const lineOf = (text: string): Record<string, unknown> => JSON.parse(text);
  const { message, done, queue } = lineOf(stream.empty());
  assert.deepEqual([message, done, queue], [{ role: 'assistant', content: '' }, false, undefined]);
  assert.deepEqual(lineOf(stream.empty({ position: 2 }))['queue'], { position: 2 });
  assert.deepEqual(lineOf(stream.empty({ position: 1, waitMs: 5 }))['queue'], { position: 1, wait: 5e6 });
});

test('no text ends a line early, by whatever client it is split', () => {
  const text = 'a\u2028b\u2029c\u0085d';
  const stream = createDoorStream(answer('chat'));
  const call = { id: 'call_1', name: 'f', arguments: JSON.stringify({ text }) };
  const lines = [
    stream.event({ type: 'text-delta', text }),
    stream.event({ type: 'tool-call', index: 0, call }),
    `${toDoorError(new ObeliskError('upstream_error', text))}\n`,
  ];
  for (const line of lines) assert.equal(line.split(/[\n\u0085\u2028\u2029]/).length, 2, line);
  assert.equal(JSON.parse(lines[0] ?? '').message.content, text);
  assert.equal(JSON.parse(lines[1] ?? '').message.tool_calls[0].function.arguments.text, text);
});

test('arguments that a model wrote badly are an error, not something else', () => {
  for (const text of ['{"a"', '[1]', '"a"']) {
    const call = { id: 'call_1', name: 'f', arguments: text };
    const stream = createDoorStream(answer('chat'));
    assert.throws(() => stream.event({ type: 'tool-call', index: 0, call }), /no JSON object/);
  }
});

test('an answer without an end is none', () => {
  const builder = createDoorBuilder(answer('chat'));
  builder.add({ type: 'text-delta', text: 'Half' });
  assert.equal(builder.body(), undefined);
});

test('a model that is not there is told in the words that clients look for', () => {
  const of = (code: 'model_not_found' | 'overloaded', message: string): string =>
    JSON.parse(toDoorError(new ObeliskError(code, message))).error;
  assert.equal(of('model_not_found', 'there is no model x'), 'model not found: there is no model x');
  assert.equal(of('model_not_found', "ollama: model 'x' not found"), "ollama: model 'x' not found");
  assert.equal(of('overloaded', 'too much'), 'too much');
});
