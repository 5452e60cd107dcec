import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Handler } from './http.ts';
import { createNodeServer } from './node-server.ts';

const handler: Handler = async (request, response) => {
  await sleep(20);
  const body = await request.body(1_000);
  response.head(200, { 'content-type': 'text/plain' });
  response.end(`${request.method} ${request.path} ${body.toString()}`);
};

/** Sends pieces to a server, a moment apart, and resolves to all that it said once it has closed. */
async function say(t: TestContext, codec: boolean, pieces: readonly string[]): Promise<string> {
  const server = createNodeServer({
    handler,
    ...(codec ? { codecServes: () => true } : {}),
    onError: (_error, _request, response) => response.destroy(),
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const socket: Socket = connect(port, '127.0.0.1').on('error', () => socket.destroy());
  t.after(async () => {
    socket.destroy();
    await server.close(0);
  });
  let heard = '';
  socket.on('data', (bytes: Buffer) => (heard += bytes.toString()));
  const closed = once(socket, 'close');
  for (const piece of pieces) {
    if (socket.writable) socket.write(piece);
    await sleep(5);
  }
  await closed;
  return heard;
}

const statusesOf = (heard: string): readonly string[] => heard.match(/(?<=HTTP\/1\.1 )\d+/g) ?? [];

const HEAD = 'HTTP/1.1\r\nhost: a\r\n';

for (const transport of ['node:http', 'the codec'] as const) {
  const codec = transport === 'the codec';

  for (const [what, rest] of [
    ['no request', 'hello\r\n\r\n'],
    ['another request', `GET /2 ${HEAD}\r\n`],
  ] as const) {
    test(`over ${transport}: what follows a refused head is not answered where it is ${what}`, async (t) => {
      assert.deepEqual(statusesOf(await say(t, codec, [`GET /1 ${HEAD}host: b\r\n\r\n${rest}`])), ['400']);
      assert.deepEqual(statusesOf(await say(t, codec, [`GET /1 ${HEAD}expect: more\r\n\r\n${rest}`])), [
        '417',
      ]);
    });
  }

  test(`over ${transport}: a body whose framing breaks takes no earlier answer away`, async (t) => {
    const broken = `POST /2 ${HEAD}transfer-encoding: chunked\r\n\r\nno size\r\n`;
    // Each further piece is an error of its own to the parser.
    const heard = await say(t, codec, [`GET /1 ${HEAD}\r\n${broken}`, 'and more\r\n', 'and more\r\n']);
    assert.deepEqual(statusesOf(heard), ['200', '400']);
    assert.match(heard, /GET \/1 [^]*"invalid_request"/);
  });
}
