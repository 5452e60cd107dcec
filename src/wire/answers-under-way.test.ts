import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { until } from '../../test/eventually.ts';
import type { Handler } from './http.ts';
import { createNodeServer } from './node-server.ts';

type Server = { readonly codec: boolean; readonly handler: Handler };

async function open(t: TestContext, { codec, handler }: Server): Promise<Socket> {
  const server = createNodeServer({
    handler,
    ...(codec ? { codecServes: () => true } : {}),
    onError: (error) => assert.fail(String(error)),
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const socket: Socket = connect({ port, host: '127.0.0.1' }).on('error', () => socket.destroy());
  t.after(async () => {
    socket.destroy();
    await server.close(0);
  });
  await once(socket, 'connect');
  return socket;
}

const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
/** More than the system takes for a client that reads nothing. */
const LONG = Buffer.alloc(32 * 1024 * 1024);

for (const transport of ['node:http', 'the codec'] as const) {
  const codec = transport === 'the codec';

  test(`over ${transport}: a client that ends its side while it takes nothing of its answers is gone`, async (t) => {
    let isStalled = false;
    let isGone = false;
    const handler: Handler = (request, response) => {
      request.onGone(() => (isGone = true));
      response.head(200, {});
      isStalled = !response.write(LONG);
    };
    const socket = await open(t, { codec, handler });
    socket.pause();
    socket.write(GET);
    await until(() => isStalled, 'an answer waits for its client');
    socket.end();
    await until(() => isGone, 'the client is gone');
  });

  test(`over ${transport}: a client that ends its side behind a whole answer gets all of it`, async (t) => {
    let isAnswered = false;
    const handler: Handler = (_request, response) => {
      response.head(200, { 'content-length': String(LONG.length) });
      response.end(LONG);
      isAnswered = true;
    };
    const socket = await open(t, { codec, handler });
    socket.pause();
    socket.write(GET);
    await until(() => isAnswered, 'the answer is handed over');
    socket.end();
    let heardBytes = 0;
    socket.on('data', (bytes: Buffer) => (heardBytes += bytes.length));
    socket.resume();
    await once(socket, 'close');
    assert.ok(heardBytes > LONG.length);
  });
}
