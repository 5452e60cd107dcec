import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isObeliskError } from '../shared/errors.ts';
import type { Handler } from './http.ts';
import { createNodeServer } from './node-server.ts';
import type { NodeServer, ServerLimits } from './node-server.ts';

type Started = {
  readonly server: NodeServer;
  readonly port: number;
  open(): Promise<Socket>;
  say(text: string): Promise<string>;
};

const echo: Handler = async (request, response) => {
  const body = await request.body(1_000);
  response.head(200, { 'content-type': 'text/plain' });
  response.end(`${request.method} ${request.path} ${body.toString()}`);
};

type Transport = 'node:http' | 'the codec';

async function start(
  t: TestContext,
  handler: Handler,
  { transport = 'node:http', ...limits }: ServerLimits & { transport?: Transport } = {},
): Promise<Started> {
  const server = createNodeServer({
    handler,
    limits,
    ...(transport === 'the codec' ? { codecServes: () => true } : {}),
    onError: (error, _request, response) => {
      response.head(isObeliskError(error) ? error.status : 500, {});
      response.end(isObeliskError(error) ? error.code : String(error));
    },
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const sockets: Socket[] = [];
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await server.close(0);
  });
  const open = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1').on('error', () => socket.destroy());
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  };
  const say = async (text: string): Promise<string> => {
    const socket = await open();
    let heard = '';
    socket.on('data', (bytes: Buffer) => (heard += bytes.toString()));
    socket.write(text);
    await once(socket, 'close');
    return heard;
  };
  return { server, port, open, say };
}

test('a port in use is reported with what to do', async (t) => {
  const { port } = await start(t, echo);
  const second = createNodeServer({ handler: echo, onError: () => undefined });
  await assert.rejects(second.listen({ host: '127.0.0.1', port }), {
    code: 'address_in_use',
    message: `another program listens on 127.0.0.1:${port}; stop it, or choose another port with --port`,
  });
});

for (const transport of ['node:http', 'the codec'] as const) {
  test(`over ${transport}: HTTP/1.0, the absolute form of a target and Expect are served`, async (t) => {
    const { say } = await start(t, echo, { transport });
    assert.match(await say('GET /a HTTP/1.0\r\n\r\n'), /GET \/a $/);
    assert.match(
      await say('GET http://other/b?c HTTP/1.1\r\nhost: other\r\nconnection: close\r\n\r\n'),
      /GET \/b /,
    );
    const expecting =
      'POST /c HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi';
    assert.match(await say(expecting), /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK[^]*POST \/c hi/);
  });

  test(`over ${transport}: pipelined requests are answered in order`, async (t) => {
    const { say } = await start(t, echo, { transport });
    const heard = await say(
      'GET /1 HTTP/1.1\r\nhost: a\r\n\r\nPOST /2 HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nxGET /3 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
    );
    assert.deepEqual(heard.match(/(GET|POST) \/\d/g), ['GET /1', 'POST /2', 'GET /3']);
  });

  test(`over ${transport}: two ways to frame one body, and what is no HTTP, are refused and the connection closed`, async (t) => {
    const { say } = await start(t, () => assert.fail('no handler is called'), { transport });
    const smuggling =
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n';
    for (const text of [smuggling, 'hello\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n']) {
      assert.match(await say(text), /^HTTP\/1.1 400 /);
    }
    assert.match(
      await say(`GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`),
      /^HTTP\/1.1 431 [^]*"error"/,
    );
  });

  test(`over ${transport}: a head that drips is given up after its time`, async (t) => {
    const { open } = await start(t, echo, { transport, headersMs: 100 });
    const socket = await open();
    let heard = '';
    socket.on('data', (bytes: Buffer) => (heard += bytes.toString()));
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n');
    const drip = setInterval(() => socket.write('x'), 20);
    await once(socket, 'close');
    clearInterval(drip);
    assert.match(heard, /^HTTP\/1.1 408 /);
  });

  test(`over ${transport}: a body that stalls is given up after its time`, async (t) => {
    const { say } = await start(t, echo, { transport, bodyMs: 100 });
    const heard = await say(
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\nconnection: close\r\n\r\nabc',
    );
    assert.match(heard, /^HTTP\/1.1 408 [^]*request_timeout/);
  });

  test(`over ${transport}: a client that leaves in the middle of its body is gone`, async (t) => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const { open } = await start(
      t,
      async (request) => {
        await Promise.resolve(request.body(1_000)).catch(resolve);
      },
      { transport },
    );
    const socket = await open();
    socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc');
    await sleep(20);
    socket.destroy();
    assert.ok(isObeliskError(await promise));
  });

  test(`over ${transport}: a body that is asked for after its client has gone does not wait for ever`, async (t) => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const { open } = await start(
      t,
      async (request) => {
        await new Promise<void>((wake) => request.onGone(wake));
        await Promise.resolve(request.body(1_000)).catch(resolve);
      },
      { transport },
    );
    const socket = await open();
    socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc');
    await sleep(20);
    socket.destroy();
    assert.ok(isObeliskError(await promise));
  });

  test(`over ${transport}: a client that takes nothing is dropped after its time`, async (t) => {
    const { promise: gone, resolve } = Promise.withResolvers<undefined>();
    const { open } = await start(
      t,
      (request, response) => {
        request.onGone(() => resolve(undefined));
        response.head(200, {});
        const fill = (): void => {
          while (!response.closed && response.write(Buffer.alloc(100_000)));
          if (!response.closed) response.onDrain(fill);
        };
        fill();
      },
      { transport, stalledMs: 150 },
    );
    const socket = await open();
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await gone;
  });

  test(`over ${transport}: a flood of silent connections gives way to one that speaks`, async (t) => {
    const { open, say } = await start(t, echo, { transport, anonymousConnections: 20, silentMs: 250 });
    const silent = await Promise.all(Array.from({ length: 20 }, open));
    await sleep(300);
    const newcomer = await open();
    await sleep(50);
    assert.match(await say('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'), /200 OK/);
    assert.equal(silent.filter((socket) => socket.closed).length, 1);
    assert.ok(silent[0]?.closed, 'the oldest gave way');
    assert.ok(!newcomer.closed);
  });

  test(`over ${transport}: connections whose request was accepted do not give way, those that were refused do`, async (t) => {
    const handler: Handler = (request, response) => {
      response.head(request.path === '/refused' ? 401 : 200, { 'content-length': '0' });
      response.end();
    };
    const { open } = await start(t, handler, { transport, anonymousPerAddress: 2 });
    const ask = async (path: string): Promise<Socket> => {
      const socket = await open();
      socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`);
      await once(socket, 'data');
      return socket;
    };
    const accepted = [await ask('/'), await ask('/'), await ask('/')];
    const refused = [await ask('/refused'), await ask('/refused')];
    await sleep(300);
    await ask('/');
    refused.push(await ask('/refused'));
    await sleep(20);
    assert.deepEqual(
      accepted.map((socket) => socket.closed),
      [false, false, false],
    );
    assert.deepEqual(
      refused.map((socket) => socket.closed),
      [true, false, false],
    );
  });

  test(`over ${transport}: closing lets a running answer end, takes nothing new and then waits for nobody`, async (t) => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const { server, port, open } = await start(
      t,
      async (_request, response) => {
        response.head(200, {});
        response.write('begun');
        await promise;
        response.end('ended');
      },
      { transport },
    );
    const [silent, asking] = [await open(), await open()];
    let heard = '';
    asking.on('data', (bytes: Buffer) => (heard += bytes.toString()));
    asking.write('GET /a HTTP/1.1\r\nhost: a\r\n\r\n');
    await once(asking, 'data');
    const closed = server.close(60_000);
    const late = connect(port, '127.0.0.1');
    await once(late, 'error');
    resolve(undefined);
    await closed;
    assert.match(heard, /begun[^]*ended/);
    if (!silent.closed) await once(silent, 'close');
  });

  test(`over ${transport}: an answer that begins while the server closes tells that its connection does too`, async (t) => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const asked = Promise.withResolvers<undefined>();
    const { server, open } = await start(
      t,
      async (_request, response) => {
        asked.resolve(undefined);
        await promise;
        response.head(200, { 'content-length': '2' });
        response.end('ok');
      },
      { transport },
    );
    const socket = await open();
    let heard = '';
    socket.on('data', (bytes: Buffer) => (heard += bytes.toString()));
    socket.write('GET /a HTTP/1.1\r\nhost: a\r\n\r\n');
    await asked.promise;
    const closed = server.close(60_000);
    resolve(undefined);
    await closed;
    if (!socket.closed) await once(socket, 'close');
    assert.match(heard, /^HTTP\/1.1 200 [^]*\r\nconnection: close\r\n[^]*ok$/i);
  });

  test(`over ${transport}: closing cuts what outlasts its grace`, async (t) => {
    const { server, open } = await start(
      t,
      (_request, response) => {
        response.head(200, {});
        response.write('begun');
      },
      { transport },
    );
    const socket = await open();
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await once(socket, 'data');
    await server.close(50);
    if (!socket.closed) await once(socket, 'close');
  });
}
