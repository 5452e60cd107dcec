import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../test/eventually.ts';
import { isObeliskError } from '../shared/errors.ts';
import type { Handler } from './http.ts';
import { createNodeServer } from './node-server.ts';

const handler: Handler = async (request, response) => {
  await sleep(20);
  const body = await request.body(1_000);
  response.head(200, { 'content-type': 'text/plain' });
  response.end(`${request.method} ${request.path} ${body.toString()}`);
};

type Transport = { readonly codec: boolean; readonly serve?: Handler };

/** Sends pieces to a server, a moment apart, and resolves to all that it said once it has closed. */
async function say(t: TestContext, transport: Transport, pieces: readonly string[]): Promise<string> {
  const { codec, serve = handler } = transport;
  const server = createNodeServer({
    handler: serve,
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
    if (piece === END) socket.end();
    else if (socket.writable) socket.write(piece);
    await sleep(5);
  }
  await closed;
  return heard;
}

const statusesOf = (heard: string): readonly string[] => heard.match(/(?<=HTTP\/1\.1 )\d+/g) ?? [];

/** A piece that ends the client's side. */
const END = '';
const CONNECT = 'CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n';
const PIECE = 'x'.repeat(256 * 1024);
const HEAD = 'HTTP/1.1\r\nhost: a\r\n';

for (const transport of ['node:http', 'the codec'] as const) {
  const codec = transport === 'the codec';

  for (const [what, rest] of [
    ['no request', 'hello\r\n\r\n'],
    ['another request', `GET /2 ${HEAD}\r\n`],
  ] as const) {
    test(`over ${transport}: what follows a refused head is not answered where it is ${what}`, async (t) => {
      assert.deepEqual(statusesOf(await say(t, { codec }, [`GET /1 ${HEAD}host: b\r\n\r\n${rest}`])), [
        '400',
      ]);
      assert.deepEqual(statusesOf(await say(t, { codec }, [`GET /1 ${HEAD}expect: more\r\n\r\n${rest}`])), [
        '417',
      ]);
    });
  }

  test(`over ${transport}: a body whose framing breaks takes no earlier answer away`, async (t) => {
    const broken = `POST /2 ${HEAD}transfer-encoding: chunked\r\n\r\nno size\r\n`;
    // Each further piece is an error of its own to the parser.
    const heard = await say(t, { codec }, [`GET /1 ${HEAD}\r\n${broken}`, 'and more\r\n', 'and more\r\n']);
    assert.deepEqual(statusesOf(heard), ['200', '400']);
    assert.match(heard, /GET \/1 [^]*"invalid_request"/);
  });

  for (const [how, head, piece] of [
    ['announced', 'content-length: 100', 'x'.repeat(50)],
    ['in chunks', 'transfer-encoding: chunked', `32\r\n${'x'.repeat(50)}\r\n`],
  ] as const) {
    const serve: Handler = async (request, response) => {
      await Promise.resolve(request.body(10)).catch(() => response.head(413, { 'content-length': '0' }));
      response.end();
    };
    const asked = `POST /1 ${HEAD}${head}\r\n\r\n${piece}`;

    test(`over ${transport}: a body that was refused gets no second answer where it breaks off (${how})`, async (t) => {
      assert.deepEqual(statusesOf(await say(t, { codec, serve }, [asked, END])), ['413']);
    });
  }

  test(`over ${transport}: a refused body that is no body gets no second answer, and takes no earlier one away`, async (t) => {
    const serve: Handler = async (request, response) => {
      if (request.path === '/1') await sleep(30);
      const status = await Promise.resolve(request.body(10)).then(
        () => 200,
        (error: unknown) => (isObeliskError(error) ? error.status : 500),
      );
      response.head(status, { 'content-length': '0' });
      response.end();
    };
    const asked = `GET /1 ${HEAD}\r\nPOST /2 ${HEAD}transfer-encoding: chunked\r\n\r\n14\r\n${'x'.repeat(20)}\r\n`;
    const heard = await say(t, { codec, serve }, [asked, 'no size\r\n']);
    // The codec leaves both pieces together to node:http, which parses them before anyone can refuse one.
    assert.deepEqual(statusesOf(heard), ['200', codec ? '400' : '413']);
  });

  test(`over ${transport}: who waits for a body is told that it is none, and answers`, async (t) => {
    const told: string[] = [];
    const serve: Handler = async (request, response) => {
      const error: unknown = await Promise.resolve(request.body(100)).catch((thrown: unknown) => thrown);
      if (isObeliskError(error)) told.push(error.code);
      response.head(isObeliskError(error) ? error.status : 200, { 'x-own': 'yes', 'content-length': '0' });
      response.end();
    };
    const chunked = `POST /1 ${HEAD}transfer-encoding: chunked\r\n\r\n`;
    const heard = await say(t, { codec, serve }, [`${chunked}3\r\nabc\r\n`, 'no size\r\n', 'and more\r\n']);
    assert.deepEqual(statusesOf(heard), ['400']);
    assert.match(heard, /\r\nx-own: yes\r\n/);
    assert.match(heard, /\r\nconnection: close\r\n/i);
    const whole = `${chunked}0\r\nconnection: close\r\n\r\nGET /2 ${HEAD}\r\n`;
    assert.deepEqual(statusesOf(await say(t, { codec, serve }, [whole]))[0], '200');
    assert.deepEqual(told, ['invalid_request']);
  });

  test(`over ${transport}: CONNECT is refused in words, and no byte of a tunnel is looked at`, async (t) => {
    const heard = await say(t, { codec }, [CONNECT, `GET /1 ${HEAD}\r\n`]);
    assert.deepEqual(statusesOf(heard), ['405']);
    assert.match(heard, /\r\nallow: GET, POST\r\n[^]*"code":"method_not_allowed"/);
  });

  test(`over ${transport}: CONNECT takes no earlier answer away, and is not answered behind a refused head`, async (t) => {
    const both = await say(t, { codec }, [`GET /1 ${HEAD}\r\nGET /2 ${HEAD}\r\n${CONNECT}xyz`, 'more']);
    assert.deepEqual(statusesOf(both), ['200', '200', '405']);
    const refused = await say(t, { codec }, [`GET /1 ${HEAD}\r\nGET /2 ${HEAD}host: b\r\n\r\n${CONNECT}`]);
    assert.deepEqual(statusesOf(refused), ['200', '400']);
  });

  test(`over ${transport}: answers that wait for their client go on one after the other before a CONNECT is refused`, async (t) => {
    const pieces = 40;
    const serve: Handler = async (_request, response) => {
      response.head(200, { 'content-length': String(pieces * PIECE.length) });
      for (let piece = 0; piece < pieces; piece += 1) {
        if (!response.write(PIECE)) await new Promise<void>((wake) => response.onDrain(wake));
      }
      response.end();
    };
    for (const count of [1, 3]) {
      const heard = await say(t, { codec, serve }, [`GET /1 ${HEAD}\r\n`.repeat(count) + CONNECT]);
      assert.deepEqual(statusesOf(heard), [...Array<string>(count).fill('200'), '405']);
      assert.ok(heard.length > count * pieces * PIECE.length);
    }
  });

  test(`over ${transport}: a client that leaves behind its CONNECT is gone`, async (t) => {
    const running = new Set<string>();
    const asked = `GET /1 ${HEAD}\r\nGET /2 ${HEAD}\r\nGET /3 ${HEAD}\r\n${CONNECT}`;
    const serve: Handler = (request) => {
      running.add(request.path);
      request.onGone(() => running.delete(request.path));
    };
    const heard = await say(t, { codec, serve }, [asked, END]);
    await until(() => running.size === 0, 'no request runs');
    assert.equal(heard, '');
  });
}
