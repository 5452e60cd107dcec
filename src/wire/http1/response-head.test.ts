import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseResponseHead } from './response-head.ts';
import type { ResponseHead } from './response-head.ts';

const parse = (lines: readonly string[], toHead = false): ResponseHead | undefined => {
  const bytes = Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1');
  return parseResponseHead(bytes, bytes.length, toHead);
};

const ok = (...fields: string[]): ResponseHead | undefined => parse(['HTTP/1.1 200 OK', ...fields]);

test('status, headers in lower case and the length of the body are read', () => {
  assert.deepEqual(ok('Content-Type: text/plain', 'X-A:  1 ', 'x-a: 2', 'content-length: 12'), {
    status: 200,
    headers: { 'content-type': 'text/plain', 'x-a': '1, 2', 'content-length': '12' },
    framing: 'length',
    length: 12,
    persistent: true,
    keepAliveSeconds: undefined,
  });
});

test('a status line may leave its reason out, and hold any that has no control characters', () => {
  for (const line of ['HTTP/1.1 200', 'HTTP/1.1 200 ', 'HTTP/1.0 599 caf\u00E9\tau lait']) {
    assert.equal(parse([line])?.status, Number(line.slice(9, 12)), line);
  }
});

for (const line of [
  '',
  'HTTP/1.1',
  'HTTP/1.1 20',
  'HTTP/1.1 2000 OK',
  'HTTP/1.1 099 OK',
  'HTTP/1.1 2x0 OK',
  'HTTP/1.1  200 OK',
  'HTTP/1.1\t200 OK',
  'HTTP/1.1 200OK',
  'HTTP/1.1 200 a\u0000b',
  'HTTP/1.1 200 a\u007Fb',
  'HTTP/1.1 200 a\nb',
  'HTTP/1.2 200 OK',
  'HTTP/2.0 200 OK',
  'HTTP/0.9 200 OK',
  'http/1.1 200 OK',
  ' HTTP/1.1 200 OK',
  'ICY 200 OK',
]) {
  test(`the status line ${JSON.stringify(line)} is refused`, () => {
    assert.equal(parse([line, 'content-length: 0']), undefined);
  });
}

for (const [name, fields] of Object.entries({
  'two equal lengths': ['content-length: 2', 'content-length: 2'],
  'a list of lengths': ['content-length: 2, 2'],
  'a signed length': ['content-length: +2'],
  'an empty length': ['content-length:'],
  'a length beside chunks': ['content-length: 2', 'transfer-encoding: chunked'],
  'chunks beside a length of nothing': ['transfer-encoding: chunked', 'content-length: 0'],
  'chunks twice': ['transfer-encoding: chunked', 'transfer-encoding: chunked'],
  'chunks twice in one field': ['transfer-encoding: chunked, chunked'],
  'a coding before chunks': ['transfer-encoding: gzip, chunked'],
  'a coding alone': ['transfer-encoding: identity'],
  'a folded line': ['x-a: 1', ' 2'],
  'a space before a colon': ['content-length : 2'],
  'a line without a colon': ['content-length 2'],
  'a control character': ['x-a: \u0001'],
  'a name that is no token': ['x(a): 1'],
})) {
  test(`${name} is refused`, () => assert.equal(ok(...fields), undefined));
}

test('chunks in HTTP/1.0 are refused, and its connections are used once', () => {
  assert.equal(parse(['HTTP/1.0 200 OK', 'transfer-encoding: chunked']), undefined);
  const head = parse(['HTTP/1.0 200 OK', 'content-length: 2', 'connection: keep-alive']);
  assert.equal(head?.persistent, false);
});

test('a connection ends with its response where any of its tokens says so, or nothing else ends the body', () => {
  const persists = (...fields: string[]): boolean | undefined =>
    ok('content-length: 0', ...fields)?.persistent;
  assert.equal(persists('connection: keep-alive'), true);
  assert.equal(persists('connection: disclosed'), true);
  assert.equal(persists('connection: Close'), false);
  assert.equal(persists('connection: upgrade, close'), false);
  assert.equal(persists('connection: keep-alive', 'connection: close'), false);
  assert.equal(persists('proxy-connection: close'), false);
  assert.deepEqual([ok()?.framing, ok()?.persistent], ['until-close', false]);
});

test('what has no body has none, and what cannot have one may not announce it', () => {
  assert.equal(parse(['HTTP/1.1 204 No Content'])?.framing, 'none');
  assert.equal(parse(['HTTP/1.1 204 No Content', 'content-length: 0'])?.framing, 'none');
  assert.equal(parse(['HTTP/1.1 204 No Content', 'content-length: 5']), undefined);
  assert.equal(parse(['HTTP/1.1 204 No Content', 'transfer-encoding: chunked']), undefined);
  assert.equal(parse(['HTTP/1.1 100 Continue', 'content-length: 5']), undefined);
  assert.equal(parse(['HTTP/1.1 304 Not Modified', 'content-length: 5'])?.framing, 'none');
  assert.equal(parse(['HTTP/1.1 200 OK', 'content-length: 5'], true)?.framing, 'none');
  assert.equal(parse(['HTTP/1.1 200 OK', 'transfer-encoding: chunked'], true)?.framing, 'none');
});

test('the seconds that a server keeps a connection are read, and nothing that only looks like them', () => {
  assert.equal(ok('keep-alive: timeout=5, max=100')?.keepAliveSeconds, 5);
  assert.equal(ok('keep-alive: max=100,Timeout=5')?.keepAliveSeconds, 5);
  assert.equal(ok('keep-alive: xtimeout=5')?.keepAliveSeconds, undefined);
  assert.equal(ok('keep-alive: timeout=-5')?.keepAliveSeconds, undefined);
  assert.equal(ok('keep-alive: timeout=5s')?.keepAliveSeconds, undefined);
});

test('a header named like a part of every object is harmless', () => {
  const head = ok('__proto__: x', 'constructor: y', 'content-length: 0');
  assert.equal(head?.headers['constructor'], 'y');
  assert.equal(Object.getPrototypeOf(head?.headers), Object.prototype);
});
