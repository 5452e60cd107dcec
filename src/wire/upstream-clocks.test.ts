import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAsking, testOnBoth } from '../../test/asking.ts';
import { refusingOrigin } from '../../test/ports.ts';
import { chunk, chunkedHead, head, json } from '../../test/upstream-scripts.ts';
import { close, drip, send, stall, startUpstream } from '../../test/upstream.ts';
import type { Step } from '../../test/upstream.ts';
import { createUpstreamClient } from './upstream-client.ts';
import { toUpstreamError } from './upstream-error.ts';
import { REMOTE_CLOCKS } from './upstream.ts';
import type { Clocks } from './upstream.ts';

const chunked = chunkedHead('application/json');

type Expiry = {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly clocks: Partial<Clocks>;
  readonly message: RegExp;
};

const EXPIRIES: readonly Expiry[] = [
  {
    name: 'an upstream that never answers',
    steps: [stall],
    clocks: { firstByteMs: 40 },
    message: /no response head within 40 ms/,
  },
  {
    name: 'a head that drips',
    steps: [drip('HTTP/1.1 200 OK\r\n'.repeat(50), 5)],
    clocks: { firstByteMs: 40 },
    message: /no response head/,
  },
  {
    name: 'a stream that stalls',
    steps: [send(chunked + chunk('a')), stall],
    clocks: { idleMs: 40 },
    message: /fell silent for 40 ms/,
  },
  {
    name: 'a stream that drips',
    steps: [send(head(200, {})), drip('x'.repeat(1_000), 5)],
    clocks: { idleMs: 5_000, totalMs: 80 },
    message: /did not finish within 80 ms/,
  },
  {
    name: 'what is left of a longer time',
    steps: [stall],
    clocks: { totalMs: 79.895294 },
    message: /did not finish within 80 ms/,
  },
];

for (const { name, steps, clocks, message } of EXPIRIES) {
  testOnBoth(`${name} is given up by its own clock, and the connection closed`, async (on) => {
    const { upstream, ask } = await startAsking(on, steps);
    await assert.rejects(ask(clocks), { code: 'upstream_timeout', message });
    await (
      await upstream.request(0)
    ).closed;
  });
}

testOnBoth('a slow but living stream outlives the idle clock', async (on) => {
  const { ask } = await startAsking(on, [
    send(head(200, { connection: 'close' })),
    drip('x'.repeat(30), 10),
    close,
  ]);
  assert.equal(await ask({ idleMs: 200 }), 'x'.repeat(30));
});

testOnBoth('a body without length or chunks ends with its connection', async (on) => {
  const { ask } = await startAsking(on, [send(`${head(200, {})}{"a":1}`), close]);
  assert.equal(await ask(), '{"a":1}');
});

testOnBoth('a few interim responses before the real one are ignored', async (on) => {
  const { ask } = await startAsking(on, [send('HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n'), json({})]);
  assert.equal(await ask(), '{}');
});

testOnBoth(
  'a connection that ends while its reader waits does not end the process, and loses nothing',
  async (on) => {
    const body = 'x'.repeat(200_000);
    const { client, upstream } = await startAsking(on, [
      send(head(200, { 'content-length': body.length, connection: 'close' }) + body),
      close,
    ]);
    const request = {
      origin: upstream.origin,
      path: '/',
      method: 'GET',
      headers: {},
      clocks: REMOTE_CLOCKS,
    } as const;
    const response = await client.request(request);
    await sleep(50);
    assert.equal((await response.bytes(1_000_000)).length, body.length);
  },
);

testOnBoth('a paused exchange is not idle', async (on) => {
  const { client, upstream } = await startAsking(on, [
    send(head(200, { 'content-length': 300_000 })),
    send('x'.repeat(300_000)),
  ]);
  const clocks = { ...REMOTE_CLOCKS, idleMs: 30 };
  const response = await client.request({
    origin: upstream.origin,
    path: '/',
    method: 'GET',
    headers: {},
    clocks,
  });
  await sleep(150);
  assert.equal((await response.bytes(1_000_000)).length, 300_000);
});

testOnBoth('a refused connection names the address, and Ollama’s port how to start it', async (on) => {
  const client = createUpstreamClient({ transport: on.transport });
  const request = { path: '/api/tags', method: 'GET', headers: {}, clocks: REMOTE_CLOCKS } as const;
  const origin = await refusingOrigin();
  const message = `${origin}/api/tags did not answer (ECONNREFUSED); is it running at that address?`;
  await assert.rejects(client.request({ ...request, origin }), { code: 'upstream_unreachable', message });
  const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  const ollama = { ...request, origin: 'http://127.0.0.1:11434' };
  assert.match(toUpstreamError(ollama, refused, 'nothing').message, /is "ollama serve" running\?$/);
  await client.close();
});

testOnBoth('a host name that does not exist is unreachable', async (on) => {
  const client = createUpstreamClient({ transport: on.transport });
  const request = {
    origin: 'http://nowhere.invalid',
    path: '/',
    method: 'GET',
    headers: {},
    clocks: REMOTE_CLOCKS,
  } as const;
  await assert.rejects(client.request(request), {
    code: 'upstream_unreachable',
    message: /nowhere\.invalid/,
  });
  await client.close();
});

testOnBoth('TLS spoken to a plain server is refused, never downgraded', async (on) => {
  const { client, upstream } = await startAsking(on, [json({})]);
  const origin = upstream.origin.replace('http:', 'https:');
  const clocks = { ...REMOTE_CLOCKS, connectMs: 50 };
  const request = { origin, path: '/', method: 'GET', headers: { authorization: 'secret' }, clocks } as const;
  await assert.rejects(client.request(request), { code: /upstream_(unreachable|invalid)/ });
  assert.equal(upstream.requests.length, 0);
});

testOnBoth(
  'a TLS handshake that is never answered ends with the connect clock, and its socket is closed',
  async (on) => {
    const accepted: Socket[] = [];
    const upstream = await startUpstream([], {
      onConnection: (socket) => accepted.push(socket.resume()) < 0,
    });
    const client = createUpstreamClient({ transport: on.transport, tickMs: 5 });
    on.t.after(async () => {
      await client.close();
      await upstream.close();
    });
    const origin = upstream.origin.replace('http:', 'https:');
    const clocks = { ...REMOTE_CLOCKS, connectMs: 50 };
    const pending = client.request({ origin, path: '/', method: 'GET', headers: {}, clocks });
    await assert.rejects(pending, {
      code: 'upstream_unreachable',
      message: /accepted no connection within 50 ms/,
    });
    const socket = accepted[0];
    assert.ok(socket);
    if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
  },
);

testOnBoth('what came while the event loop was held up is heard before a clock runs out', async (on) => {
  const { ask } = await startAsking(on, [json({})]);
  const pending = ask({ connectMs: 100 });
  const heldUntil = performance.now() + 400;
  while (performance.now() < heldUntil);
  assert.equal(await pending, '{}');
});
