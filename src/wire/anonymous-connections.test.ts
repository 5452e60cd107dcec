import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AnonymousConnections } from './anonymous-connections.ts';

/** As long as whoever has begun to speak has. */
const SILENT_MS = 250;

async function crowd(t: TestContext, anonymous: AnonymousConnections, count: number): Promise<Socket[]> {
  const server = createServer((socket) => anonymous.add(socket.on('error', () => socket.destroy())));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A listening TCP server has an address of this form.
  const { port } = server.address() as AddressInfo;
  const clients = Array.from({ length: count }, () => connect(port, '127.0.0.1').resume());
  await Promise.all(clients.map((client) => once(client, 'connect')));
  t.after(() => {
    for (const client of clients) client.destroy();
    server.close();
  });
  return clients;
}

const open = (clients: readonly Socket[]): number => clients.filter((client) => !client.closed).length;

for (const [what, limit, limitPerAddress] of [
  ['in all', 3, 100],
  ['from one address', 100, 3],
] as const) {
  test(`a burst past the limit ${what} comes down to as many as may stay, without another one`, async (t) => {
    const clients = await crowd(
      t,
      new AnonymousConnections({ limit, limitPerAddress, silentMs: SILENT_MS }),
      20,
    );
    for (let waited = 0; open(clients) > 3 && waited < 5_000; waited += 50) await sleep(50);
    assert.equal(open(clients), 3);
    assert.ok(
      clients.slice(-3).every((client) => !client.closed),
      'the newest stay',
    );
  });
}

test('who has spoken is not dropped with the burst', async (t) => {
  const anonymous = new AnonymousConnections({ limit: 100, limitPerAddress: 2, silentMs: SILENT_MS });
  const sockets: Socket[] = [];
  const add = anonymous.add.bind(anonymous);
  anonymous.add = (socket) => {
    sockets.push(socket);
    add(socket);
  };
  const clients = await crowd(t, anonymous, 10);
  for (let waited = 0; sockets.length < 10 && waited < 5_000; waited += 5) await sleep(5);
  for (const socket of sockets.slice(0, 5)) anonymous.delete(socket);
  for (let waited = 0; open(clients) > 7 && waited < 5_000; waited += 50) await sleep(50);
  await sleep(300);
  assert.equal(open(clients), 7);
});

test('a loop that was held up reads what has come before it drops anybody', async (t) => {
  const anonymous = new AnonymousConnections({ limit: 100, limitPerAddress: 2, silentMs: SILENT_MS });
  const add = anonymous.add.bind(anonymous);
  const accepted: Socket[] = [];
  const heard: Socket[] = [];
  anonymous.add = (socket) => {
    add(socket);
    accepted.push(socket);
    socket.once('data', () => {
      heard.push(socket);
      anonymous.delete(socket);
    });
  };
  const clients = await crowd(t, anonymous, 20);
  for (let waited = 0; accepted.length < 20 && waited < 1_000; waited += 1) await sleep(1);
  // Behind the poll of this turn: what is written now is read in the next.
  await new Promise((resolve) => setImmediate(resolve));
  for (const client of clients) client.write('GET / HTTP/1.1');
  const heldUntil = performance.now() + 600;
  while (performance.now() < heldUntil);
  for (let waited = 0; heard.length < 20 && waited < 1_000; waited += 10) await sleep(10);
  assert.equal(heard.length, 20);
  await sleep(300);
  assert.equal(open(clients), 20);
});

test('who is yet to say its first word is waited for, who stops in the middle of a head is not', async (t) => {
  const anonymous = new AnonymousConnections({ limit: 100, limitPerAddress: 4, silentMs: 60_000 });
  const clients = await crowd(t, anonymous, 20);
  for (const client of clients.slice(10)) client.write('GET / HT');
  for (let waited = 0; open(clients) > 10 && waited < 5_000; waited += 50) await sleep(50);
  await sleep(200);
  assert.deepEqual(
    clients.map((client) => client.closed),
    clients.map((_, index) => index >= 10),
  );
});

test('a crowd that is many times the limit is not waited for', async (t) => {
  const clients = await crowd(
    t,
    new AnonymousConnections({ limit: 2, limitPerAddress: 100, silentMs: 60_000 }),
    40,
  );
  for (let waited = 0; open(clients) > 16 && waited < 5_000; waited += 50) await sleep(50);
  assert.ok(open(clients) <= 16);
});
