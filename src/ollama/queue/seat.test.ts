import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ChatContext, ChatEvent, QueuedRequest } from '../../providers/chat.ts';
import { until } from '../../../test/eventually.ts';
import { MODELS, seatsForTests, sent, startServing } from '../../../test/ollama-serving.ts';
import type { ServingSetting } from '../../../test/ollama-serving.ts';
import { chunk, chunkedHead, json, ndjson, ollama } from '../../../test/upstream-scripts.ts';
import { send, stall } from '../../../test/upstream.ts';
import type { Script, Step } from '../../../test/upstream.ts';
import { createOllamaChat } from '../chat-writer.ts';
import { createOllamaEmbedder } from '../embedder.ts';
import { createOllamaLoader } from '../loader.ts';
import { takeSeat } from './seat.ts';

/** An Ollama whose chats are answered by `script`. */
function chatsBy(script: (index: number) => readonly Step[]): Script {
  let chats = 0;
  const usual = ollama(MODELS);
  return (request, index) => {
    if (request.path === '/api/chat') return script(chats++);
    return usual(request, index);
  };
}

const LINES = [
  { message: { content: 'a' } },
  { done: true, total_duration: 9e6, load_duration: 4e6, prompt_eval_duration: 2e6, eval_duration: 3e6 },
];

type Asked = {
  readonly headers: Record<string, string>;
  readonly queued: QueuedRequest[];
  readonly leave: AbortController;
  readonly events: Promise<readonly ChatEvent[]>;
};

function ask(setting: ServingSetting, more: Partial<ChatContext> = {}, model = 'tiny:latest'): Asked {
  const { serving, server } = setting;
  const write = createOllamaChat(serving)({ baseUrl: server.origin, model, defaults: {} });
  const headers: Record<string, string> = {};
  const queued: QueuedRequest[] = [];
  const leave = new AbortController();
  const context: ChatContext = {
    signal: leave.signal,
    onHeader: (name, value) => (headers[name] = value),
    onQueued: (one) => queued.push(one),
    ...more,
  };
  const request = {
    model,
    messages: [{ role: 'user' as const, text: 'hi' }],
    stream: true,
    includeUsage: false,
    options: {},
  };
  return { headers, queued, leave, events: gather(write(request, context)) };
}

async function gather(events: AsyncIterable<ChatEvent>): Promise<readonly ChatEvent[]> {
  const all: ChatEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const endless: readonly Step[] = [
  send(chunkedHead('application/x-ndjson')),
  send(chunk('{"message":{"content":"a"}}\n')),
  stall,
];

test('a request waits for its turn, is told its place, and how long it waited', async () => {
  await using setting = await startServing(chatsBy((index) => (index === 0 ? endless : ndjson(LINES))));
  const first = ask(setting, { client: 'a' });
  const gone = assert.rejects(first.events, { code: 'client_gone' });
  await until(() => sent(setting).length === 1, 'the first is asked');
  const [second, third] = [ask(setting, { client: 'a' }), ask(setting, { client: 'b' })];
  await until(() => third.queued.length === 1, 'the third waits');
  assert.deepEqual([second.queued[0]?.place(), third.queued[0]?.place()], [{ position: 1 }, { position: 2 }]);
  assert.deepEqual(third.headers, { 'x-obelisk-queue-position': '2' });
  assert.equal(sent(setting).length, 1, 'nothing is sent before its turn');
  first.leave.abort();
  await gone;
  const finish = (await third.events).at(-1);
  assert.ok(finish?.type === 'finish' && finish.timing?.queueMs !== undefined && finish.timing.queueMs > 0);
  assert.equal(third.queued[0]?.place(), undefined);
  assert.match(String(new Map(Object.entries(third.headers)).get('x-obelisk-queue-wait')), /^\d+\.\d$/);
  await second.events;
  const book = setting.serving.seats.books.book(setting.server.origin, 'tiny');
  assert.deepEqual([book.inFlight, book.queued], [0, 0]);
});

test('whoever finds the queue full is told so before Ollama is asked', async () => {
  const seats = seatsForTests({ parallel: 1, queueLimit: 0 });
  await using setting = await startServing(
    chatsBy(() => endless),
    { seats },
  );
  const first = ask(setting);
  await until(() => sent(setting).length === 1, 'the first is asked');
  const refused = ask(setting);
  await assert.rejects(refused.events, { code: 'overloaded', retryAfter: 5 });
  assert.deepEqual(refused.headers, { 'x-obelisk-queue-position': '1' });
  first.leave.abort();
  await assert.rejects(first.events, { code: 'client_gone' });
  assert.equal(sent(setting).length, 1);
});

test('a request that goes away while it waits leaves nothing behind', async () => {
  await using setting = await startServing(chatsBy(() => endless));
  const [first, second] = [ask(setting), ask(setting)];
  await until(() => sent(setting).length === 1, 'the first is asked');
  await until(() => second.queued.length === 1, 'the second waits');
  second.leave.abort();
  await assert.rejects(second.events, { code: 'client_gone' });
  first.leave.abort();
  await assert.rejects(first.events, { code: 'client_gone' });
  assert.equal(sent(setting).length, 1);
  assert.equal(setting.serving.seats.books.book(setting.server.origin, 'tiny').queued, 0);
});

const BUSY: readonly Step[] = [
  json({ error: 'server busy, please try again.  maximum pending requests exceeded' }, 503),
];

test('a busy Ollama is asked again within the time of the request', async () => {
  await using setting = await startServing(chatsBy((index) => (index < 2 ? BUSY : ndjson(LINES))));
  const events = await ask(setting).events;
  assert.equal(events.at(-1)?.type, 'finish');
  assert.equal(sent(setting).length, 3);
  assert.equal(setting.serving.seats.books.book(setting.server.origin, 'tiny').counts.busy, 2);
  await using always = await startServing(chatsBy(() => BUSY));
  const clocks = { connectMs: 1_000, firstByteMs: 1_000, idleMs: 1_000, totalMs: 400 };
  await assert.rejects(ask(always, { clocks }).events, { code: 'overloaded', message: /server busy/ });
  assert.equal(sent(always).length, 2, 'and not for longer than that');
});

test('a busy Ollama is not waited for where another can be asked, nor is a proxy that answers 503', async () => {
  await using setting = await startServing(chatsBy(() => BUSY));
  await assert.rejects(ask(setting, { hasOther: true }).events, { code: 'overloaded' });
  assert.equal(sent(setting).length, 1);
  await using proxied = await startServing(chatsBy(() => [json({ detail: 'no backend' }, 503)]));
  await assert.rejects(ask(proxied).events, { code: 'overloaded' });
  assert.equal(sent(proxied).length, 1);
});

test('an Ollama that is busy in the middle of an answer is not asked again: it would be heard twice', async () => {
  const busyAfter = ndjson([LINES[0], { error: 'server busy, please try again' }]);
  await using setting = await startServing(chatsBy(() => busyAfter));
  await assert.rejects(ask(setting).events, { code: 'overloaded' });
  assert.equal(sent(setting).length, 1);
});

test('a reader that stops reading without leaving loses its seat with its signal', async () => {
  const seats = seatsForTests();
  const leaving = new AbortController();
  const place = { url: 'http://a', model: 'tiny' };
  const stuck = await takeSeat(seats, { ...place, signal: leaving.signal, context: {} });
  stuck.begin({ num_ctx: 512 });
  const { signal } = new AbortController();
  const next = takeSeat(seats, { ...place, signal, context: {} });
  const book = seats.books.book('http://a', 'tiny');
  assert.deepEqual([book.inFlight, book.queued, book.loading], [1, 1, true]);
  leaving.abort();
  assert.deepEqual([book.inFlight, book.queued, book.loading], [1, 0, false]);
  stuck.leave();
  (await next).leave();
  assert.equal(book.inFlight, 0);
});

test('a model of the cloud has no queue with us', async () => {
  await using setting = await startServing(chatsBy(() => endless));
  const both = [ask(setting, {}, 'far:cloud'), ask(setting, {}, 'far:cloud')];
  await until(() => sent(setting).length === 2, 'both are asked at once');
  for (const { leave, events } of both) {
    leave.abort();
    await assert.rejects(events, { code: 'client_gone' });
  }
});

test('texts are embedded a turn a batch, so that others come in between', async () => {
  await using setting = await startServing(ollama(MODELS));
  const order: string[] = [];
  const embed = createOllamaEmbedder(setting.serving)({
    baseUrl: setting.server.origin,
    model: 'embed:latest',
    defaults: {},
  });
  const { signal } = new AbortController();
  const many = embed(
    { model: 'embed', input: Array.from({ length: 96 }, () => 'library'), options: {} },
    signal,
    { client: 'library' },
  ).then(() => order.push('library'));
  const one = embed({ model: 'embed', input: ['question'], options: {} }, signal, { client: 'question' });
  const result = await one.then((found) => {
    order.push('question');
    return found;
  });
  await many;
  assert.deepEqual(order, ['question', 'library']);
  assert.ok(result.timing && result.timing.queueMs !== undefined);
});

test('a load of a model that embeds lets no more texts pass than before', async () => {
  const usual = ollama(MODELS);
  const seats = seatsForTests({ parallel: 4, queueLimit: 8 });
  await using setting = await startServing(
    (request, index) => {
      if (request.path === '/api/embed' && request.body.includes('text')) return [stall];
      if (request.path === '/api/generate') return [json({ model: 'embed', response: '', done: true })];
      return usual(request, index);
    },
    { seats },
  );
  const target = { baseUrl: setting.server.origin, model: 'embed:latest', defaults: {} };
  const embed = createOllamaEmbedder(setting.serving)(target);
  const leaving = new AbortController();
  const asked = { model: 'embed', input: ['text'], options: {} };
  const embeds = [0, 1].map(() => assert.rejects(embed(asked, leaving.signal), { code: 'client_gone' }));
  const book = seats.books.book(setting.server.origin, 'embed');
  await until(() => book.inFlight === 1 && book.queued === 1, 'one is asked and one waits');
  const load = assert.rejects(createOllamaLoader(setting.serving)(target)({}, leaving.signal), {
    code: 'client_gone',
  });
  await until(() => book.queued === 2 || book.inFlight > 1, 'the load has its place');
  assert.deepEqual([book.inFlight, book.queued], [1, 2]);
  leaving.abort();
  await Promise.all([...embeds, load]);
});
