import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAsking, testOnBoth } from '../../test/asking.ts';
import { chunk, chunkedHead, head, json } from '../../test/upstream-scripts.ts';
import { close, drip, send, wait } from '../../test/upstream.ts';
import type { Step } from '../../test/upstream.ts';
import { isInPieces } from './body-pieces.ts';
import { CoarseClock } from './coarse-clock.ts';
import { createUpstreamClient } from './upstream-client.ts';
import { ConnectionPool } from './upstream-connection.ts';
import type { Connection } from './upstream-connection.ts';
import { REMOTE_CLOCKS } from './upstream.ts';

const body = '{"fine":true}';
const length = { 'content-length': body.length };

for (const [name, steps] of Object.entries<readonly Step[]>({
  'that says close': [send(head(200, { ...length, connection: 'close' }) + body)],
  'that says close among other things': [send(head(200, { ...length, connection: 'x, Close' }) + body)],
  'in HTTP/1.0': [send((head(200, { ...length, connection: 'keep-alive' }) + body).replace('/1.1', '/1.0'))],
  'without a length': [send(head(200, {}) + body), close],
  'with something else after its end': [send(`${head(200, length) + body}{"more":1}`)],
  'with another answer after its end': [send(`${head(200, length) + body}HTTP/1.1 200 OK\r\n`)],
  'of a server that keeps connections for a second': [
    send(head(200, { ...length, 'keep-alive': 'timeout=1' }) + body),
  ],
})) {
  testOnBoth(`a connection is not used again after an answer ${name}`, async (on) => {
    const { ask, upstream, client } = await startAsking(on, steps);
    assert.deepEqual([await ask(), await ask()], [body, body]);
    // Node's own client drops what it read after an answer, and keeps the connection.
    if (on.transport === 'node' && name.includes('another answer')) return;
    assert.equal(upstream.connections, 2);
    assert.deepEqual(client.connections(), { open: 0, idle: 0 });
  });
}

for (const [name, steps] of Object.entries<readonly Step[]>({
  'in chunks with trailers': [send(`${chunkedHead('text/plain')}${chunk(body)}0\r\nx-sum: 1\r\n\r\n`)],
  'of a server that keeps connections for a while': [
    send(head(200, { ...length, 'keep-alive': 'timeout=60' }) + body),
  ],
  'cut anywhere': [drip(head(200, length) + body, 0)],
})) {
  testOnBoth(`a connection is used again after an answer ${name}`, async (on) => {
    const { ask, upstream, client } = await startAsking(on, steps);
    assert.deepEqual([await ask(), await ask()], [body, body]);
    assert.equal(upstream.connections, 1);
    assert.deepEqual(client.connections(), { open: 1, idle: 1 });
  });
}

testOnBoth('a connection is used again after an answer without a body', async (on) => {
  const { client, upstream, request } = await startAsking(on, ({ method }) => [
    send(method === 'HEAD' ? head(200, { 'content-length': 5 }) : head(204, {})),
  ]);
  for (const method of ['HEAD', 'DELETE', 'HEAD'] as const) {
    const response = await client.request({ ...request, method });
    assert.equal((await response.bytes(10)).length, 0);
  }
  // Node's own client closes after a 204 that says nothing of its length.
  assert.ok(upstream.connections === (on.transport === 'codec' ? 1 : 2));
});

testOnBoth('a connection that speaks out of turn is closed, and what it said is no answer', async (on) => {
  let second = false;
  const { ask, upstream, client } = await startAsking(on, () => {
    if (second) return [json({ right: true })];
    second = true;
    return [json({}), wait(20), json({ wrong: true })];
  });
  assert.equal(await ask(), '{}');
  const first = await upstream.request(0);
  await first.closed;
  assert.deepEqual(client.connections(), { open: 0, idle: 0 });
  assert.equal(await ask(), '{"right":true}');
});

for (const [name, sent] of Object.entries({
  'a small text': 'caf\u00E9 \u2603',
  'a large text': 'caf\u00E9 \u2603 '.repeat(10_000),
  'small bytes': Buffer.from([0, 128, 255, 13, 10]),
  'large bytes': Buffer.alloc(300_000, Buffer.from([0, 128, 255, 13, 10])),
  'bytes in pieces': [Buffer.alloc(9_000, 1), Buffer.from('☃'), Buffer.alloc(0), Buffer.alloc(70_000, 255)],
  nothing: '',
})) {
  testOnBoth(`a body of ${name} arrives byte for byte`, async (on) => {
    const { client, upstream, request } = await startAsking(on, [json({})]);
    await (await client.request({ ...request, body: sent })).bytes(10);
    const received = await upstream.request(0);
    assert.ok(received.body.equals(isInPieces(sent) ? Buffer.concat(sent) : Buffer.from(sent)));
    assert.equal(received.headers['content-length'], String(received.body.length));
  });
}

testOnBoth('a POST without a body says so', async (on) => {
  const { client, upstream, request } = await startAsking(on, [json({})]);
  const { body: _, ...bare } = request;
  await (await client.request(bare)).bytes(10);
  await (await client.request({ ...bare, method: 'GET' })).bytes(10);
  const received = await Promise.all([upstream.request(0), upstream.request(1)]);
  assert.deepEqual(
    received.map(({ headers }) => headers['content-length']),
    ['0', undefined],
  );
});

testOnBoth(
  'a path or header that would change the message is refused before anything is sent',
  async (on) => {
    const { client, upstream, request } = await startAsking(on, [json({})]);
    for (const wrong of [
      { path: '/a b' },
      { path: '/a\r\nhost: b' },
      { headers: { 'content-length': '3' } },
      { headers: { connection: 'upgrade' } },
    ]) {
      await assert.rejects(client.request({ ...request, ...wrong }), {
        code: 'internal',
        message: /invalid/,
      });
    }
    await assert.rejects(client.request({ ...request, origin: 'ftp://x' }), { code: 'internal' });
    assert.equal(upstream.requests.length, 0);
    assert.equal(client.connections().open, 0);
  },
);

testOnBoth(
  'an answer that comes before the whole request was sent is heard, and its connection closed',
  async (on) => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket.on('error', () => socket.destroy()));
      socket.once('readable', () => socket.write(head(413, { 'content-length': 0 })));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const client = createUpstreamClient({ transport: on.transport, tickMs: 5 });
    on.t.after(async () => {
      await client.close();
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    // A TCP server's address is never a pipe's name.
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const large = Buffer.alloc(16 * 1024 * 1024);
    const response = await client.request({
      origin,
      path: '/',
      method: 'POST',
      headers: {},
      body: large,
      clocks: REMOTE_CLOCKS,
    });
    assert.equal(response.status, 413);
    await response.bytes(0);
    assert.deepEqual(client.connections(), { open: 0, idle: 0 });
  },
);

testOnBoth('a sink that throws gets its error back, and the connection is closed', async (on) => {
  const { client, upstream, request } = await startAsking(on, [json({})]);
  for (const broken of ['onHead', 'onData'] as const) {
    const error = await new Promise<Error>((resolve) => {
      const fail = (): never => {
        throw new RangeError('a defect');
      };
      const sink = { onHead: () => undefined, onData: () => true, onEnd: () => assert.fail('it ended') };
      client.send(request, { ...sink, onError: resolve, [broken]: fail });
    });
    assert.match(error.message, /a defect/);
  }
  await Promise.all([upstream.request(0), upstream.request(1)].map(async (one) => (await one).closed));
});

testOnBoth('a closed client has no connections and refuses requests', async (on) => {
  const { client, upstream, request, ask } = await startAsking(on, [json({})]);
  await ask();
  const first = await upstream.request(0);
  await client.close();
  await first.closed;
  assert.deepEqual(client.connections(), { open: 0, idle: 0 });
  await assert.rejects(client.request(request), { code: 'overloaded' });
});

testOnBoth('a host name is looked up, an address is not', async (on) => {
  const { upstream, request } = await startAsking(on, [json({})]);
  const asked: string[] = [];
  const client = createUpstreamClient({
    transport: on.transport,
    lookup: (host, options, callback) => {
      asked.push(host);
      callback(null, options.all === true ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4);
    },
  });
  on.t.after(() => client.close());
  await (await client.request(request)).bytes(10);
  assert.deepEqual(asked, []);
  const origin = upstream.origin.replace('127.0.0.1', 'model.test');
  await (await client.request({ ...request, origin })).bytes(10);
  assert.deepEqual(asked, ['model.test']);
  assert.equal((await upstream.request(1)).headers['host'], origin.slice('http://'.length));
});

testOnBoth('a name that is never resolved is unreachable', async (on) => {
  const client = createUpstreamClient({ transport: on.transport, tickMs: 5, lookup: () => undefined });
  const clocks = { ...REMOTE_CLOCKS, connectMs: 30 };
  const request = { origin: 'http://model.test', path: '/', method: 'GET', headers: {}, clocks } as const;
  await assert.rejects(client.request(request), { code: 'upstream_unreachable' });
  await client.close();
});

for (const code of ['EACCES', 'EPERM', 'EAFNOSUPPORT', 'EINVAL']) {
  testOnBoth(
    `a connection that the system refuses with ${code} makes its upstream unreachable`,
    async (on) => {
      const refusal = Object.assign(new Error('connect'), { code });
      const client = createUpstreamClient({
        transport: on.transport,
        lookup: (_host, _options, callback) => setImmediate(callback, refusal, ''),
      });
      on.t.after(() => client.close());
      const request = { origin: 'http://model.test', path: '/', method: 'GET', headers: {} } as const;
      await assert.rejects(client.request({ ...request, clocks: REMOTE_CLOCKS }), {
        code: 'upstream_unreachable',
        message: new RegExp(code),
      });
    },
  );
}

/** A connection that only remembers whether it was closed. */
function createConnection(pool: ConnectionPool): Connection & { closed: boolean } {
  return {
    reused: true,
    idleUntilMs: 0,
    closed: false,
    send: () => undefined,
    resume: () => undefined,
    abandon: () => undefined,
    close() {
      this.closed = true;
      pool.forget(this);
    },
  };
}

test('an idle connection is closed sooner than its server says, and the warmest is used first', async () => {
  const pool = new ConnectionPool(createConnection, new CoarseClock(5));
  const [first, second, third] = [pool.acquire(), pool.acquire(), pool.acquire()];
  pool.release(first, 2.03);
  pool.release(second, 60);
  pool.release(third, undefined);
  assert.deepEqual([pool.size, pool.idle], [3, 3]);
  assert.equal(pool.acquire(), third);
  while (pool.idle > 1) await sleep(5);
  assert.deepEqual([pool.size, pool.idle], [2, 1]);
  assert.equal(pool.acquire(), second);
});
