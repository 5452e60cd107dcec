import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientCase, Trial } from './client-case.ts';
import { RawClient } from './raw-client.ts';
import { assertRefused, chatBody, CLOSE, get, post, postHead } from './requests.ts';

/** Seconds that the server of these cases gives a head, a body and an idle connection. */
const SECONDS = { headers: 1, body: 2, keepAlive: 2 };
/** The configuration of that server. */
export const SLOW_CONFIG: string = `server: {timeouts: {headers: ${SECONDS.headers}, body: ${SECONDS.body}, keep_alive: ${SECONDS.keepAlive}}}\n`;
/** The same with time enough for a body that is slow all the while. */
export const PATIENT_CONFIG: string = 'server: {timeouts: {body: 60}}\n';

/** How much later than its time a connection may be cut: clocks are looked at once a second. */
const LATE_MS = 2_500;
const BETWEEN_BYTES_MS = 50;

type Slowness = {
  readonly fault: string;
  readonly sees: string;
  /** What is sent at once. */
  readonly first: string;
  /** What is sent byte by byte after that. */
  readonly dripped?: string;
  readonly afterSeconds: number;
  /** Whether 408 is sent before the connection is cut. */
  readonly told: boolean;
};

const HEAD = postHead(['Content-Length: 1000']);
const LATE_HEAD =
  'Nothing, or 408 `request_timeout`; the connection is cut when a head takes more than 10 s.';
const LATE_BODY = '408 `request_timeout` when a body takes more than 60 s; the connection is cut.';

const SLOWNESSES: readonly Slowness[] = [
  {
    fault: 'connects and says nothing',
    sees: LATE_HEAD,
    first: '',
    afterSeconds: SECONDS.headers,
    told: false,
  },
  {
    fault: 'sends half a request line',
    sees: LATE_HEAD,
    first: 'GET /v1/mo',
    afterSeconds: SECONDS.headers,
    told: true,
  },
  {
    fault: 'never ends its head',
    sees: LATE_HEAD,
    first: get('/v1/models').slice(0, -2),
    afterSeconds: SECONDS.headers,
    told: true,
  },
  {
    fault: 'sends its head byte by byte (slowloris)',
    sees: LATE_HEAD,
    first: '',
    dripped: get('/v1/models', [`X-Long: ${'x'.repeat(1_000)}`]),
    afterSeconds: SECONDS.headers,
    told: true,
  },
  { fault: 'sends a head and no body', sees: LATE_BODY, first: HEAD, afterSeconds: SECONDS.body, told: true },
  {
    fault: 'sends half a body',
    sees: LATE_BODY,
    first: HEAD + 'x'.repeat(500),
    afterSeconds: SECONDS.body,
    told: true,
  },
  {
    fault: 'sends its body byte by byte',
    sees: LATE_BODY,
    first: HEAD,
    dripped: 'x'.repeat(1_000),
    afterSeconds: SECONDS.body,
    told: true,
  },
  {
    fault: 'sends half a chunk',
    sees: LATE_BODY,
    first: `${postHead(['Transfer-Encoding: chunked'])}400\r\nhello`,
    afterSeconds: SECONDS.body,
    told: true,
  },
  {
    fault: 'sends half of its second request',
    sees: 'The first answer, then as for any slow head.',
    first: get('/health/liveliness') + get('/v1/models').slice(0, 20),
    afterSeconds: SECONDS.headers,
    told: false,
  },
  {
    fault: 'keeps its connection and asks nothing more',
    sees: 'The end of the connection after 65 s, longer than the usual client keeps it.',
    first: get('/health/liveliness'),
    afterSeconds: SECONDS.keepAlive,
    told: false,
  },
];

/** Sends bytes one by one until the connection ends. */
async function drip(client: RawClient, text: string): Promise<void> {
  for (const byte of Buffer.from(text)) {
    if (client.isClosed) return;
    client.write(Uint8Array.of(byte));
    await sleep(BETWEEN_BYTES_MS);
  }
}

async function checkSlowness({ arena, lane }: Trial, slowness: Slowness): Promise<void> {
  const before = lane.upstream.requests.length;
  const client = await RawClient.open(arena.url);
  const startedMs = performance.now();
  client.write(slowness.first);
  const dripping = drip(client, slowness.dripped ?? '');
  const tookMs = (await client.closed) - startedMs;
  await dripping;
  const dueMs = slowness.afterSeconds * 1_000;
  assert.ok(tookMs >= dueMs * 0.9 && tookMs <= dueMs + LATE_MS, `cut after ${Math.round(tookMs)} ms`);
  const said = client.received.toString();
  if (slowness.told) assertRefused(await client.answer(), { status: 408, code: 'request_timeout' });
  else assert.doesNotMatch(said, / 500 /);
  assert.equal(lane.upstream.requests.length, before);
}

/** Row 33, clients that are slow. */
export const SLOW_CLIENTS: readonly ClientCase[] = SLOWNESSES.map((slowness) => ({
  row: 33,
  side: 'client',
  fault: `The client ${slowness.fault}.`,
  sees: slowness.sees,
  check: (trial) => checkSlowness(trial, slowness),
}));

/** Bytes a second below which a body is too slow, whatever time is left. */
const SLOWEST = 1024;

/** Row 33, bodies that come at some speed. */
export const SLOW_BODIES: readonly ClientCase[] = [
  {
    row: 33,
    side: 'client',
    fault: 'The client sends its body with fewer than 1,024 bytes a second.',
    sees: '408 `request_timeout` after 5 s; the connection is cut.',
    async check({ arena }) {
      const client = await RawClient.open(arena.url);
      const startedMs = performance.now();
      client.write(postHead(['Content-Length: 1000000']));
      const dripping = (async () => {
        while (!client.isClosed) {
          client.write('x'.repeat(SLOWEST / 20));
          await sleep(100);
        }
      })();
      assertRefused(await client.answer(), { status: 408, code: 'request_timeout' });
      const tookMs = performance.now() - startedMs;
      assert.ok(tookMs >= 4_500 && tookMs <= 5_000 + LATE_MS, `cut after ${Math.round(tookMs)} ms`);
      client.leave();
      await dripping;
    },
  },
  {
    row: 33,
    side: 'client',
    fault: 'The client is slow, but faster than that.',
    sees: 'The answer.',
    modes: ['whole'],
    async check({ arena, lane }) {
      const body = chatBody({
        model: lane.model,
        says: 'answer',
        stream: false,
        more: { user: 'x'.repeat(14_000) },
      });
      const bytes = post(body, [CLOSE]);
      const client = await RawClient.open(arena.url);
      const part = Math.ceil(bytes.length / 66);
      for (let at = 0; at < bytes.length; at += part) {
        client.write(bytes.subarray(at, at + part));
        await sleep(100);
      }
      const answer = await client.answer();
      assert.equal(answer.status, 200, answer.body);
      await client.closed;
    },
  },
];

/** Most connections without an accepted request, and most of them from one address. */
const LIMITS = { all: 512, perAddress: 64 };
const CROWD = 1_000;
/** How soon another client must be answered while the crowd is there, in milliseconds. */
const NEIGHBOUR_MS = 1_000;
/** How soon the limits must hold, in milliseconds. */
const SETTLED_MS = 1_500;

async function openCrowd(
  trial: Trial,
  count: number,
  addressOf: (index: number) => string,
): Promise<readonly RawClient[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const client = await RawClient.open(trial.arena.url, addressOf(index));
      client.write('GET /v1/models HTTP/1.1\r\nHost: loc');
      return client;
    }),
  );
}

async function askFrom(trial: Trial, address: string): Promise<number> {
  const startedMs = performance.now();
  const client = await RawClient.open(trial.arena.url, address);
  client.write(get('/health/liveliness', [CLOSE]));
  assert.equal((await client.answer()).status, 200);
  return performance.now() - startedMs;
}

function stillOpen(clients: readonly RawClient[]): number {
  return clients.filter((client) => !client.isClosed).length;
}

/** Row 33, crowds. They need several addresses, which only Linux has on its loopback device. */
export const CROWDS: readonly ClientCase[] = [
  {
    row: 33,
    side: 'client',
    fault: 'A thousand connections from one address say nothing useful.',
    sees: 'Other addresses are answered as ever, and so is a client of that address that speaks. At most 64 of the connections stay open.',
    async check(trial) {
      const crowd = await openCrowd(trial, CROWD, () => '127.0.0.1');
      const tookMs = Math.max(await askFrom(trial, '127.0.0.2'), await askFrom(trial, '127.0.0.1'));
      assert.ok(tookMs <= NEIGHBOUR_MS, `another client waited ${Math.round(tookMs)} ms`);
      await sleep(SETTLED_MS);
      const open = stillOpen(crowd);
      for (const client of crowd) client.leave();
      assert.ok(open <= LIMITS.perAddress, `${open} connections of one address stay open`);
      assert.ok(open > 0, 'a few may stay');
    },
  },
  {
    row: 33,
    side: 'client',
    fault: 'A thousand connections from twenty addresses say nothing useful.',
    sees: 'Others are answered as ever. At most 512 of the connections stay open.',
    async check(trial) {
      const crowd = await openCrowd(trial, CROWD, (index) => `127.0.1.${1 + (index % 20)}`);
      const tookMs = await askFrom(trial, '127.0.0.2');
      assert.ok(tookMs <= NEIGHBOUR_MS, `another client waited ${Math.round(tookMs)} ms`);
      await sleep(SETTLED_MS);
      const open = stillOpen(crowd);
      for (const client of crowd) client.leave();
      assert.ok(open <= LIMITS.all, `${open} connections stay open`);
    },
  },
  {
    row: 33,
    side: 'client',
    fault: 'Two hundred connections from one address ask without a key and stay.',
    sees: '401 each; who was refused counts as if nothing had been asked: at most 64 of the connections stay open.',
    async check(trial) {
      const crowd: RawClient[] = [];
      for (let index = 0; index < 200; index += 1) {
        const client = await RawClient.open(trial.arena.url, '127.0.0.5');
        client.write(get('/v1/models'));
        assertRefused(await client.answer(), { status: 401, code: 'invalid_api_key' });
        crowd.push(client);
      }
      await sleep(SETTLED_MS);
      const open = stillOpen(crowd);
      for (const client of crowd) client.leave();
      assert.ok(open <= LIMITS.perAddress, `${open} connections of one address stay open`);
    },
  },
  {
    row: 33,
    side: 'client',
    fault: 'Two hundred connections from one address ask with the key and stay.',
    sees: 'Their answers; connections of clients that hold the key are not limited.',
    async check(trial) {
      const crowd = await Promise.all(
        Array.from({ length: 200 }, () => RawClient.open(trial.arena.url, '127.0.0.6')),
      );
      for (const client of crowd) client.write(get('/v1/models', [`Authorization: Bearer ${CROWD_KEY}`]));
      for (const client of crowd) assert.equal((await client.answer()).status, 200);
      await sleep(SETTLED_MS);
      assert.equal(stillOpen(crowd), crowd.length);
      for (const client of crowd) client.leave();
    },
  },
];

/** The key of the server of the crowds. */
const CROWD_KEY = 'sk-crowd-0123456789abcdef';
/** The configuration of that server. */
export const CROWD_CONFIG: string = `general_settings: {master_key: ${CROWD_KEY}}\n`;
