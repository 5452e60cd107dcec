import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import OpenAI from 'openai';
import { until } from '../eventually.ts';
import { runProgram, startProgram, type Program } from '../program.ts';
import { chunk, chunkedHead, lastChunk, ndjson, ollama, sse, vectorOf } from '../upstream-scripts.ts';
import { reset, send, stall, startUpstream, wait, type Script, type TestUpstream } from '../upstream.ts';

const KEY = 'sk-upstream-0123456789abcdef';
const MESSAGES = [{ role: 'user' as const, content: 'hi' }];
const MODELS = [
  { name: 'llama3:latest', capabilities: ['completion', 'tools'], contextLength: 131_072 },
  { name: 'minilm:latest', capabilities: ['embedding'], contextLength: 512 },
];

const chunkOf = (delta: object, finish: string | null = null): object => ({
  id: 'chatcmpl-up',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'gpt-4o-2024',
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const USAGE = {
  ...chunkOf({}),
  choices: [],
  usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
};
const ANSWER = [chunkOf({ role: 'assistant', content: 'Hello' }), chunkOf({}, 'stop'), USAGE, '[DONE]'];

/** An OpenAI-compatible server whose model's name says what happens. */
const openAi: Script = (request) => {
  const { model } = request.json() as { model: string };
  if (model === 'silent') return [stall];
  const begun = [send(chunkedHead('text/event-stream') + chunk(`data: ${JSON.stringify(ANSWER[0])}\n\n`))];
  if (model === 'endless') return [...begun, stall];
  if (model === 'slow') {
    const rest = ANSWER.slice(1).map((event) =>
      send(chunk(`data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`)),
    );
    return [...begun, wait(300), ...rest, send(lastChunk)];
  }
  if (model === 'cut') return [...begun, reset];
  return sse(ANSWER);
};

/** Ollama whose answer breaks off for a model of that name. */
const breakable: Script = (request, index) => {
  const script = ollama([...MODELS, { name: 'dies:latest' }]);
  if (request.path === '/api/chat' && (request.json() as { model: string }).model === 'dies:latest') {
    const line = { message: { role: 'assistant', content: 'Hal' }, done: false };
    return [...ndjson([line]).slice(0, -1), reset];
  }
  return script(request, index);
};

/** How long a test waits for what other processes do, in milliseconds. */
const PATIENCE_MS = 20_000;

describe('the running gateway in front of an OpenAI-compatible server and an Ollama', () => {
  let folder: string;
  let upstream: TestUpstream;
  let host: TestUpstream;
  let program: Program;
  let client: OpenAI;
  const start = (): Promise<Program> =>
    startProgram({
      args: ['serve', '--port', '0', '--config', join(folder, 'obelisk.yaml')],
      env: { UPSTREAM_KEY: KEY, OBELISK_DATA_DIR: join(folder, 'data'), OLLAMA_HOST: host.origin },
    });
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'obelisk-gateway-'));
    upstream = await startUpstream(openAi);
    host = await startUpstream(breakable);
    await writeFile(
      join(folder, 'obelisk.yaml'),
      `vaults: []
providers: {ollama: {poll_seconds: 1}}
model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt-4o, api_base: "${upstream.origin}/v1", api_key: os.environ/UPSTREAM_KEY, temperature: 0.5}
  - model_name: up/*
    litellm_params: {model: openai/*, api_base: "${upstream.origin}/v1", api_key: "\${UPSTREAM_KEY}"}
  - model_name: canned
    litellm_params: {model: openai/gpt-4o, mock_response: Twelve o'clock}
  - model_name: claude
    litellm_params: {model: anthropic/claude-3, api_key: none}
router_settings: {redis_host: cache}
`,
    );
    program = await start();
    client = new OpenAI({ baseURL: `${program.url}/v1`, apiKey: 'unused', maxRetries: 0 });
    await until(
      async () => (await client.models.list()).data.some(({ id }) => id === 'llama3:latest'),
      'Ollama is found',
      PATIENCE_MS,
    );
  });
  after(async () => {
    await program.stop();
    await upstream.close();
    await host.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('lists what was configured and what was found, with what each can do', async () => {
    const { data } = (await (await fetch(`${program.url}/models`)).json()) as {
      data: Record<string, unknown>[];
    };
    const names = ['gpt', 'canned', 'dies:latest', 'llama3:latest', 'minilm:latest'];
    assert.deepEqual(new Set(data.map(({ id }) => id)), new Set(names));
    const llama = data.find(({ id }) => id === 'llama3:latest');
    assert.equal(llama?.['max_input_tokens'], 16_384, 'what is served, not what it was trained for');
    assert.deepEqual(llama?.['capabilities'], { tools: true, vision: false, thinking: false });
    assert.equal(llama?.['source'], `ollama ${host.origin}`);
    assert.equal(data.find((model) => model['default'] === 'embedding')?.['id'], 'minilm:latest');
  });

  it('passes a stream through to the byte, usage only for those who asked', async () => {
    for (const [usage, path] of [
      [true, '/v1/chat/completions'],
      [false, '/chat/completions'],
    ] as const) {
      const response = await fetch(program.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          model: 'gpt',
          messages: MESSAGES,
          stream: true,
          ...(usage ? { stream_options: { include_usage: true } } : {}),
        }),
      });
      const expected = ANSWER.filter((event) => usage || event !== USAGE)
        .map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`)
        .join('');
      assert.equal(await response.text(), expected);
    }
    const sent = upstream.requests.at(-1);
    assert.equal(sent?.headers['authorization'], `Bearer ${KEY}`);
    assert.deepEqual(sent?.json(), {
      stream_options: { include_usage: true },
      temperature: 0.5,
      model: 'gpt-4o',
      messages: MESSAGES,
      stream: true,
    });
  });

  it('answers from Ollama in OpenAI’s form, with the model’s profile', async () => {
    const completion = await client.chat.completions.create({ model: 'ollama/llama3', messages: MESSAGES });
    assert.equal(completion.choices[0]?.message.content, 'Hello there!');
    assert.equal(completion.usage?.total_tokens, 12);
    const chat = host.requests.findLast(({ path }) => path === '/api/chat')?.json() as Record<
      string,
      unknown
    >;
    assert.equal((chat['options'] as Record<string, unknown>)['num_ctx'], 16_384);
    assert.equal(chat['truncate'], false);
  });

  it('gives the SDK, which asks for base64, the same embeddings as floats', async () => {
    const input = ['one', 'two'];
    const packed = await client.embeddings.create({ model: 'minilm', input });
    const plain = await client.embeddings.create({ model: 'minilm', input, encoding_format: 'float' });
    for (const [index, text] of input.entries()) {
      const expected = [...Float32Array.from(vectorOf(text))];
      assert.deepEqual(packed.data[index]?.embedding, expected);
      assert.deepEqual(plain.data[index]?.embedding.map(Math.fround), expected);
    }
  });

  it('closes the upstream when the client goes: before the answer, within it, and without a stream', async () => {
    for (const [model, stream] of [
      ['up/silent', true],
      ['up/endless', true],
      ['up/silent', false],
    ] as const) {
      const before = upstream.requests.length;
      const leaving = new AbortController();
      const asked = fetch(`${program.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model, messages: MESSAGES, stream }),
        signal: leaving.signal,
      })
        .then((response) => response.text())
        .then(() => assert.fail('the answer never ends'))
        .catch((error: unknown) => assert.equal((error as Error).name, 'AbortError'));
      const request = await upstream.request(before);
      leaving.abort();
      await asked;
      await request.closed;
    }
  });

  it('tells of an upstream and of an Ollama that die within an answer', async () => {
    for (const model of ['up/cut', 'dies']) {
      let text = '';
      await assert.rejects(
        async () => {
          const stream = await client.chat.completions.create({ model, messages: MESSAGES, stream: true });
          for await (const part of stream) text += part.choices[0]?.delta.content ?? '';
        },
        (error) => error instanceof OpenAI.APIError && /127\.0\.0\.1/.test(error.message),
      );
      assert.match(text, /^(Hello|Hal)$/, 'what came before is not lost');
    }
  });

  it('says at start, and when asked, which entry leads nowhere and which key has no effect', async () => {
    assert.match(program.stderr(), /model_list cannot be served.*claude/);
    assert.match(program.stderr(), /no effect yet router_settings\.redis_host \(.*obelisk\.yaml:\d+\)/);
    await assert.rejects(
      client.models.retrieve('claude'),
      /claude \(model_list, line \d+\) cannot be served: .*anthropic/,
    );
  });

  it('lets a stream end that was running when it was told to stop, and forgets no model of a host that is away', async () => {
    const running = await client.chat.completions.create({
      model: 'up/slow',
      messages: MESSAGES,
      stream: true,
    });
    const stopping = program.stop();
    let finish: string | null | undefined;
    for await (const part of running) finish = part.choices[0]?.finish_reason ?? finish;
    assert.equal(finish, 'stop');
    await stopping;
    await host.close();
    program = await start();
    client = new OpenAI({ baseURL: `${program.url}/v1`, apiKey: 'unused', maxRetries: 0 });
    for (const model of ['llama3', 'minilm:latest']) {
      await assert.rejects(client.models.retrieve(model), (error) => {
        assert.ok(error instanceof OpenAI.InternalServerError, String(error));
        assert.equal(error.status, 503);
        assert.ok(error.message.includes(host.origin), 'it names the host');
        assert.match(error.message, /ollama serve/, 'it says what to do');
        return true;
      });
    }
    await assert.rejects(client.models.retrieve('never'), OpenAI.NotFoundError);
    await using back = await startUpstream(breakable, { port: Number(new URL(host.origin).port) });
    assert.equal(back.origin, host.origin);
    await until(
      () =>
        client.models.retrieve('llama3').then(
          () => true,
          () => false,
        ),
      'Ollama is found again',
      PATIENCE_MS,
    );
  });

  it('logs and counts every request once, and prints no key anywhere', async () => {
    await client.chat.completions.create({
      model: 'canned',
      messages: [{ role: 'user', content: 'a-prompt' }],
    });
    await assert.rejects(client.chat.completions.create({ model: 'nope', messages: MESSAGES }));
    const metrics = await (await fetch(`${program.url}/metrics`)).text();
    assert.match(
      metrics,
      /requests_total\{route="\/v1\/chat\/completions",model="canned",outcome="ok"\} 1\n/,
    );
    assert.match(metrics, /outcome="error:model_not_found"\} 1\n/);
    assert.match(metrics, /obelisk_tokens_total\{model="canned",kind="completion"\} 20\n/);
    await until(() => /"model":"canned"/.test(program.stderr()), 'the log is written', PATIENCE_MS);
    const lines = program
      .stderr()
      .split('\n')
      .filter((line) => /"message":"request"/.test(line));
    assert.equal(lines.filter((line) => /"model":"canned".*"outcome":"ok"/.test(line)).length, 1);
    const { stdout } = await runProgram({
      args: ['config', '--json', '--config', join(folder, 'obelisk.yaml')],
      env: { UPSTREAM_KEY: KEY },
    });
    assert.match(stdout, /\[secret\]/);
    for (const text of [program.stdout(), program.stderr(), stdout, metrics]) {
      assert.doesNotMatch(text, /0123456789abcdef|a-prompt|clock/);
    }
  });
});
