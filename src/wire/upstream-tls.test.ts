import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { testOnBoth } from '../../test/asking.ts';
import type { OnTransport } from '../../test/asking.ts';
import { EXPIRED, MISNAMED, TEST_KEY, TRUSTED } from '../../test/certificates.ts';
import { createUpstreamClient } from './upstream-client.ts';
import { REMOTE_CLOCKS } from './upstream.ts';
import type { UpstreamClient } from './upstream.ts';

type Ask = () => Promise<string>;

/** Asks an HTTPS server that shows `certificate`, trusting that certificate unless told otherwise. */
async function startTls(
  { t, transport }: OnTransport,
  certificate: string,
  trusted?: string,
): Promise<{ ask: Ask; seen: string[] }> {
  const seen: string[] = [];
  const server = createServer({ key: TEST_KEY, cert: certificate }, (request, response) => {
    seen.push(request.headers.host ?? '');
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = createUpstreamClient({
    transport,
    ...(trusted === undefined ? {} : { certificates: trusted }),
  });
  t.after(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const origin = `https://localhost:${port}`;
  const ask = async (): Promise<string> => {
    const headers = { authorization: 'Bearer secret' };
    const response = await client.request({
      origin,
      path: '/',
      method: 'GET',
      headers,
      clocks: REMOTE_CLOCKS,
    });
    return (await response.bytes(100)).toString();
  };
  return { ask, seen };
}

testOnBoth(
  'an upstream with a trusted certificate is asked over TLS, again on the same connection',
  async (on) => {
    const { ask, seen } = await startTls(on, TRUSTED, TRUSTED);
    assert.deepEqual([await ask(), await ask()], ['{}', '{}']);
    assert.match(seen[0] ?? '', /^localhost:\d+$/);
  },
);

for (const { name, certificate, trusted, reason } of [
  { name: 'an expired certificate', certificate: EXPIRED, trusted: EXPIRED, reason: /CERT_HAS_EXPIRED/ },
  {
    name: 'a certificate for another name',
    certificate: MISNAMED,
    trusted: MISNAMED,
    reason: /ERR_TLS_CERT_ALTNAME_INVALID/,
  },
  {
    name: 'a certificate nobody vouches for',
    certificate: TRUSTED,
    trusted: undefined,
    reason: /SELF_SIGNED.*NODE_EXTRA_CA_CERTS/,
  },
]) {
  testOnBoth(`${name} is refused with its reason, and the key is not sent`, async (on) => {
    const { ask, seen } = await startTls(on, certificate, trusted);
    await assert.rejects(ask(), { code: 'upstream_invalid', message: reason });
    assert.deepEqual(seen, []);
  });
}

/** Asks a raw TLS server that names itself `localhost` and does `serve` with every connection. */
async function startRawTls(
  { t, transport }: OnTransport,
  serve: (socket: TLSSocket) => void,
): Promise<{ client: UpstreamClient; origin: string; names: (string | undefined)[]; reused: boolean[] }> {
  const names: (string | undefined)[] = [];
  const reused: boolean[] = [];
  const sockets = new Set<TLSSocket>();
  const server = createTlsServer(
    {
      key: TEST_KEY,
      cert: TRUSTED,
      SNICallback: (name, callback) => {
        names.push(name);
        callback(null);
      },
    },
    (socket) => {
      sockets.add(socket.on('error', () => socket.destroy()));
      reused.push(socket.isSessionReused());
      serve(socket);
    },
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = createUpstreamClient({ transport, certificates: TRUSTED, tickMs: 5 });
  t.after(async () => {
    await client.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { client, origin: `https://localhost:${port}`, names, reused };
}

const plain = { path: '/', method: 'GET', headers: {}, clocks: REMOTE_CLOCKS } as const;

testOnBoth(
  'the server is told which name is meant, and a later connection resumes the session',
  async (on) => {
    const { client, origin, names, reused } = await startRawTls(on, (socket) => {
      socket.once('data', () =>
        socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}'),
      );
    });
    for (let turn = 0; turn < 2; turn += 1) {
      assert.equal((await (await client.request({ ...plain, origin })).bytes(10)).toString(), '{}');
    }
    // A server that resumes a session does not ask again.
    assert.deepEqual(names, ['localhost']);
    assert.deepEqual(reused, [false, true]);
  },
);

testOnBoth(
  'an answer over TLS waits for its reader and loses nothing, though its server has closed',
  async (on) => {
    const body = 'x'.repeat(2_000_000);
    const { client, origin } = await startRawTls(on, (socket) => {
      socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\n\r\n${body}`));
    });
    const response = await client.request({ ...plain, origin });
    await sleep(50);
    assert.equal((await response.bytes(body.length)).length, body.length);
  },
);

testOnBoth('a connection over TLS whose answer had to wait is used again', async (on) => {
  const body = 'x'.repeat(500_000);
  const { client, origin, reused } = await startRawTls(on, (socket) => {
    socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`));
  });
  for (let turn = 0; turn < 3; turn += 1) {
    const response = await client.request({ ...plain, origin });
    await sleep(20);
    assert.equal((await response.bytes(body.length)).length, body.length);
  }
  assert.equal(reused.length, 1);
});

testOnBoth('a body is streamed over TLS at the upstream’s pace', async ({ t, transport }) => {
  const server = createServer({ key: TEST_KEY, cert: TRUSTED }, (request, response) => {
    const hash = createHash('sha256');
    request.on('data', (piece: Buffer) => {
      hash.update(piece);
      request.pause();
      setImmediate(() => request.resume());
    });
    request.on('end', () => response.end(hash.digest('hex')));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = createUpstreamClient({ transport, certificates: TRUSTED });
  t.after(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
  });
  const expected = createHash('sha256');
  const body = {
    bytes: 64 * 65_537,
    async *open() {
      for (let index = 0; index < 64; index += 1) {
        const piece = Buffer.alloc(65_537, index);
        expected.update(piece);
        await Promise.resolve();
        yield piece;
      }
    },
  };
  const { port } = server.address() as AddressInfo;
  const origin = `https://localhost:${port}`;
  const asked = { origin, path: '/', method: 'POST', headers: {}, body, clocks: REMOTE_CLOCKS } as const;
  const answer = await (await client.request(asked)).bytes(100);
  assert.equal(answer.toString(), expected.digest('hex'));
});
