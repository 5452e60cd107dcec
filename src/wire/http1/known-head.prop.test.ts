import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseRequestHead, RequestHeads } from './request-head.ts';
import { parseResponseHead, ResponseHeads } from './response-head.ts';

/** Mostly the first of some texts. */
function mostly(...texts: readonly [string, ...string[]]): fc.Arbitrary<string> {
  return fc.oneof({ weight: 6, arbitrary: fc.constant(texts[0]) }, fc.constantFrom(...texts));
}

/** Heads that resemble each other, valid and not. */
function heads(...firstLines: readonly [string, ...string[]]): fc.Arbitrary<readonly Buffer[]> {
  const odd = mostly('0', '', '07', '+1', '1 ', ' 1', '1\r\nX: 2', '1, 1', '9'.repeat(16));
  const head = fc
    .tuple(
      mostly(...firstLines),
      mostly('Content-Length: ', 'content-length: ', 'content-length:', 'X-Content-Length: ', ''),
      fc.oneof({ weight: 6, arbitrary: fc.nat({ max: 2 }).map(String) }, odd),
      mostly('\r\n', '\r\nY: z\r\n', '\r\nContent-Length: 1\r\n', '\r\nTransfer-Encoding: chunked\r\n'),
    )
    .map((parts) => Buffer.from(`${parts.join('')}\r\n`, 'latin1'));
  return fc.array(head, { minLength: 2, maxLength: 12 });
}

/** Reads a head as the connection does that read the ones before it, and alone; tells whether it was known. */
type Reading = (bytes: Buffer, index: number) => boolean;

/** How many heads of many connections were known from the one before; `begin` makes a connection. */
function readAll(
  firstLines: readonly [string, ...string[]],
  begin: (toHeads: readonly number[]) => Reading,
): number {
  let known = 0;
  fc.assert(
    fc.property(heads(...firstLines), fc.array(fc.nat({ max: 9 })), (list, toHeads) => {
      const read = begin(toHeads);
      known += list.filter(read).length;
    }),
    { numRuns: 2_000 },
  );
  return known;
}

test('the heads of the requests of one connection are read as each would be alone', () => {
  const known = readAll(
    [
      'POST / HTTP/1.1\r\nHost: a\r\n',
      'POST /a HTTP/1.1\r\nHost: a\r\n',
      'GET /a HTTP/1.1\r\nHost: a\r\n',
      'POST /b?c HTTP/1.1\r\nHost: b\r\n',
    ],
    () => {
      const reader = new RequestHeads();
      let last: unknown;
      return (bytes) => {
        const head = reader.read(bytes, bytes.length - 2);
        assert.deepEqual(head, parseRequestHead(bytes, bytes.length - 2));
        const isKnown = head !== undefined && head.fields === last;
        last = head?.fields;
        return isKnown;
      };
    },
  );
  assert.ok(known > 1_000, `${known} heads were known`);
});

test('the heads of the responses of one connection are read as each would be alone', () => {
  const known = readAll(
    [
      'HTTP/1.1 200 OK\r\n',
      'HTTP/1.1 204 No Content\r\n',
      'HTTP/1.0 200 OK\r\n',
      'HTTP/1.1 200 OK\r\nConnection: close\r\n',
    ],
    (toHeads) => {
      const reader = new ResponseHeads();
      let last: unknown;
      return (bytes, index) => {
        const toHead = toHeads.includes(index);
        const head = reader.read(bytes, bytes.length - 2, toHead);
        assert.deepEqual(head, parseResponseHead(bytes, bytes.length - 2, toHead));
        const isKnown = head !== undefined && head === last;
        last = head;
        return isKnown;
      };
    },
  );
  assert.ok(known > 50, `${known} heads were known`);
});
