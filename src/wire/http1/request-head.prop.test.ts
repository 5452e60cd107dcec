import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { readWithCodecServer } from '../../../test/fuzz/codec-server.ts';
import { byteByByte, cutAt } from '../../../test/fuzz/cut.ts';
import { requestStream } from '../../../test/fuzz/request-grammar.ts';
import { RequestOracle } from '../../../test/fuzz/request-oracle.ts';
import { MAX_REQUEST_HEAD_BYTES, parseRequestHead } from './request-head.ts';

const oracle = new RequestOracle();

test('a head that is accepted is one that Node reads to be the same', () => {
  let accepted = 0;
  fc.assert(
    fc.property(requestStream, (text) => {
      const end = text.indexOf('\r\n\r\n');
      const head = end === -1 ? undefined : parseRequestHead(Buffer.from(text, 'latin1'), end + 2);
      if (head === undefined) return;
      accepted += 1;
      const [first] = oracle.read({ pieces: [Buffer.from(text, 'latin1')], ending: 'open' }).messages;
      assert.ok(first, 'Node accepts it');
      assert.equal(first.method, head.method);
      assert.equal(first.target.split('?')[0], head.path);
      assert.ok(first.keepAlive);
      assert.equal(first.headers.length, head.fields.size * 2 + (head.lengthText === undefined ? 0 : 2));
      const whole = text.length - end - 4 >= head.bodyBytes;
      assert.equal(first.complete, whole);
      if (whole) assert.equal(first.body.length, head.bodyBytes);
    }),
    { numRuns: 2_000 },
  );
  assert.ok(accepted > 100, `${accepted} heads were accepted`);
});

/** What handlers see of a connection: through the codec, and through node:http behind it. */
async function seen(pieces: readonly Buffer[]): Promise<unknown[]> {
  const served = await readWithCodecServer({ pieces, ending: 'open' }, 'reads');
  const rest = served.handedOver;
  const left = rest === undefined ? [] : oracle.read({ pieces: [rest], ending: 'open' }).messages;
  return [
    ...served.requests.map(({ request, body }) => [request.method, request.path, body]),
    ...left.map((message) => [
      message.method,
      message.target.split('?')[0],
      message.complete ? message.body : undefined,
    ]),
  ];
}

test('a connection carries the same requests however its bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(requestStream, fc.array(fc.nat({ max: 400 }), { maxLength: 6 }), async (text, at) => {
      const bytes = Buffer.from(text, 'latin1');
      const whole = await seen([bytes]);
      assert.deepEqual(await seen(byteByByte(bytes)), whole);
      assert.deepEqual(await seen(cutAt(bytes, at)), whole);
    }),
    { numRuns: 200 },
  );
});

test('a head is accepted up to the limit that Node has, and not beyond', async () => {
  for (const [before, after] of [
    ['GET / HTTP/1.1\r\nHost: a\r\nX: ', '\r\n\r\n'],
    ['GET /', ' HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['GET / HTTP/1.1\r\nHost: a\r\n', ': b\r\n\r\n'],
  ] as const) {
    for (const length of [MAX_REQUEST_HEAD_BYTES, MAX_REQUEST_HEAD_BYTES + 1]) {
      const text = before + 'a'.repeat(length - before.length - after.length) + after;
      const input = { pieces: [Buffer.from(text)], ending: 'open' } as const;
      const served = await readWithCodecServer(input, 'reads');
      assert.equal(served.requests.length, length === MAX_REQUEST_HEAD_BYTES ? 1 : 0);
      if (served.requests.length === 1) assert.equal(oracle.read(input).messages.length, 1);
    }
  }
});
