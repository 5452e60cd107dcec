import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ChatEvent, ChatRequest } from '../providers/chat.ts';
import { MODELS, sent, startServing } from '../../test/ollama-serving.ts';
import type { ServingSetting } from '../../test/ollama-serving.ts';
import { profilesOf } from '../../test/ollama-profiles.ts';
import { chunk, chunkedHead, json, ndjson, ollama } from '../../test/upstream-scripts.ts';
import { reset, send, stall, startUpstream } from '../../test/upstream.ts';
import type { Script } from '../../test/upstream.ts';
import { createOllamaChat } from './chat-writer.ts';

function request(fields: Partial<ChatRequest> = {}): ChatRequest {
  return {
    model: 'tiny',
    messages: [{ role: 'user', text: 'hi' }],
    stream: true,
    includeUsage: false,
    options: {},
    ...fields,
  };
}

/** Requests may choose their window. */
const ANY_WINDOW = { profiles: profilesOf({ requestOptions: ['num_ctx'] }) };

type Heard = {
  readonly events: readonly ChatEvent[];
  readonly loading: number;
  readonly headers: Readonly<Record<string, string>>;
};

async function ask(
  setting: ServingSetting,
  asked: ChatRequest = request(),
  target: { readonly model?: string; readonly defaults?: Readonly<Record<string, unknown>> } = {},
): Promise<Heard> {
  const write = createOllamaChat(setting.serving)({
    baseUrl: setting.server.origin,
    model: target.model ?? 'tiny:latest',
    defaults: target.defaults ?? {},
  });
  const events: ChatEvent[] = [];
  const headers: Record<string, string> = {};
  let loading = 0;
  const context = {
    signal: new AbortController().signal,
    onLoading: () => (loading += 1),
    onHeader: (name: string, value: string) => (headers[name] = value),
  };
  for await (const event of write(asked, context)) events.push(event);
  return { events, loading, headers };
}

test('a chat is written, with the profile of the model and nothing cut', async () => {
  await using setting = await startServing(ollama(MODELS));
  const { events } = await ask(setting, request({ maxTokens: 5, options: { top_k: 3 } }));
  assert.deepEqual(events, [
    { type: 'text-delta', text: 'Hello' },
    { type: 'text-delta', text: ' there' },
    { type: 'text-delta', text: '!' },
    {
      type: 'finish',
      reason: 'stop',
      usage: { promptTokens: 9, completionTokens: 3 },
      timing: { queueMs: 0, totalMs: 5, loadMs: 1, promptMs: 1, generationMs: 1 },
    },
  ]);
  assert.deepEqual(sent(setting), [
    {
      model: 'tiny:latest',
      messages: [{ role: 'user', content: 'hi' }],
      stream: true,
      truncate: false,
      shift: false,
      options: { num_ctx: 2048, num_predict: 5, top_k: 3 },
    },
  ]);
});

test('what the deployment says is the default of the request, in options, keep_alive and think', async () => {
  await using setting = await startServing(ollama(MODELS));
  const defaults = {
    temperature: 0,
    max_tokens: 9,
    num_ctx: 4096,
    keep_alive: '-1',
    think: 'low',
    timeout: 60,
  };
  const { headers } = await ask(setting, request({ temperature: 1 }), { model: 'able:latest', defaults });
  const [body] = sent(setting);
  assert.deepEqual(body, {
    model: 'able:latest',
    messages: [{ role: 'user', content: 'hi' }],
    stream: true,
    truncate: false,
    shift: false,
    options: { num_ctx: 4096, num_predict: 9, temperature: 1 },
    keep_alive: -1,
    think: 'low',
  });
  assert.deepEqual(headers, {});
});

test('a configured override of the model is found by any spelling of its name', async () => {
  await using setting = await startServing(ollama(MODELS), {
    profiles: profilesOf({ hardware: { num_thread: 4 }, modelOverrides: { Able: { num_gpu: 0 } } }),
  });
  await ask(setting, request(), { model: 'able:latest' });
  assert.deepEqual(
    sent(setting).map((body) => Object(body).options),
    [{ num_ctx: 16_384, num_thread: 4, num_gpu: 0 }],
  );
});

test('a prompt that does not fit is told what would, and whether more is to be had', async () => {
  const usual = ollama(MODELS);
  const script: Script = (asked, index) => {
    const tooLong = json({ error: 'the input length exceeds the context length' }, 400);
    if (asked.path === '/api/chat') return [tooLong];
    return usual(asked, index);
  };
  await using setting = await startServing(script, ANY_WINDOW);
  const fails = (options: Record<string, number>, message: RegExp): Promise<void> =>
    assert.rejects(ask(setting, request({ options })), {
      code: 'context_length_exceeded',
      param: 'messages',
      message,
    });
  await fails({}, /tiny:latest is served with a context of 2048 tokens.*; .*choose another model$/);
  await fails(
    { num_ctx: 512 },
    /context of 512 tokens.*raise num_ctx in the profile of the model: it was trained for 2048$/,
  );
});

test('options that were dropped are named in a header', async () => {
  await using setting = await startServing(ollama(MODELS));
  const { headers } = await ask(setting, request({ options: { num_gpu: 2, low_vram: true, num_ctx: 512 } }));
  assert.deepEqual(headers, { 'x-obelisk-options-ignored': 'low_vram, num_gpu' });
});

test('whoever waits for a cold model is told at once, for a warm one not', async () => {
  await using setting = await startServing(ollama(MODELS), ANY_WINDOW);
  assert.equal((await ask(setting)).loading, 1);
  assert.equal((await ask(setting)).loading, 0);
  assert.equal((await ask(setting, request({ options: { num_ctx: 512 } }))).loading, 1);
  assert.equal((await ask(setting, request({ keepAlive: 0 }))).loading, 1);
  await setting.look();
  assert.equal((await ask(setting)).loading, 1);
});

test('a cloud model gets no runner options and no word of loading', async () => {
  await using setting = await startServing(ollama(MODELS));
  const { loading } = await ask(setting, request({ temperature: 0 }), { model: 'far:cloud' });
  assert.equal(loading, 0);
  assert.deepEqual(
    sent(setting).map((body) => Object(body).options),
    [{ temperature: 0 }],
  );
});

test('what a model cannot do is refused before Ollama is asked', async () => {
  await using setting = await startServing(ollama(MODELS));
  const image = { role: 'user' as const, text: '', images: [{ mediaType: 'image/png', base64: 'AA' }] };
  const refused: readonly (readonly [Partial<ChatRequest>, string, string])[] = [
    [{}, 'embed:latest', 'model'],
    [{ messages: [image] }, 'tiny:latest', 'messages'],
    [{ tools: [{ name: 'f' }] }, 'tiny:latest', 'tools'],
    [{ think: true }, 'tiny:latest', 'think'],
  ];
  for (const [fields, model, param] of refused) {
    await assert.rejects(ask(setting, request(fields), { model }), { code: 'unsupported', param });
  }
  assert.deepEqual(sent(setting), []);
  await ask(setting, request({ think: false, tools: [{ name: 'f' }], toolChoice: 'none' }));
  await ask(setting, request({ messages: [image], tools: [{ name: 'f' }], think: 'high' }), {
    model: 'able:latest',
  });
  assert.equal(sent(setting).length, 2);
});

test('a host that dies in the middle of an answer is an error, not an end', async () => {
  for (const [script, code] of [
    [
      [send(chunkedHead('application/x-ndjson')), send(chunk('{"message":{"content":"half"}}\n')), reset],
      'upstream_unreachable',
    ],
    [ndjson([{ message: { content: 'half' }, done: false }]), 'upstream_invalid'],
    [
      ndjson([{ message: { content: 'half' } }, { error: 'llama runner process has terminated' }]),
      'upstream_error',
    ],
  ] as const) {
    await using setting = await startServing((one, index) => {
      if (one.path === '/api/chat') return script;
      return ollama(MODELS)(one, index);
    });
    await assert.rejects(ask(setting), { code });
  }
});

test('leaving the answer early closes the connection', async () => {
  await using setting = await startServing((one, index) => {
    const endless = [
      send(chunkedHead('application/x-ndjson')),
      send(chunk('{"message":{"content":"a"}}\n')),
      stall,
    ];
    if (one.path === '/api/chat') return endless;
    return ollama(MODELS)(one, index);
  });
  const write = createOllamaChat(setting.serving)({
    baseUrl: setting.server.origin,
    model: 'tiny:latest',
    defaults: {},
  });
  for await (const event of write(request(), { signal: new AbortController().signal })) {
    assert.equal(event.type, 'text-delta');
    break;
  }
  const chat = setting.server.requests.find((one) => one.path === '/api/chat');
  assert.ok(chat);
  await chat.closed;
});

test('a model on a host that is not looked at is described once, when it is first asked', async () => {
  await using found = await startServing(ollama([]));
  await using other = await startUpstream(ollama(MODELS));
  const write = createOllamaChat(found.serving)({
    baseUrl: other.origin,
    model: 'tiny:latest',
    defaults: {},
  });
  for (let time = 0; time < 2; time += 1) {
    const texts: string[] = [];
    for await (const event of write(request(), { signal: new AbortController().signal })) {
      if (event.type === 'text-delta') texts.push(event.text);
    }
    assert.equal(texts.join(''), 'Hello there!');
  }
  assert.deepEqual(
    other.requests.map((one) => one.path),
    ['/api/show', '/api/chat', '/api/chat'],
  );
});

const LAST = '{"message":{"content":"x"},"done":true,"prompt_eval_count":1,"eval_count":1}\n';

test('an answer is over with its last line, whether or not the server ends it', async () => {
  const script = ollama(MODELS);
  await using setting = await startServing((asked, index) => {
    if (asked.path === '/api/chat') return [send(chunkedHead('application/x-ndjson') + chunk(LAST)), stall];
    return script(asked, index);
  });
  const startedMs = performance.now();
  const { events } = await ask(setting);
  assert.deepEqual(
    events.map(({ type }) => type),
    ['text-delta', 'finish'],
  );
  assert.ok(performance.now() - startedMs < 5_000, 'and nobody waits for the idle clock');
  const chat = setting.server.requests.find(({ path }) => path === '/api/chat');
  await chat?.closed;
});

test('a reader that leaves with the last event leaves the connection to the next request', async () => {
  await using setting = await startServing(ollama(MODELS));
  for (let turn = 0; turn < 3; turn += 1) {
    const write = createOllamaChat(setting.serving)({
      baseUrl: setting.server.origin,
      model: 'tiny:latest',
      defaults: {},
    });
    for await (const event of write(request(), { signal: new AbortController().signal }))
      if (event.type === 'finish') break;
  }
  const chats = setting.server.requests.filter(({ path }) => path === '/api/chat');
  assert.equal(new Set(chats.map(({ connection }) => connection)).size, 1);
  assert.ok(setting.serving.seats.books.peek(setting.server.origin, 'tiny')?.loaded !== undefined);
});
