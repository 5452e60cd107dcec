import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import type { ClientRequest } from 'node:http';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import { openFleet } from '../../../test/fleet-house.ts';
import type { FleetHouse } from '../../../test/fleet-house.ts';
import { eventually } from '../../../test/eventually.ts';

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const WEIGHTS = Buffer.from(`GGUF${'w'.repeat(3_000_000)}`);
const DIGEST = digestOf(WEIGHTS);

type Door = FleetHouse & {
  send(method: string, path: string, body?: object): Promise<{ status: number; error: string }>;
  /** Begins an upload, whose bytes the test writes. */
  begin(path: string): ClientRequest;
};

async function door(context: TestContext, hosts: number): Promise<Door> {
  const house = await openFleet(context, {
    hosts: Array.from({ length: hosts }, () => ({})),
    more: 'general_settings: {master_key: sk-master-0123456789}',
  });
  const headers = { authorization: 'Bearer sk-master-0123456789' };
  return {
    ...house,
    async send(method, path, body) {
      const isSent = body instanceof Uint8Array || body instanceof ReadableStream;
      const response = await fetch(house.url + path, {
        method,
        headers,
        ...(body === undefined ? {} : { body: isSent ? body : JSON.stringify(body), duplex: 'half' }),
      });
      const text = await response.text();
      return { status: response.status, error: text.startsWith('{') ? JSON.parse(text).error : text };
    },
    begin: (path) => request(house.url + path, { method: 'POST', headers }).on('error', () => undefined),
  };
}

test('a file is handed on to the host, with a length and without', async (context) => {
  const { send, servers } = await door(context, 1);
  const path = `/api/blobs/${DIGEST}`;
  assert.equal((await send('HEAD', path)).status, 404);
  assert.deepEqual(await send('POST', path, WEIGHTS), { status: 201, error: '' });
  assert.equal((await send('HEAD', path)).status, 200);
  assert.equal((await send('POST', path, WEIGHTS)).status, 200);
  const more = Buffer.concat([WEIGHTS, WEIGHTS]);
  const stream = new Blob([more]).stream();
  assert.equal((await send('POST', `/api/blobs/${digestOf(more)}`, stream)).status, 201);
  const received = servers[0]?.requests.filter(({ method }) => method === 'POST') ?? [];
  assert.deepEqual(
    received.map(({ bytes, headers }) => [bytes, headers['content-length'], headers['transfer-encoding']]),
    [
      [WEIGHTS.length, `${WEIGHTS.length}`, undefined],
      [more.length, undefined, 'chunked'],
    ],
  );
  assert.equal(received[0]?.headers['authorization'], undefined, 'the key stays here');
});

test('what is no digest, or that of other bytes, is refused in Ollama’s words', async (context) => {
  const { send, servers } = await door(context, 1);
  for (const name of ['sha256:ab', `sha256:${'AB'.repeat(32)}`, `..%2f..%2f${DIGEST}`, `${DIGEST}%0d%0a`]) {
    assert.deepEqual(await send('POST', `/api/blobs/${name}`, WEIGHTS), {
      status: 400,
      error: 'invalid digest format: write sha256: and 64 hexadecimal digits in lower case',
    });
    assert.equal((await send('HEAD', `/api/blobs/${name}`)).status, 400);
  }
  const wrong = await send('POST', `/api/blobs/sha256:${'0'.repeat(64)}`, WEIGHTS);
  assert.equal(wrong.status, 400);
  assert.match(wrong.error, /digest mismatch, expected "sha256:0000/);
  assert.equal(servers[0]?.blobs.size, 0);
});

test('who leaves in the middle of an upload is gone for the host at once, and nothing is kept', async (context) => {
  const { begin, send, servers } = await door(context, 1);
  const [server] = servers;
  assert.ok(server);
  const upload = begin(`/api/blobs/${DIGEST}`);
  upload.setHeader('content-length', WEIGHTS.length);
  upload.write(WEIGHTS.subarray(0, 1_000_000));
  await eventually(() => assert.ok(server.receiving() === 1_000_000));
  upload.destroy();
  // The clocks of an upload would leave the host after minutes.
  await eventually(() => assert.equal(server.receiving(), 0));
  assert.equal(server.blobs.size, 0);
  const ended = /requests_total\{[^}]*blobs[^}]*outcome="client_gone"[^}]*\} 1/;
  await eventually(async () => assert.match((await send('GET', '/metrics')).error, ended));
});

test('a host that fails in the middle is told to the client, which still sends', async (context) => {
  const { begin, servers } = await door(context, 1);
  const upload = begin(`/api/blobs/${DIGEST}`);
  const answered = new Promise<number | undefined>((resolve) =>
    upload.on('response', (response) => resolve(response.statusCode)),
  );
  upload.write(WEIGHTS);
  await eventually(() => assert.ok((servers[0]?.receiving() ?? 0) > 0));
  await servers[0]?.kill();
  assert.equal(await answered, 502);
  upload.destroy();
});

test('a model is made where its files are', async (context) => {
  const { send, servers, obelisk } = await door(context, 2);
  const [a, b] = servers;
  assert.ok(a && b);
  const order = { model: 'mine', files: { 'model/mine.gguf': DIGEST }, stream: false };
  const early = await send('POST', '/api/create', order);
  assert.equal(early.status, 400);
  assert.match(early.error, /^a does not have sha256:.*POST \/api\/blobs/);
  assert.equal((await send('POST', `/api/blobs/${DIGEST}?host=b`, WEIGHTS)).status, 201);
  assert.deepEqual([a.blobs.size, b.blobs.size], [0, 1]);
  assert.equal((await send('POST', '/api/create', order)).status, 200);
  assert.deepEqual([a.models.size, b.models.size], [0, 1]);
  assert.equal((await send('POST', '/api/show', { model: 'mine' })).status, 200, 'it is there at once');
  assert.deepEqual(b.sent('/api/create')[0]?.['files'], order.files);
  assert.equal((await send('POST', '/api/create?host=a', { ...order, model: 'other' })).status, 400);
  assert.equal((await send('POST', `/api/blobs/${DIGEST}?host=c`, WEIGHTS)).status, 404);
  assert.equal((await send('POST', `/api/blobs/${DIGEST}`, WEIGHTS)).status, 201);
  assert.deepEqual([a.blobs.size, b.blobs.size], [1, 1], 'without a host it goes to the first');
  const adapted = { model: 'adapted', from: 'mine', adapters: { 'a.gguf': DIGEST }, stream: false };
  assert.equal((await send('POST', '/api/create', adapted)).status, 200);
  assert.deepEqual(b.sent('/api/create').at(-1)?.['adapters'], adapted.adapters);
  // The one that was told to be made where its files are not.
  const jobs = (await obelisk.control()).jobs();
  assert.deepEqual(
    [...new Set(jobs.map(({ host, state }) => `${state} on ${host}`))],
    ['done on b', 'failed on a'],
  );
});

test('files have places inside the model, and stand for themselves', async (context) => {
  const { send } = await door(context, 1);
  const make = (more: object) => send('POST', '/api/create', { model: 'mine', stream: false, ...more });
  for (const name of ['../a', '/a', 'a//b', './a', '']) {
    const { status, error } = await make({ files: { [name]: DIGEST } });
    assert.deepEqual([status, error.includes('relative paths')], [400, true], name);
  }
  assert.match((await make({ files: { a: 'sha256:1' } })).error, /64 hexadecimal/);
});
