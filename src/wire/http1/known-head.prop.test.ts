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

test('the heads of the requests of one connection are read as each would be alone', () => {
  const lines = [
    'POST /a HTTP/1.1\r\nHost: a\r\n',
    'GET /a HTTP/1.1\r\nHost: a\r\n',
    'POST /b?c HTTP/1.1\r\nHost: b\r\n',
  ];
  let known = 0;
  fc.assert(
    fc.property(heads('POST / HTTP/1.1\r\nHost: a\r\n', ...lines), (list) => {
      const reader = new RequestHeads();
      let last: unknown;
      for (const bytes of list) {
        const head = reader.read(bytes, bytes.length - 2);
        assert.deepEqual(head, parseRequestHead(bytes, bytes.length - 2));
        if (head !== undefined && head.fields === last) known += 1;
        last = head?.fields;
      }
    }),
    { numRuns: 2_000 },
  );
  assert.ok(known > 1_000, `${known} heads were known`);
});

test('the heads of the responses of one connection are read as each would be alone', () => {
  const lines = [
    'HTTP/1.1 204 No Content\r\n',
    'HTTP/1.0 200 OK\r\n',
    'HTTP/1.1 200 OK\r\nConnection: close\r\n',
  ];
  let known = 0;
  fc.assert(
    fc.property(heads('HTTP/1.1 200 OK\r\n', ...lines), fc.array(fc.nat({ max: 9 })), (list, toHeads) => {
      const reader = new ResponseHeads();
      let last: unknown;
      list.forEach((bytes, index) => {
        const toHead = toHeads.includes(index);
        const head = reader.read(bytes, bytes.length - 2, toHead);
        assert.deepEqual(head, parseResponseHead(bytes, bytes.length - 2, toHead));
        if (head !== undefined && head === last) known += 1;
        last = head;
      });
    }),
    { numRuns: 2_000 },
  );
  assert.ok(known > 50, `${known} heads were known`);
});
