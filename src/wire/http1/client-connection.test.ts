import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { head } from '../../../test/upstream-scripts.ts';
import { createUpstreamClient } from '../upstream-client.ts';
import { REMOTE_CLOCKS } from '../upstream.ts';
import type { UpstreamClient, UpstreamRequest, UpstreamSink } from '../upstream.ts';

const IGNORED: UpstreamSink = {
  onHead: () => undefined,
  onData: () => true,
  onEnd: () => undefined,
  onError: () => undefined,
};

const answer = (body: string): string => head(200, { 'content-length': body.length }) + body;

type Pair = {
  readonly client: UpstreamClient;
  readonly request: UpstreamRequest;
  /** The server's side of each connection, in order. */
  readonly sockets: readonly Socket[];
  /** Requests as the server got them. */
  readonly received: string[];
};

/** A client, and a server that answers each request with `right`. */
async function startPair(t: TestContext): Promise<Pair> {
  const sockets: Socket[] = [];
  const received: string[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => socket.destroy()));
    socket.on('data', (bytes) => {
      received.push(bytes.toString());
      socket.write(answer('right'));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = createUpstreamClient({ transport: 'codec', tickMs: 5 });
  t.after(async () => {
    await client.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  // A TCP server's address is never a pipe's name.
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const request: UpstreamRequest = { origin, path: '/', method: 'POST', headers: {}, clocks: REMOTE_CLOCKS };
  return { client, request, sockets, received };
}

const ask = async ({ client, request }: Pair): Promise<string> =>
  (await (await client.request(request)).bytes(100)).toString();

test('bytes that came before a request has left are no answer to it', async (t) => {
  const pair = await startPair(t);
  assert.equal(await ask(pair), 'right');
  // After a timer the connection is read before the turn ends.
  await sleep(5);
  pair.sockets[0]?.write(answer('wrong'));
  assert.equal(await ask(pair), 'right');
  assert.equal(pair.sockets.length, 2, 'on a connection of its own');
});

test('a request that is given up in the turn in which it was made is not sent', async (t) => {
  const pair = await startPair(t);
  assert.equal(await ask(pair), 'right');
  pair.client.send(pair.request, IGNORED).abort();
  assert.equal(await ask(pair), 'right');
  assert.equal(pair.received.length, 2);
});
