import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createControlEvents } from '../control-events.ts';
import type { ControlEvent, RequestTiming } from '../control-plane.ts';
import { HostBooks } from './host-books.ts';
import { createHostMeters } from './host-meters.ts';
import type { HostMeters } from './host-meters.ts';

const HOST = 'http://a:11434';

type Setting = {
  readonly books: HostBooks;
  readonly meters: HostMeters;
  readonly clock: { ms: number };
  /** What was told since the last call. */
  told(): Promise<readonly string[]>;
};

function setting(): Setting {
  const clock = { ms: 1_000 };
  const events = createControlEvents(() => clock.ms);
  const meters: HostMeters = createHostMeters(() => books.all());
  const books = new HostBooks({
    hostName: (url) => new URL(url).hostname,
    nowMs: () => clock.ms,
    unixMs: () => clock.ms,
    events,
    meters,
  });
  let reading = new AbortController();
  let heard: ControlEvent[] = [];
  const listen = async (): Promise<void> => {
    for await (const event of events.subscribe(reading.signal)) heard.push(event);
  };
  let listening = listen();
  return {
    books,
    meters,
    clock,
    async told() {
      // A reader takes an event a turn; when it has had its turns it has them all.
      for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
      reading.abort();
      await listening;
      const types = heard.map((event) => `${event.type} ${'model' in event ? event.model : ''}`);
      reading = new AbortController();
      heard = [];
      listening = listen();
      return types;
    },
  };
}

function timing(fields: Partial<RequestTiming> = {}): RequestTiming {
  const none = { queueMs: 0, loadMs: 0, promptMs: 10, generationMs: 100 };
  return { ...none, promptTokens: 5, completionTokens: 20, ...fields };
}

test('a model is cold, loading, warm, and loaded anew for other runner options', async () => {
  const { books, told } = setting();
  const book = books.book(HOST, 'llama3');
  assert.equal(books.book(HOST, 'llama3:latest'), book, 'in any spelling');
  const first = book.begin({ num_ctx: 2_048 });
  assert.deepEqual([first.warmth, book.loading, book.loaded], ['cold', true, undefined]);
  const beside = book.begin({ num_ctx: 2_048 });
  assert.equal(beside.warmth, 'loading');
  first.answered();
  assert.deepEqual([book.loading, book.loaded?.options], [false, { num_ctx: 2_048 }]);
  first.ended(timing({ loadMs: 400 }));
  beside.ended(timing({ loadMs: 400 }));
  assert.equal(book.begin({ num_ctx: 2_048 }).warmth, 'warm');
  const other = book.begin({ num_ctx: 512, num_thread: 4 });
  assert.deepEqual([other.warmth, other.changed], ['reload', ['num_ctx', 'num_thread']]);
  other.ended(timing({ loadMs: 200 }));
  assert.equal(book.loadMs, 300);
  assert.deepEqual([book.counts.loads, book.counts.reloads], [2, 1]);
  const request = 'request llama3:latest';
  assert.deepEqual(await told(), [
    'loading llama3:latest',
    'loaded llama3:latest',
    request,
    request,
    'reload llama3:latest',
    'loading llama3:latest',
    'loaded llama3:latest',
    request,
  ]);
});

const COPIES = [
  { name: 'llama3:latest', digest: 'm1', weights: 'w1' },
  { name: 'brief:latest', digest: 'm2', weights: 'w1' },
  { name: 'other:latest', digest: 'm3', weights: 'w2' },
];

test('two names of the same weights are loaded once, and reload each other where their options differ', async () => {
  const { books, clock, told, meters } = setting();
  books.look(HOST)({ models: COPIES, running: [] });
  books.book(HOST, 'llama3').begin({ num_ctx: 512 }, 'llama3').ended(timing());
  const brief = books.book(HOST, 'brief');
  assert.equal(brief.begin({ num_ctx: 512 }, 'brief').warmth, 'warm');
  assert.deepEqual(brief.begin({ num_ctx: 4_096 }, 'brief').changed, ['num_ctx']);
  assert.equal(books.book(HOST, 'other').warmth({ num_ctx: 512 }), 'cold');
  brief.begin({ num_ctx: 4_096 }, 'brief').ended(timing({ completionTokens: 7 }));
  await told();
  clock.ms += 60_000;
  books.look(HOST)({ models: COPIES, running: [{ name: 'brief:latest', context_length: 4_096 }] });
  assert.deepEqual(await told(), [], 'nothing was evicted, whichever name Ollama lists');
  assert.equal(
    books.all().reduce((sum, { counts }) => sum + counts.evictions, 0),
    0,
  );
  assert.match(meters.render(), /generation_tokens_total\{host="a",model="brief:latest"\} 7/);
});

test('a book that was begun before the weights were known goes on', () => {
  const { books } = setting();
  const book = books.book(HOST, 'llama3');
  const use = book.begin({ num_ctx: 512 });
  books.noteModels(HOST, COPIES);
  use.ended(timing());
  assert.equal(books.book(HOST, 'brief'), book);
  books.noteModels(HOST, [{ name: 'brief:latest', digest: 'm4', weights: 'w3' }]);
  assert.notEqual(books.book(HOST, 'brief'), book, 'it was made anew from something else');
  assert.equal(books.book(HOST, 'llama3'), book);
  books.noteModels(HOST, []);
  assert.equal(books.book(HOST, 'llama3'), book, 'its runner may outlive its name');
});

test('options that Ollama takes for the same cause no reload', () => {
  const book = setting().books.book(HOST, 'tiny');
  book.begin({ num_ctx: 512, num_gpu: 20 }).ended(timing());
  assert.equal(book.warmth({ num_ctx: 512 }), 'warm', 'layers are left to it');
  assert.equal(book.warmth({ num_ctx: 512, num_gpu: -1, num_thread: 0 }), 'warm');
  assert.deepEqual(book.changed({ num_ctx: 512, num_gpu: 0 }), ['num_gpu']);
});

test('of a model that somebody else has loaded the window alone is known', () => {
  const { books } = setting();
  books.noteRunning(HOST, [{ name: 'tiny:latest', context_length: 4_096, size: 9, size_vram: 3 }], 0);
  const book = books.book(HOST, 'tiny');
  assert.deepEqual(book.loaded, { sizeBytes: 9, vramBytes: 3, contextLength: 4_096 });
  assert.equal(book.warmth({ num_ctx: 4_096, num_thread: 2 }), 'warm');
  assert.deepEqual(book.changed({ num_ctx: 512 }), ['num_ctx']);
});

test('a look that shows another window than before means that somebody else has loaded it', () => {
  const { books, clock } = setting();
  const book = books.book(HOST, 'tiny');
  book.begin({ num_ctx: 512, num_thread: 2 }).ended(timing());
  const look = (window: number): void => {
    clock.ms += 10;
    books.noteRunning(HOST, [{ name: 'tiny:latest', context_length: window }], clock.ms);
  };
  look(2_048);
  assert.deepEqual(book.loaded?.options, { num_ctx: 512, num_thread: 2 }, 'Ollama raised it by itself');
  look(2_048);
  assert.deepEqual(book.loaded?.options, { num_ctx: 512, num_thread: 2 });
  look(4_096);
  assert.equal(book.loaded?.options, undefined);
});

test('what makes room for another before its time was evicted, anything else unloaded', async () => {
  const { books, clock, told } = setting();
  const list = (name: string, untilMs: number): { name: string; expires_at: string } => ({
    name,
    expires_at: new Date(untilMs).toISOString(),
  });
  const [a, b, c] = [list('a:latest', 2_000), list('b:latest', 9_000), list('c:latest', 9_000)];
  books.noteRunning(HOST, [a, b], 1_000);
  clock.ms = 3_000;
  books.noteRunning(HOST, [c], 3_000);
  clock.ms = 4_000;
  books.noteRunning(HOST, [], 4_000);
  assert.deepEqual(await told(), [
    'loaded a:latest',
    'loaded b:latest',
    'loaded c:latest',
    'unloaded a:latest',
    'evicted b:latest',
    'unloaded c:latest',
  ]);
  assert.equal(books.book(HOST, 'b').counts.evictions, 1);
  assert.equal(books.book(HOST, 'a').counts.evictions, 0);
});

test('a model that was gone for another before the first look at it was evicted', async () => {
  const { books, clock, told } = setting();
  const [first, second] = [books.book(HOST, 'first'), books.book(HOST, 'second')];
  first.begin({}).ended(timing());
  clock.ms += 10;
  second.begin({}).ended(timing());
  await told();
  clock.ms += 10;
  books.noteRunning(HOST, [{ name: 'second:latest' }], clock.ms);
  assert.deepEqual(await told(), ['evicted first:latest']);
  assert.deepEqual([first.counts.evictions, second.counts.evictions], [1, 0]);
});

test('a look that began before a model was loaded does not unload it', () => {
  const { books, clock } = setting();
  const book = books.book(HOST, 'tiny');
  clock.ms = 2_000;
  book.begin({ num_ctx: 512 }).ended(timing());
  books.noteRunning(HOST, [], 1_999);
  assert.equal(book.warmth({ num_ctx: 512 }), 'warm');
  books.noteRunning(HOST, [], 2_001);
  assert.equal(book.warmth({ num_ctx: 512 }), 'cold');
});

test('a load that fails leaves nothing behind, and one that others wait for goes on', () => {
  const { books } = setting();
  const book = books.book(HOST, 'tiny');
  const [first, second] = [book.begin({ num_ctx: 512 }), book.begin({ num_ctx: 512 })];
  first.abandoned();
  assert.equal(book.warmth({ num_ctx: 512 }), 'loading');
  second.abandoned();
  second.abandoned();
  assert.equal(book.warmth({ num_ctx: 512 }), 'cold');
});

test('a request that unloads, and a host that goes away, leave the model cold', async () => {
  const { books, told } = setting();
  books.book(HOST, 'tiny').begin({}).ended(timing(), true);
  assert.equal(books.book(HOST, 'tiny').loaded, undefined);
  books.book(HOST, 'tiny').begin({}).ended(timing());
  await told();
  books.noteAway(HOST);
  books.noteAway(HOST);
  assert.deepEqual(await told(), ['unloaded tiny:latest']);
});

test('a load that nobody asked anything with is a load and no request', async () => {
  const { books, meters, told } = setting();
  const nothing = timing({ loadMs: 400, promptTokens: 0, completionTokens: 0 });
  books.book(HOST, 'tiny').begin({}).ended(nothing);
  assert.deepEqual(await told(), ['loading tiny:latest', 'loaded tiny:latest']);
  assert.equal(books.book(HOST, 'tiny').loadMs, 400);
  assert.doesNotMatch(meters.render(), /queue_wait_seconds_count/);
});

test('a load that was not expected is seen by the time it took', () => {
  const book = setting().books.book(HOST, 'tiny');
  book.begin({}).ended(timing({ loadMs: 400 }));
  book.begin({}).ended(timing({ loadMs: 20 }));
  assert.equal(book.counts.loads, 1);
  book.begin({}).ended(timing({ loadMs: 300 }));
  assert.equal(book.counts.loads, 2);
  const { books } = setting();
  books.noteRunning(HOST, [{ name: 'other:latest' }], 0);
  const other = books.book(HOST, 'other');
  other.begin({}).ended(timing({ loadMs: 300 }));
  other.begin({}).ended(timing({ loadMs: 900 }));
  assert.equal(other.counts.loads, 1, 'also where none was measured before');
});

test('books are read as metrics per host and model', () => {
  const { books, meters } = setting();
  const book = books.book(HOST, 'tiny:latest');
  book.begin({}).ended(timing({ queueMs: 2_000, loadMs: 400 }));
  books.noteRunning(HOST, [{ name: 'tiny:latest', size: 900, size_vram: 300 }], 2_000);
  const text = meters.render();
  const labels = 'host="a",model="tiny:latest"';
  for (const line of [
    `obelisk_ollama_model_loaded{${labels}} 1`,
    `obelisk_ollama_model_memory_bytes{${labels}} 900`,
    `obelisk_ollama_model_vram_bytes{${labels}} 300`,
    `obelisk_ollama_loads_total{${labels}} 1`,
    `obelisk_ollama_load_seconds_sum{${labels}} 0.4`,
    `obelisk_ollama_queue_wait_seconds_sum{${labels}} 2`,
    `obelisk_ollama_generation_tokens_per_second{${labels}} 200`,
    `obelisk_ollama_prompt_tokens_per_second{${labels}} 500`,
    `obelisk_ollama_queue_length{${labels}} 0`,
  ])
    assert.ok(text.split('\n').includes(line), `${line} in\n${text}`);
});

test('a reader that is too late is told so, and others go on', async () => {
  const events = createControlEvents(() => 7);
  const leaving = new AbortController();
  const late = events.subscribe(leaving.signal);
  const none = events.subscribe(AbortSignal.abort());
  assert.equal(events.listeners(), 1);
  for (let count = 0; count < 2_000; count += 1) events.publish({ type: 'loaded', host: 'a', model: 'm' });
  await assert.rejects(
    async () => {
      for await (const _ of late);
    },
    { code: 'overloaded' },
  );
  for await (const _ of none) assert.fail('an aborted reader hears nothing');
  assert.equal(events.listeners(), 0);
});
