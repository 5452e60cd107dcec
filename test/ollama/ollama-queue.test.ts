import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';

import type { AnswerTiming, ChatEvent } from '../../src/providers/chat.ts';
import { createOllamaChat } from '../../src/ollama/chat-writer.ts';
import type { OllamaServing } from '../../src/ollama/chat-writer.ts';
import { createOllamaClient } from '../../src/ollama/api/client.ts';
import { createOllamaDiscovery } from '../../src/ollama/fleet/discovery.ts';
import type { OllamaDiscovery } from '../../src/ollama/fleet/discovery.ts';
import { createOllamaEmbedder } from '../../src/ollama/embedder.ts';
import { createOllamaHosts } from '../../src/ollama/fleet/hosts.ts';
import type { ModelBook } from '../../src/ollama/queue/model-book.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { createUpstreamClient } from '../../src/wire/upstream-client.ts';
import { fleetOfOne } from '../fleet-of-one.ts';
import { findRealOllama } from '../ollama-models.ts';
import { profilesOf } from '../ollama-profiles.ts';
import { seatsForTests } from '../ollama-serving.ts';

const real = await findRealOllama();
const skip = 'skip' in real ? real.skip : false;
if (skip !== false) console.log(`SKIPPED: queues of a real Ollama: ${skip}`);
const url = 'url' in real ? real.url : '';
const CHAT = 'url' in real ? real.chat : '';
const EMBED = 'url' in real ? real.embed : '';

suite('queues and books of a real Ollama', { skip }, () => {
  const upstream = createUpstreamClient();
  const seats = seatsForTests();
  let discovery: OllamaDiscovery;
  let serving: OllamaServing;
  let book: ModelBook;

  before(async () => {
    const client = createOllamaClient({ url, upstream });
    discovery = createOllamaDiscovery({
      client,
      pollMs: 60_000,
      logger: silentLogger,
      onLook: () => seats.books.look(url),
    });
    await discovery.refresh();
    const hosts = createOllamaHosts({ upstream, fleet: fleetOfOne({ client, discovery }) });
    serving = { hosts, seats, logger: silentLogger, newToolCallId: () => 'call_new', profiles: profilesOf() };
    book = seats.books.book(url, CHAT);
  });

  after(async () => {
    await discovery.stop();
    await upstream.close();
    if ('url' in real) await real[Symbol.asyncDispose]();
  });

  /** Asks for an answer of at most 24 tokens and gives where its time went. */
  async function ask(
    more: { readonly client?: string; readonly numCtx?: number } = {},
  ): Promise<AnswerTiming> {
    const target = { baseUrl: url, model: CHAT, defaults: { num_ctx: more.numCtx ?? 512 } };
    const request = {
      model: CHAT,
      messages: [{ role: 'user' as const, text: 'hi' }],
      stream: true,
      includeUsage: false,
      maxTokens: 24,
      seed: 1,
      temperature: 0,
      options: {},
    };
    const context = { signal: AbortSignal.timeout(150_000), client: more.client ?? 'a' };
    let last: ChatEvent | undefined;
    for await (const event of createOllamaChat(serving)(target)(request, context)) last = event;
    assert.ok(last?.type === 'finish' && last.timing);
    return last.timing;
  }

  test('a load is measured, a warm answer has none, and another window loads anew', async () => {
    const cold = await ask();
    const warm = await ask();
    assert.ok(cold.loadMs > 3 * warm.loadMs, `${cold.loadMs} ms, then ${warm.loadMs} ms`);
    assert.deepEqual([book.counts.loads, book.counts.reloads], [1, 0]);
    assert.equal(book.loadMs, cold.loadMs);
    const other = await ask({ numCtx: 1_024 });
    assert.ok(other.loadMs > 3 * warm.loadMs, `${other.loadMs} ms`);
    assert.deepEqual([book.counts.loads, book.counts.reloads], [2, 1]);
    await ask();
    assert.deepEqual([book.counts.loads, book.counts.reloads], [3, 2]);
  });

  test('requests that come together are served one after the other, each client in its turn', async () => {
    const order: string[] = [];
    const asked = ['greedy', 'greedy', 'greedy', 'greedy', 'b', 'c'].map(async (client) => {
      const timing = await ask({ client });
      order.push(client);
      return timing;
    });
    const timings = await Promise.all(asked);
    assert.deepEqual(order, ['greedy', 'greedy', 'b', 'c', 'greedy', 'greedy']);
    for (const [index, { queueMs = 0 }] of timings.entries())
      assert.ok(index === 0 ? queueMs === 0 : queueMs > 0, `${index}: ${queueMs} ms`);
    // Ollama's own wait for its one slot is in what is left of the total; ours leaves it none.
    for (const { totalMs, loadMs, promptMs, generationMs } of timings)
      assert.ok(totalMs - loadMs - promptMs - generationMs < Math.max(50, totalMs / 2));
    assert.deepEqual([book.inFlight, book.queued], [0, 0]);
    assert.equal(book.counts.loads, 3);
  });

  test('a look finds what is loaded, with its memory, and that it was unloaded', async () => {
    await discovery.refresh();
    assert.ok(book.loaded && book.loaded.sizeBytes > 0);
    assert.equal(book.loaded.contextLength, 512);
    assert.deepEqual(book.loaded.options, { num_ctx: 512 });
    const body = JSON.stringify({ model: CHAT, keep_alive: 0 });
    const answer = await fetch(`${url}/api/generate`, { method: 'POST', body });
    await answer.arrayBuffer();
    for (let looks = 0; book.loaded !== undefined && looks < 50; looks += 1) await discovery.refresh();
    assert.equal(book.loaded, undefined);
    assert.equal(book.counts.evictions, 0, 'nothing came in its place');
    assert.equal(book.warmth({ num_ctx: 512 }), 'cold');
  });

  test('texts are embedded with their times', async () => {
    const embed = createOllamaEmbedder(serving)({ baseUrl: url, model: EMBED, defaults: {} });
    const input = Array.from({ length: 40 }, (_, index) => `text ${index}`);
    const { vectors, timing } = await embed(
      { model: EMBED, input, options: {} },
      AbortSignal.timeout(150_000),
    );
    assert.equal(vectors.length, 40);
    assert.ok(timing && timing.promptMs > 0 && timing.totalMs >= timing.promptMs);
    assert.equal(seats.books.book(url, EMBED).counts.loads, 1);
  });
});
