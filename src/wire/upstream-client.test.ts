import assert from 'node:assert/strict';
import { startAsking, testOnBoth } from '../../test/asking.ts';
import { chunk, chunkedHead, head, json, lastChunk } from '../../test/upstream-scripts.ts';
import { close, flood, reset, send, stall, wait } from '../../test/upstream.ts';

testOnBoth('a request arrives as it was given, asking for no encoding', async (on) => {
  const { client, upstream, request } = await startAsking(on, [json({ ok: true })]);
  const headers = { ...request.headers, 'accept-encoding': 'gzip', authorization: 'Bearer k' };
  const response = await client.request({ ...request, headers, body: Buffer.from('{"a":"é"}') });
  assert.equal(response.status, 200);
  assert.equal(response.headers['content-type'], 'application/json');
  assert.equal((await response.bytes(100)).toString(), '{"ok":true}');
  const received = await upstream.request(0);
  assert.deepEqual([received.method, received.path], ['POST', '/v1/x?key=hidden']);
  assert.equal(received.headers['accept-encoding'], 'identity');
  assert.equal(received.headers['authorization'], 'Bearer k');
  assert.equal(received.headers['content-length'], '10');
  assert.deepEqual(received.json(), { a: 'é' });
});

testOnBoth('requests one after another use one connection', async (on) => {
  const { client, upstream, request } = await startAsking(on, [json({})]);
  for (let turn = 0; turn < 5; turn += 1) await (await client.request(request)).bytes(100);
  assert.equal(upstream.connections, 1);
});

testOnBoth('requests at the same time use a connection each', async (on) => {
  const { client, upstream, request } = await startAsking(on, [wait(20), json({})]);
  const responses = await Promise.all(Array.from({ length: 8 }, () => client.request(request)));
  await Promise.all(responses.map((response) => response.bytes(100)));
  assert.equal(upstream.connections, 8);
});

testOnBoth('a keep-alive connection closed while it was idle is replaced without an error', async (on) => {
  const { client, upstream, request } = await startAsking(on, [json({}), close]);
  for (let turn = 0; turn < 3; turn += 1) {
    await (await client.request(request)).bytes(100);
    await (
      await upstream.request(turn)
    ).closed;
  }
  assert.deepEqual([upstream.requests.length, upstream.connections], [3, 3]);
});

testOnBoth(
  'a request that meets a stale keep-alive connection is sent once more on a fresh one',
  async (on) => {
    const { client, upstream, request } = await startAsking(on, (received) =>
      received.connection === 0 && received.path === '/second' ? [reset] : [json({})],
    );
    await (await client.request(request)).bytes(100);
    const response = await client.request({ ...request, path: '/second' });
    assert.equal(response.status, 200);
    assert.deepEqual(
      upstream.requests.map((received) => [received.path.slice(0, 7), received.connection]),
      [
        ['/v1/x?k', 0],
        ['/second', 0],
        ['/second', 1],
      ],
    );
  },
);

testOnBoth('it is sent once more only, and not at all when an answer had begun', async (on) => {
  const { client, upstream, request } = await startAsking(on, (received) => {
    if (received.path === '/first') return [json({})];
    return received.path === '/reset' ? [reset] : [send('HTTP/1.1 200'), wait(20), reset];
  });
  await (await client.request({ ...request, path: '/first' })).bytes(100);
  await assert.rejects(client.request({ ...request, path: '/reset' }), { code: 'upstream_unreachable' });
  assert.equal(upstream.requests.length, 3);
  await (await client.request({ ...request, path: '/first' })).bytes(100);
  await assert.rejects(client.request({ ...request, path: '/begun' }), { code: 'upstream_unreachable' });
  assert.equal(upstream.requests.length, 5);
});

testOnBoth(
  'a request that was read for a while before its connection broke is not sent again',
  async (on) => {
    const { client, upstream, request } = await startAsking(on, (_received, index) =>
      index === 0 ? [json({})] : [wait(1_100), reset],
    );
    await (await client.request(request)).bytes(100);
    await assert.rejects(client.request(request), { code: 'upstream_unreachable' });
    assert.deepEqual([upstream.requests.length, upstream.connections], [2, 1]);
  },
);

testOnBoth('a body is read as it arrives', async (on) => {
  const { client, request } = await startAsking(on, [
    send(chunkedHead('text/event-stream') + chunk('a')),
    wait(20),
    send(chunk('b') + lastChunk),
  ]);
  const response = await client.request(request);
  const seen: string[] = [];
  for await (const bytes of response.body) seen.push(bytes.toString());
  assert.deepEqual(seen, ['a', 'b']);
});

testOnBoth('a body over the limit is refused and its connection closed', async (on) => {
  const { client, upstream, request } = await startAsking(on, [
    send(head(200, {})),
    flood('x'.repeat(10_000)),
  ]);
  const response = await client.request(request);
  await assert.rejects(response.bytes(50_000), { code: 'upstream_invalid' });
  await (
    await upstream.request(0)
  ).closed;
});

testOnBoth('a reader that waits makes the upstream wait', async (on) => {
  const sent = { bytes: 0 };
  const { client, upstream, request } = await startAsking(on, [
    send(head(200, {})),
    flood('x'.repeat(100_000), sent),
  ]);
  const response = await client.request(request);
  let before = -1;
  // Kernel buffers fill first; what matters is that the flood then stands still.
  while (before !== sent.bytes) {
    before = sent.bytes;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  let read = 0;
  for await (const bytes of response.body) {
    read += bytes.length;
    if (read > before + 1_000_000) break;
  }
  assert.ok(sent.bytes > before, 'reading lets it flow again');
  await (
    await upstream.request(0)
  ).closed;
});

testOnBoth('the caller’s signal closes the upstream connection, before and after the head', async (on) => {
  const { client, upstream, request } = await startAsking(on, (received) =>
    received.path === '/before' ? [stall] : [send(chunkedHead('text/plain') + chunk('a')), stall],
  );
  const before = new AbortController();
  const pending = client.request({ ...request, path: '/before' }, before.signal);
  const first = await upstream.request(0);
  const started = performance.now();
  before.abort();
  await assert.rejects(pending, { code: 'client_gone' });
  assert.ok((await first.closed) - started < 100);

  const after = new AbortController();
  const response = await client.request({ ...request, path: '/after' }, after.signal);
  const reading = (async () => {
    for await (const bytes of response.body) assert.equal(bytes.toString(), 'a');
  })();
  const second = await upstream.request(1);
  const later = performance.now();
  after.abort();
  await assert.rejects(reading, { code: 'client_gone' });
  assert.ok((await second.closed) - later < 100);
  await assert.rejects(client.request(request, after.signal), { code: 'client_gone' });
  assert.equal(upstream.requests.length, 2);
});

testOnBoth('an aborted exchange says nothing more to its sink', async (on) => {
  const { client, upstream, request } = await startAsking(on, [json({})]);
  const silent = (): never => assert.fail('the sink was called after abort');
  const exchange = client.send(request, { onHead: silent, onData: silent, onEnd: silent, onError: silent });
  exchange.abort();
  exchange.abort();
  exchange.resume();
  await (await client.request(request)).bytes(100);
  assert.ok(upstream.requests.length <= 2);
});

testOnBoth('a sink is never called before send has returned', async (on) => {
  const { client, request } = await startAsking(on, [json({})]);
  const wrong = { ...request, headers: { 'x-bad': 'a\nb' } };
  let returned = false;
  const error = await new Promise<Error>((resolve) => {
    client.send(wrong, {
      onHead: () => assert.fail('a bad header was sent'),
      onData: () => true,
      onEnd: () => assert.fail('a bad header was sent'),
      onError: (reason) => {
        assert.ok(returned);
        resolve(reason);
      },
    });
    returned = true;
  });
  assert.match(error.message, /invalid x-bad header/);
});

testOnBoth('closing the client ends what is running', async (on) => {
  const { client, upstream, request } = await startAsking(on, [stall]);
  const pending = client.request(request);
  const received = await upstream.request(0);
  const rejected = assert.rejects(pending, { code: 'overloaded' });
  await client.close();
  await rejected;
  await received.closed;
});
