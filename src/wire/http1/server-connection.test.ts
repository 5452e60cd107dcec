import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Handler } from '../http.ts';
import { createNodeServer } from '../node-server.ts';
import type { ServerLimits } from '../node-server.ts';

/** A connection to a server whose codec answers paths below `/hot`. */
type Wire = {
  readonly socket: Socket;
  /** What has come back so far. */
  heard(): string;
  /** Resolves once what came back holds `text`. */
  hears(text: string): Promise<void>;
};

async function start(t: TestContext, handler: Handler, limits: ServerLimits = {}): Promise<Wire> {
  const server = createNodeServer({
    handler,
    limits,
    onError: (error) => assert.fail(String(error)),
    codecServes: (_method, path) => path.startsWith('/hot'),
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect(port, '127.0.0.1').on('error', () => socket.destroy());
  t.after(async () => {
    socket.destroy();
    await server.close(0);
  });
  await once(socket, 'connect');
  let heard = '';
  socket.on('data', (bytes: Buffer) => (heard += bytes.toString('latin1')));
  const hears = async (text: string): Promise<void> => {
    while (!heard.includes(text)) await once(socket, 'data', { signal: AbortSignal.timeout(5_000) });
  };
  return { socket, heard: () => heard, hears };
}

/** Answers with the path and the length of the body, at once. */
const echo: Handler = async (request, response) => {
  const body = await request.body(10_000_000);
  const text = `${request.path} ${String(body.length)} ${body.toString('latin1').slice(-4)};`;
  response.head(200, { 'content-type': 'text/plain', 'content-length': String(text.length) });
  response.end(text);
};

function post(path: string, body: string, more = ''): string {
  return `POST ${path} HTTP/1.1\r\nhost: a\r\n${more}content-length: ${String(body.length)}\r\n\r\n${body}`;
}

test('one connection carries one request after the other', async (t) => {
  const { socket, hears } = await start(t, echo);
  for (const path of ['/hot/1', '/hot/2', '/hot/3']) {
    socket.write(post(path, 'body'));
    await hears(`${path} 4 body;`);
  }
});

test('a connection goes to node:http with its first unusual request, and stays there', async (t) => {
  const { socket, hears, heard } = await start(t, echo);
  socket.write(post('/hot/1', 'abcd'));
  await hears('/hot/1 4 abcd;');
  socket.write('POST /hot/2 HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n');
  await hears('/hot/2 3 xyz;');
  socket.write('GET /cold HTTP/1.1\r\nhost: a\r\n\r\n');
  await hears('/cold 0 ;');
  socket.write(post('/hot/3', 'last'));
  await hears('/hot/3 4 last;');
  assert.equal(heard().match(/HTTP\/1\.1 200 OK/g)?.length, 4);
});

test('a head that comes in pieces and a body of many reads are served', async (t) => {
  const { socket, hears } = await start(t, echo);
  const pieces = post('/hot/1', 'in pieces');
  socket.write(pieces.slice(0, 20));
  await sleep(20);
  socket.write(pieces.slice(20));
  await hears('/hot/1 9 eces;');
  const second = await start(t, echo);
  second.socket.write(post('/hot/2', `${'x'.repeat(3_000_000)}tail`));
  await second.hears('/hot/2 3000004 tail;');
});

test('pipelined requests are answered in order, also hundreds of them in one read', async (t) => {
  const answerAtOnce: Handler = (request, response) => {
    response.head(200, { 'content-length': String(request.query.length) });
    response.end(request.query);
  };
  const { socket, heard, hears } = await start(t, answerAtOnce);
  const count = 900;
  const wanted = Array.from({ length: count }, (_, index) => `<${String(index)}>`);
  socket.write(wanted.map((mark) => `GET /hot?${mark} HTTP/1.1\r\nhost: a\r\n\r\n`).join(''));
  await hears(`<${String(count - 1)}>`);
  assert.deepEqual(heard().match(/<\d+>/g), wanted);
});

test('requests wait while one is being answered, whoever serves them', async (t) => {
  const { promise: released, resolve: release } = Promise.withResolvers<undefined>();
  const handler: Handler = async (request, response) => {
    if (request.path === '/hot/slow') await released;
    response.head(200, {});
    response.end(`${request.path};`);
  };
  const { socket, heard, hears } = await start(t, handler);
  socket.write(
    `GET /hot/slow HTTP/1.1\r\nhost: a\r\n\r\n${post('/hot/next', 'x')}GET /cold HTTP/1.1\r\nhost: a\r\n\r\n`,
  );
  await sleep(30);
  assert.equal(heard(), '');
  release(undefined);
  await hears('/cold;');
  assert.deepEqual(heard().match(/\/\w+(?:\/\w+)?;/g), ['/hot/slow;', '/hot/next;', '/cold;']);
});

test('the rest of a body that nobody reads is dropped, and the next request is answered', async (t) => {
  const refuse: Handler = (request, response) => {
    response.head(403, { 'content-length': '2' });
    response.end(request.path === '/hot/1' ? 'no' : 'go');
  };
  const { socket, hears } = await start(t, refuse);
  const body = 'x'.repeat(500_000);
  socket.write(post('/hot/1', body));
  await hears('no');
  socket.write(post('/hot/2', ''));
  await hears('go');
});

test('a body over the limit is refused while it arrives', async (t) => {
  const handler: Handler = async (request, response) => {
    await assert.rejects(async () => request.body(1_000), { code: 'payload_too_large' });
    response.head(413, { 'content-length': '5' });
    response.end('large');
  };
  const { socket, hears } = await start(t, handler);
  socket.write('POST /hot HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\nabc');
  await hears('large');
});

test('a stream leaves piece by piece, its head before the first', async (t) => {
  const { promise: released, resolve: release } = Promise.withResolvers<undefined>();
  const handler: Handler = async (_request, response) => {
    response.head(200, { 'content-type': 'text/event-stream' });
    await released;
    response.write('ä');
    response.write(Buffer.from('two'));
    response.end(Buffer.alloc(70_000, 'z'));
  };
  const { socket, heard, hears } = await start(t, handler);
  socket.write('GET /hot HTTP/1.1\r\nhost: a\r\n\r\n');
  await hears('\r\n\r\n');
  assert.match(heard(), /transfer-encoding: chunked\r\n/);
  release(undefined);
  await hears('0\r\n\r\n');
  const body = heard().slice(heard().indexOf('\r\n\r\n') + 4);
  assert.equal(body, `2\r\n\u00C3\u00A4\r\n3\r\ntwo\r\n11170\r\n${'z'.repeat(70_000)}\r\n0\r\n\r\n`);
});

test('a connection without a request is closed after its time, one between requests after another', async (t) => {
  const silent = await start(t, echo, { headersMs: 100, keepAliveMs: 60_000 });
  await once(silent.socket, 'close');
  const idle = await start(t, echo, { headersMs: 60_000, keepAliveMs: 100 });
  idle.socket.write(post('/hot', 'x'));
  await once(idle.socket, 'close');
  assert.match(idle.heard(), /\/hot 1 x;$/);
});

test('a response of another length than it declares cuts the connection', async (t) => {
  const lie: Handler = (_request, response) => {
    response.head(200, { 'content-length': '10' });
    response.end('short');
  };
  const { socket } = await start(t, lie);
  socket.write('GET /hot HTTP/1.1\r\nhost: a\r\n\r\n');
  await once(socket, 'close');
});

test('a header that would forge another is an error, not a header', async (t) => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const forge: Handler = (_request, response) => {
    try {
      response.head(200, { 'x-name': 'a\r\nset-cookie: b' });
    } catch (error) {
      resolve(error);
    }
    response.destroy();
  };
  const { socket } = await start(t, forge);
  socket.write('GET /hot HTTP/1.1\r\nhost: a\r\n\r\n');
  assert.match(String(await promise), /x-name/);
});

test('what is written in one turn leaves together, and before the connection is destroyed', async (t) => {
  const { socket, heard } = await start(t, (_request, response) => {
    response.head(200, { 'content-type': 'text/plain' });
    response.write('one');
    response.write('two');
    response.destroy();
  });
  const pieces: number[] = [];
  socket.on('data', (bytes: Buffer) => pieces.push(bytes.length));
  socket.write(post('/hot/1', ''));
  await once(socket, 'close');
  assert.match(heard(), /\r\n\r\n3\r\none\r\n3\r\ntwo\r\n$/);
  assert.equal(pieces.length, 1);
});

test('whoever writes on and on in one turn is told to wait', async (t) => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const { socket } = await start(t, (_request, response) => {
    response.head(200, { 'content-type': 'text/plain' });
    const piece = Buffer.alloc(16 * 1024);
    let pieces = 0;
    while (pieces < 10_000 && response.write(piece)) pieces += 1;
    resolve(pieces);
    response.destroy();
  });
  socket.pause();
  socket.write(post('/hot/1', ''));
  assert.ok((await promise) < 1_000);
});

test('whoever sends no more after its request still gets an answer of the same turn', async (t) => {
  const { socket, heard } = await start(t, (_request, response) => {
    response.head(200, { 'content-length': '2' });
    response.end('ok');
  });
  socket.end(post('/hot/1', ''));
  await once(socket, 'close');
  assert.match(heard(), /\r\n\r\nok$/);
});

/** Answers once `released`, and says when the client has gone. */
function held(released: Promise<undefined>, onGone: () => void): Handler {
  return async (request, response) => {
    request.onGone(onGone);
    await released;
    response.head(200, { 'content-length': '4' });
    response.end('held');
  };
}

test('a client that sends on behind its running request and leaves is seen to leave', async (t) => {
  const { promise: gone, resolve } = Promise.withResolvers<undefined>();
  const { socket } = await start(
    t,
    held(new Promise(() => {}), () => resolve(undefined)),
  );
  socket.write(post('/hot/1', 'x') + post('/hot/2', 'y'.repeat(2_000_000)));
  await sleep(50);
  socket.destroy();
  const late = sleep(2_000, 'late', { ref: false });
  assert.equal(await Promise.race([gone, late]), undefined);
});

test('a client that sends too much behind its running request gets that answer whole, and no other', async (t) => {
  const { promise: released, resolve: release } = Promise.withResolvers<undefined>();
  const { socket, heard } = await start(
    t,
    held(released, () => {}),
  );
  socket.write(post('/hot/1', 'x') + post('/hot/2', 'y'.repeat(2_000_000)));
  await sleep(50);
  release(undefined);
  await once(socket, 'close');
  assert.match(heard(), /^HTTP\/1\.1 200 OK\r\n[^]*connection: close\r\n[^]*\r\n\r\nheld$/);
});

test('a client that never stops sending behind its running request is cut', async (t) => {
  const { promise: gone, resolve } = Promise.withResolvers<undefined>();
  const { socket } = await start(
    t,
    held(new Promise(() => {}), () => resolve(undefined)),
  );
  socket.write(post('/hot/1', 'x'));
  const piece = Buffer.alloc(1024 * 1024, 'y');
  const send = (): void => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', send);
  send();
  const late = sleep(10_000, 'late', { ref: false });
  assert.equal(await Promise.race([gone, late]), undefined);
});
