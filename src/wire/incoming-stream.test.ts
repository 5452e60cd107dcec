import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isObeliskError } from '../shared/errors.ts';
import { eventually } from '../../test/eventually.ts';
import type { HttpRequest } from './http.ts';
import { callInProcess } from './in-process.ts';
import { createNodeServer } from './node-server.ts';
import type { ServerLimits } from './node-server.ts';

type Reading = (pieces: AsyncIterable<Buffer>, request: HttpRequest) => Promise<string>;
const HEAD = 'POST / HTTP/1.1\r\nhost: x\r\n';
const never = new AbortController().signal;

async function bytesOf(pieces: AsyncIterable<Buffer>): Promise<string> {
  let bytes = 0;
  for await (const piece of pieces) bytes += piece.length;
  return String(bytes);
}

/** A server whose handler reads its body as told, and a connection to it with all that it answered. */
async function start(
  t: TestContext,
  read: Reading,
  { limits = {}, signal = never }: { readonly limits?: ServerLimits; readonly signal?: AbortSignal } = {},
): Promise<{ socket: Socket; heard: () => string; codes: string[] }> {
  const codes: string[] = [];
  const server = createNodeServer({
    limits,
    async handler(request, response) {
      const body = request.stream?.(signal) ?? assert.fail('it has streams');
      const text = await read(body.open(), request);
      response.head(200, {});
      response.end(`${text} of ${body.bytes};`);
    },
    onError(error, _request, response) {
      codes.push(isObeliskError(error) ? error.code : String(error));
      response.head(isObeliskError(error) ? error.status : 500, {});
      response.end();
    },
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  t.after(async () => {
    socket.destroy();
    await server.close(0);
  });
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
  return { socket, heard: () => text, codes };
}

test('bodies are taken one after the other, with a length and without', async (t) => {
  const { socket, heard } = await start(t, bytesOf);
  socket.write(`${HEAD}content-length: 200000\r\n\r\n${'x'.repeat(200_000)}`);
  socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`);
  socket.write(`${HEAD}content-length: 0\r\n\r\n`);
  await eventually(() =>
    assert.deepEqual(heard().match(/\w+ of \w+;/g), ['200000 of 200000;', '5 of undefined;', '0 of 0;']),
  );
});

test('a client sends no faster than its body is read', async (t) => {
  const { promise: mayRead, resolve: letRead } = Promise.withResolvers<void>();
  const TOTAL = 64 * 1024 * 1024;
  const { socket, heard } = await start(t, async (pieces) => {
    for await (const piece of pieces) {
      await mayRead;
      return String(Number(await bytesOf(pieces)) + piece.length);
    }
    return 'nothing';
  });
  socket.write(`${HEAD}content-length: ${TOTAL}\r\n\r\n`);
  const piece = Buffer.alloc(1024 * 1024);
  for (let sent = 0; sent < TOTAL; sent += piece.length) socket.write(piece);
  let before = -1;
  await eventually(async () => {
    const now = socket.writableLength;
    const still = now === before;
    before = now;
    await sleep(50);
    assert.ok(still, 'the sending has come to rest');
  });
  assert.ok(before > TOTAL / 2, `${TOTAL - before} bytes were taken by nobody`);
  letRead();
  await eventually(() => assert.match(heard(), new RegExp(`${TOTAL} of ${TOTAL};`)), 10_000);
});

test('a body may take longer than any whole one, but not fall silent', async (t) => {
  const limits = { headersMs: 60, bodyMs: 250 };
  const { socket, heard, codes } = await start(t, bytesOf, { limits });
  socket.write(`${HEAD}content-length: 28\r\n\r\n`);
  for (let sent = 0; sent < 14; sent += 1) {
    await sleep(50);
    socket.write('xx');
  }
  await eventually(() => assert.match(heard(), /28 of 28;/));
  socket.write(`${HEAD}content-length: 20\r\n\r\nxx`);
  await once(socket, 'close');
  assert.match(heard(), /HTTP\/1.1 408/);
  assert.deepEqual(codes, ['request_timeout']);
});

test('a client that leaves ends the reading with an error', async (t) => {
  const { socket, codes } = await start(t, bytesOf);
  socket.write(`${HEAD}content-length: 20\r\n\r\nxx`);
  await sleep(20);
  socket.destroy();
  await eventually(() => assert.deepEqual(codes, ['client_gone']));
});

test('who stops reading, or is told to, can still answer', async (t) => {
  const over = new AbortController();
  for (const [read, answer] of [
    [async () => 'nothing', /nothing of 20;/],
    [
      async (pieces: AsyncIterable<Buffer>) => {
        for await (const piece of pieces) return `only ${piece.length}`;
        return '';
      },
      /only \d+ of 20;/,
    ],
    [
      async (pieces: AsyncIterable<Buffer>) => {
        setTimeout(() => over.abort(), 5);
        return bytesOf(pieces);
      },
      /HTTP\/1.1 499/,
    ],
  ] as const) {
    const { socket, heard } = await start(t, read, { signal: over.signal });
    socket.write(`${HEAD}content-length: 20\r\n\r\nxx`);
    await eventually(() => assert.match(heard(), answer));
    socket.write(`${'x'.repeat(18)}${HEAD}content-length: 0\r\n\r\n`);
    const next = 'what follows the rest is the next request';
    await eventually(() => assert.equal(heard().split('HTTP/1.1 ').length, 3, next));
  }
});

test('a call inside the process has its body as a stream too', async () => {
  const { body } = await callInProcess(
    async (request, response) => {
      const stream = request.stream?.(never) ?? assert.fail('it has streams');
      const text = await bytesOf(stream.open());
      response.head(200, {});
      response.end(`${text} of ${stream.bytes}`);
    },
    { method: 'POST', path: '/', body: 'abc' },
  );
  for await (const piece of body) assert.equal(piece.toString(), '3 of 3');
});
