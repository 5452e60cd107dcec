import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ResponseReader } from './response-reader.ts';

type Outcome = {
  readonly heads: readonly string[];
  readonly body: string;
  readonly refusal: string;
  readonly complete: boolean;
  /** What was not taken after the response. */
  readonly rest: string;
};

/** Reads one response that arrives in pieces, out of one buffer that also holds old bytes. */
function read(
  pieces: readonly string[],
  options: { readonly toHead?: boolean; readonly ends?: boolean } = {},
): Outcome {
  const heads: string[] = [];
  let body = '';
  const reader = new ResponseReader({
    onInterim: () => heads.push('interim'),
    onHead: (status, headers) => heads.push(`${status} ${JSON.stringify(headers)}`),
    onBody: (bytes, from, to) => {
      body += bytes.toString('latin1', from, to);
    },
  });
  reader.begin(options.toHead === true);
  const buffer = Buffer.alloc(128 * 1024, '\r\n\r\n');
  let rest = '';
  for (const piece of pieces) {
    buffer.write(piece, 'latin1');
    const taken = reader.refusal === '' ? reader.read(buffer, piece.length) : piece.length;
    if (reader.complete) rest += piece.slice(taken);
  }
  const complete = options.ends === true ? reader.end() : reader.complete;
  return { heads, body, refusal: reader.refusal, complete, rest };
}

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n';

test('interim responses come before the head, and what follows the body is left', () => {
  assert.deepEqual(
    read([`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: x\r\n\r\n${HEAD}abcHTTP`]),
    {
      heads: ['interim', 'interim', '200 {"content-length":"3"}'],
      body: 'abc',
      refusal: '',
      complete: true,
      rest: 'HTTP',
    },
  );
});

test('a body without a length ends with its connection, and only such a one', () => {
  assert.equal(read(['HTTP/1.1 200 OK\r\n\r\nabc'], { ends: true }).complete, true);
  assert.equal(read(['HTTP/1.1 200 OK\r\n\r\nabc']).complete, false);
  assert.equal(read([`${HEAD}ab`], { ends: true }).complete, false);
  assert.equal(
    read(['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n'], { ends: true }).complete,
    false,
  );
  assert.equal(read(['HTTP/1.1 200 OK\r\ncontent-length: 0\r\n'], { ends: true }).complete, false);
  assert.equal(read([], { ends: true }).complete, false);
});

test('the answer to a HEAD has no body', () => {
  const outcome = read([`${HEAD}abc`], { toHead: true });
  assert.deepEqual([outcome.complete, outcome.body, outcome.rest], [true, '', 'abc']);
});

test('an upgrade is refused', () => {
  assert.match(read(['HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n']).refusal, /nobody asked for/);
});

test('another protocol is refused by its first bytes', () => {
  for (const bytes of ['S', 'SSH-2.0', '\r\nHTTP/1.1', '\u0015\u0003\u0001', 'HTTP/2', 'HTT ']) {
    assert.match(read([bytes]).refusal, /malformed HTTP/, bytes);
    assert.match(read(bytes.split('')).refusal, /malformed HTTP/, bytes);
  }
  assert.equal(read(['H', 'T', 'TP', '/1']).refusal, '');
});

test('a head over 64 KiB is refused, whole or as it grows', () => {
  const large = `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(64 * 1024)}\r\n\r\n`;
  assert.match(read([large]).refusal, /64 KiB/);
  assert.match(read([large.slice(0, 40_000), large.slice(40_000, -4)]).refusal, /64 KiB/);
  assert.match(read(['HTTP/1.1 200 OK\r\n', ...Array.from({ length: 70_000 }, () => 'x')]).refusal, /64 KiB/);
});

test('bytes of an earlier read are never taken for the end of a head', () => {
  assert.equal(read(['HTTP/1.1 200 OK\r\n']).complete, false);
  assert.deepEqual(read(['HTTP/1.1 200 OK\r\n']).heads, []);
});

const CORPUS = [
  HEAD,
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n',
  'HTTP/1.0 200 OK\r\n\r\n',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 200 OK\r\nx: ',
  'abc',
  '3\r\nabc\r\n',
  '0\r\n\r\n',
  '\r\n\r\n',
  '\r',
  '\n',
  'H',
];

test('bytes mean the same however they are cut', () => {
  const places = fc.array(fc.nat(), { maxLength: 8 });
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...CORPUS), { maxLength: 6 }),
      places,
      fc.boolean(),
      (parts, at, ends) => {
        const text = parts.join('');
        const cuts = [...at.map((place) => place % (text.length + 1)), text.length].toSorted((a, b) => a - b);
        const pieces = cuts.map((end, index) => text.slice(cuts[index - 1] ?? 0, end));
        const whole = read([text], { ends });
        assert.deepEqual(read(text.split(''), { ends }), whole);
        assert.deepEqual(read(pieces, { ends }), whole);
      },
    ),
  );
});
