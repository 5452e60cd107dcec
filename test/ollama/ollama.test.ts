import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';

import type { ChatEvent, ChatRequest } from '../../src/providers/chat.ts';
import { createOllamaChat } from '../../src/ollama/chat-writer.ts';
import type { OllamaServing } from '../../src/ollama/chat-writer.ts';
import { createOllamaClient } from '../../src/ollama/api/client.ts';
import { createOllamaDiscovery } from '../../src/ollama/fleet/discovery.ts';
import type { OllamaDiscovery } from '../../src/ollama/fleet/discovery.ts';
import { createOllamaEmbedder } from '../../src/ollama/embedder.ts';
import { createOllamaHosts } from '../../src/ollama/fleet/hosts.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { createUpstreamClient } from '../../src/wire/upstream-client.ts';
import { fleetOfOne } from '../fleet-of-one.ts';
import { findRealOllama } from '../ollama-models.ts';
import { profilesOf } from '../ollama-profiles.ts';
import { seatsForTests } from '../ollama-serving.ts';

const real = await findRealOllama();
const skip = 'skip' in real ? real.skip : false;
if (skip !== false) console.log(`SKIPPED: a real Ollama: ${skip}`);
const url = 'url' in real ? real.url : '';
const TINY_CHAT = 'url' in real ? real.chat : '';
const COPY = `obelisk-test-copy-${process.pid}`;
const TINY_EMBED = 'url' in real ? real.embed : '';

suite('a real Ollama', { skip }, () => {
  const upstream = createUpstreamClient();
  let discovery: OllamaDiscovery;
  let serving: OllamaServing;

  before(async () => {
    const client = createOllamaClient({ url, upstream });
    discovery = createOllamaDiscovery({ client, pollMs: 60_000, logger: silentLogger });
    await discovery.refresh();
    const hosts = createOllamaHosts({ upstream, fleet: fleetOfOne({ client, discovery }) });
    const profiles = profilesOf({ requestOptions: ['num_ctx'] });
    serving = {
      hosts,
      seats: seatsForTests(),
      logger: silentLogger,
      newToolCallId: () => 'call_new',
      profiles,
    };
  });

  after(async () => {
    await discovery.stop();
    await upstream.close();
    if ('url' in real) await real[Symbol.asyncDispose]();
  });

  function request(fields: Partial<ChatRequest> = {}): ChatRequest {
    return {
      model: TINY_CHAT,
      messages: [{ role: 'user', text: 'hi' }],
      stream: true,
      includeUsage: false,
      temperature: 0,
      seed: 1,
      maxTokens: 8,
      options: {},
      ...fields,
    };
  }

  async function ask(
    fields: Partial<ChatRequest> = {},
    signal = AbortSignal.timeout(150_000),
    model = TINY_CHAT,
  ): Promise<readonly ChatEvent[]> {
    const write = createOllamaChat(serving)({ baseUrl: url, model, defaults: {} });
    const events: ChatEvent[] = [];
    for await (const event of write(request(fields), { signal })) events.push(event);
    return events;
  }

  function textOf(events: readonly ChatEvent[]): string {
    return events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');
  }

  test('any version is taken, and the models are found with what they can do', () => {
    assert.equal(discovery.state().kind, 'up');
    const chat = discovery.model(TINY_CHAT);
    assert.deepEqual([chat?.chat, chat?.embedding, chat?.contextLength], [true, false, 2048]);
    const embed = discovery.model(TINY_EMBED);
    assert.deepEqual([embed?.chat, embed?.embedding, embed?.contextLength], [false, true, 512]);
  });

  test('an answer has text, and one end with its reason and its tokens', async () => {
    const events = await ask();
    const finish = events.at(-1);
    assert.ok(finish?.type === 'finish');
    assert.ok(finish.usage.promptTokens > 0 && finish.usage.completionTokens > 0);
    assert.equal(finish.reason, finish.usage.completionTokens >= 8 ? 'length' : 'stop');
    assert.equal(events.filter((event) => event.type === 'finish').length, 1);
    assert.equal(textOf(await ask()), textOf(events));
  });

  test('a prompt that does not fit is refused, in one message or in many, and never cut', async () => {
    const long = 'word and word '.repeat(300);
    const many = Array.from({ length: 40 }, (_, index) => ({
      role: index % 2 === 0 ? ('user' as const) : ('assistant' as const),
      text: 'word and word and word',
    }));
    await assert.rejects(ask({ messages: [{ role: 'user', text: long }] }), {
      code: 'context_length_exceeded',
    });
    await assert.rejects(ask({ messages: many, options: { num_ctx: 256 } }), {
      code: 'context_length_exceeded',
    });
  });

  test('structured output keeps to its schema, even with random weights', async () => {
    const schema = { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] };
    const events = await ask({ format: { type: 'schema', schema }, maxTokens: 200 });
    const finish = events.at(-1);
    assert.ok(finish?.type === 'finish');
    // Random weights may write digits until they are stopped; what is whole must be of the schema.
    if (finish.reason === 'stop') assert.ok(Number.isInteger(JSON.parse(textOf(events)).a));
    else assert.match(textOf(events), /^\s*\{\s*"a"\s*:\s*-?\d*/);
  });

  test('probabilities come with their tokens', async () => {
    const events = await ask({ logprobs: true, topLogprobs: 2, maxTokens: 3 });
    const first = events.find((event) => event.type === 'text-delta');
    assert.ok(first?.type === 'text-delta');
    assert.equal(first.logprobs?.[0]?.top_logprobs.length, 2);
  });

  test('sampling that differs reloads nothing, a window that differs does', async () => {
    const client = serving.hosts.client(url);
    const loadMs = async (options: Readonly<Record<string, unknown>>): Promise<number> => {
      const body = { model: TINY_CHAT, messages: [], stream: true, truncate: false, shift: false } as const;
      const asked = { ...body, messages: [{ role: 'user', content: 'hi' }] as const, options };
      let nanoseconds = 0;
      for await (const line of client.chat(asked, AbortSignal.timeout(150_000))) {
        nanoseconds = Number(Object(line).load_duration ?? 0);
      }
      return nanoseconds / 1e6;
    };
    const options = { num_ctx: 2048, num_predict: 1 };
    await loadMs(options);
    const warm = await loadMs({ ...options, temperature: 1, seed: 2, top_k: 1 });
    const reloaded = await loadMs({ ...options, num_ctx: 1024 });
    await loadMs(options);
    assert.ok(reloaded > 4 * warm, `warm ${warm} ms, reloaded ${reloaded} ms`);
  });

  test('texts are embedded in order, with one length and unit norm', async () => {
    const embed = createOllamaEmbedder(serving)({ baseUrl: url, model: TINY_EMBED, defaults: {} });
    const signal = AbortSignal.timeout(150_000);
    const input = Array.from({ length: 40 }, (_, index) => `note ${index} of the vault`);
    const { vectors, promptTokens } = await embed({ model: TINY_EMBED, input, options: {} }, signal);
    assert.equal(vectors.length, 40);
    assert.ok(promptTokens > 40);
    const [alone] = (await embed({ model: TINY_EMBED, input: [input[39] ?? ''], options: {} }, signal))
      .vectors;
    assert.ok(alone);
    assert.ok(Math.abs(Math.hypot(...alone) - 1) < 1e-3);
    const last = vectors[39] ?? new Float32Array();
    assert.ok(alone.every((value, index) => Math.abs(value - (last[index] ?? 0)) < 1e-4));
    const long = { model: TINY_EMBED, input: ['dog '.repeat(2_000)], options: {} };
    await assert.rejects(embed(long, signal), { code: 'context_length_exceeded' });
    const wide = { model: TINY_EMBED, input: ['dog'], dimensions: 9_999, options: {} };
    await assert.rejects(embed(wide, signal), { code: 'invalid_request', param: 'dimensions' });
  });

  test('refusals of Ollama’s own get their codes, asked past our own checks', async () => {
    const client = serving.hosts.client(url);
    const body = { messages: [], stream: true, truncate: false, shift: false, options: {} } as const;
    const messages = [{ role: 'user', content: 'hi' }] as const;
    const refused = async (fields: {
      readonly model: string;
      readonly think?: boolean;
      readonly tools?: readonly unknown[];
    }): Promise<void> => {
      for await (const line of client.chat({ ...body, messages, ...fields }, AbortSignal.timeout(150_000)))
        assert.ok(line);
    };
    const tools = [
      {
        type: 'function',
        function: { name: 'f', description: '', parameters: { type: 'object', properties: {} } },
      },
    ];
    await assert.rejects(refused({ model: 'obelisk-test-nope' }), {
      code: 'model_not_found',
      message: /ollama pull/,
    });
    await assert.rejects(refused({ model: TINY_EMBED }), { code: 'unsupported' });
    await assert.rejects(refused({ model: TINY_CHAT, tools }), { code: 'unsupported' });
    await assert.rejects(refused({ model: TINY_CHAT, think: true }), { code: 'unsupported' });
    await assert.rejects(client.show('obelisk-test-nope'), { code: 'model_not_found' });
  });

  test('an abort ends the answer, and the model goes on serving', async () => {
    const controller = new AbortController();
    const write = createOllamaChat(serving)({ baseUrl: url, model: TINY_CHAT, defaults: {} });
    await assert.rejects(
      async () => {
        for await (const event of write(request({ maxTokens: 2_000 }), { signal: controller.signal })) {
          assert.ok(event);
          controller.abort();
        }
      },
      { code: 'client_gone' },
    );
    assert.ok((await ask()).length > 0);
  });

  test('a model is copied and removed', async () => {
    const client = serving.hosts.client(url);
    await client.copy(TINY_CHAT, COPY);
    await discovery.refresh();
    assert.ok(discovery.model(COPY));
    await client.remove(COPY);
    await discovery.refresh();
    assert.equal(discovery.model(COPY), undefined);
    await assert.rejects(client.remove(COPY), { code: 'model_not_found' });
  });
});
