import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAsking, testOnBoth } from '../../test/asking.ts';
import type { Asking } from '../../test/asking.ts';
import { eventually } from '../../test/eventually.ts';
import { json } from '../../test/upstream-scripts.ts';
import { startUpstream } from '../../test/upstream.ts';
import { createUpstreamClient } from './upstream-client.ts';
import type { BodyStream, Clocks } from './upstream.ts';

const PIECE_BYTES = 64 * 1024;

type Pieces = BodyStream & { readonly seen: { taken: number; closed: boolean } };

/** A body of pieces that tells how many of them were taken, and whether it was closed. */
function pieces(count: number, everyMs = 0): Pieces {
  const seen = { taken: 0, closed: false };
  return {
    seen,
    bytes: count * PIECE_BYTES,
    async *open() {
      try {
        for (; seen.taken < count; seen.taken += 1) {
          await sleep(everyMs);
          yield Buffer.alloc(PIECE_BYTES, seen.taken);
        }
      } finally {
        seen.closed = true;
      }
    },
  };
}

async function upload(
  { client, request }: Asking,
  body: BodyStream,
  more: { readonly clocks?: Partial<Clocks>; readonly signal?: AbortSignal } = {},
): Promise<string> {
  const clocks = { ...request.clocks, ...more.clocks };
  const response = await client.request({ ...request, body, clocks }, more.signal);
  return (await response.bytes(1_000)).toString();
}

testOnBoth('a body is sent as it is read, with its length said before', async (on) => {
  const asking = await startAsking(on, [json({ ok: true })]);
  assert.equal(await upload(asking, pieces(40)), '{"ok":true}');
  const received = await asking.upstream.request(0);
  assert.equal(received.headers['content-length'], String(40 * PIECE_BYTES));
  assert.equal(received.headers['transfer-encoding'], undefined);
  const expected = Buffer.concat(Array.from({ length: 40 }, (_, index) => Buffer.alloc(PIECE_BYTES, index)));
  assert.ok(received.body.equals(expected), 'every byte arrived in its place');
});

testOnBoth('a body of unknown length is sent in chunks, and none of them is empty', async (on) => {
  const asking = await startAsking(on, [json({ ok: true })]);
  const { client, request } = asking;
  const texts = ['a', '', 'bc'.repeat(9), ''];
  for (const body of [texts, []]) {
    await client.request({
      ...request,
      body: {
        bytes: undefined,
        open: () =>
          Readable.from(
            body.map((text) => Buffer.from(text)),
            { objectMode: true },
          ),
      },
    });
  }
  const [received, empty] = [await asking.upstream.request(0), await asking.upstream.request(1)];
  assert.equal(received.headers['transfer-encoding'], 'chunked');
  assert.equal(received.headers['content-length'], undefined);
  assert.equal(received.body.toString(), texts.join(''));
  assert.equal(empty.body.length, 0);
});

testOnBoth(
  'a connection that carried a streamed body is used again, and none is taken for it',
  async (on) => {
    const asking = await startAsking(on, [json({})]);
    await asking.ask();
    await upload(asking, pieces(2));
    await asking.ask();
    assert.deepEqual(
      asking.upstream.requests.map(({ connection }) => connection),
      [0, 1, 1],
    );
  },
);

testOnBoth('an empty body is a message', async (on) => {
  const asking = await startAsking(on, [json({})]);
  assert.equal(await upload(asking, pieces(0)), '{}');
  assert.equal((await asking.upstream.request(0)).headers['content-length'], '0');
});

testOnBoth(
  'no more is read than the upstream takes, and an abort ends the reading',
  async ({ t, transport }) => {
    const upstream = await startUpstream([], { onConnection: (socket) => !socket.pause() });
    const client = createUpstreamClient({ transport, tickMs: 5 });
    t.after(async () => {
      await client.close();
      await upstream.close();
    });
    const body = pieces(4_096);
    const controller = new AbortController();
    const { origin } = upstream;
    const clocks = { connectMs: 5_000, firstByteMs: 60_000, idleMs: 60_000, totalMs: 60_000 };
    const sent = client.request(
      { origin, path: '/', method: 'POST', headers: {}, body, clocks },
      controller.signal,
    );
    const gone = assert.rejects(sent, { code: 'client_gone' });
    let before = -1;
    await eventually(async () => {
      const now = body.seen.taken;
      const still = now === before && now > 0;
      before = now;
      await sleep(30);
      assert.ok(still, 'the reading has come to rest');
    });
    assert.ok(body.seen.taken < 1_024, `${body.seen.taken} pieces of 64 KiB wait for a peer that takes none`);
    controller.abort();
    await gone;
    await eventually(() => assert.ok(body.seen.closed, 'the source is closed'));
  },
);

testOnBoth('a source that fails ends the request with its error, and the connection', async (on) => {
  const asking = await startAsking(on, [json({})]);
  const failing: BodyStream = {
    bytes: 100,
    async *open() {
      await Promise.resolve();
      yield Buffer.alloc(10);
      throw new Error('the disk is gone');
    },
  };
  await assert.rejects(upload(asking, failing), { code: 'internal', message: /the disk is gone/ });
  await eventually(() => assert.equal(asking.upstream.open, 0));
  assert.equal(asking.upstream.requests.length, 0);
});

for (const [what, bytes] of [
  ['shorter', PIECE_BYTES * 2 + 1],
  ['longer', PIECE_BYTES * 2 - 1],
] as const) {
  testOnBoth(`a source that is ${what} than it said is no message`, async (on) => {
    const asking = await startAsking(on, [json({})]);
    const body = { ...pieces(2), bytes };
    await assert.rejects(upload(asking, body), { code: 'invalid_request', message: /changed/ });
    assert.equal(asking.upstream.requests.length, 0);
  });
}

testOnBoth('time in which the body is taken is not time without an answer', async (on) => {
  const asking = await startAsking(on, [json({ ok: true })]);
  assert.equal(await upload(asking, pieces(20, 10), { clocks: { firstByteMs: 120 } }), '{"ok":true}');
});

testOnBoth(
  'an answer before the whole body ends the reading and the connection',
  async ({ t, transport }) => {
    const upstream = await startUpstream([], {
      onConnection(socket) {
        socket.once('data', () => socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\n{}'));
        socket.resume();
        return false;
      },
    });
    const client = createUpstreamClient({ transport, tickMs: 5 });
    t.after(async () => {
      await client.close();
      await upstream.close();
    });
    const body = pieces(100, 5);
    const clocks = { connectMs: 5_000, firstByteMs: 5_000, idleMs: 5_000, totalMs: 5_000 };
    const asked = { origin: upstream.origin, path: '/', method: 'POST', headers: {}, body, clocks } as const;
    const response = await client.request(asked);
    assert.equal(response.status, 413);
    assert.equal((await response.bytes(10)).toString(), '{}');
    await eventually(() => assert.ok(body.seen.closed && upstream.open === 0, 'all is closed'));
    assert.ok(body.seen.taken < 100);
  },
);
