import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestFormatter } from './client-request.ts';

const format = (headers: Record<string, string>, path = '/v1/x?a=b'): string =>
  new RequestFormatter().format({ method: 'POST', path, headers }, 'host:1');

test('a head names method, path and host, asks for no encoding and gives the headers as they are', () => {
  assert.equal(
    format({ authorization: 'Bearer k', 'X-A': 'caf\u00E9', 'accept-encoding': 'gzip' }),
    'POST /v1/x?a=b HTTP/1.1\r\nhost: host:1\r\naccept-encoding: identity\r\nauthorization: Bearer k\r\nX-A: caf\u00E9\r\n',
  );
});

test('the head of one headers object is made once for a path and a host, and any other one anew', () => {
  const formatter = new RequestFormatter();
  const line = { method: 'GET', path: '/' };
  let reads = 0;
  const headers = {
    get 'x-a'(): string {
      reads += 1;
      return '1';
    },
  };
  const first = formatter.format({ ...line, headers }, 'h');
  const before = reads;
  assert.equal(formatter.format({ ...line, headers }, 'h'), first);
  assert.equal(reads, before);
  assert.match(formatter.format({ ...line, headers: { 'x-a': '2' } }, 'h'), /x-a: 2/);
  assert.match(formatter.format({ ...line, headers }, 'g'), /^GET \/ HTTP\/1\.1\r\nhost: g\r\n/);
  assert.match(formatter.format({ ...line, path: '/b', headers }, 'g'), /^GET \/b HTTP\/1\.1\r\nhost: g\r\n/);
  assert.match(formatter.format({ path: '/b', method: 'PUT', headers }, 'g'), /^PUT \/b HTTP\/1\.1\r\n/);
});

for (const value of ['a\r\nx: y', 'a\nb', 'a\rb', 'a\u0000b', 'a\u007Fb', 'snow\u2603']) {
  test(`the value ${JSON.stringify(value)} is refused by its name, not quoted`, () => {
    assert.throws(() => format({ 'x-a': value }), { name: 'TypeError', message: 'invalid x-a header' });
  });
}

for (const name of ['', 'a b', 'a:b', 'a\r\nb', 'caf\u00E9', '(a)']) {
  test(`the name ${JSON.stringify(name)} is refused`, () => {
    assert.throws(() => format({ [name]: 'v' }), { message: 'invalid name of a header' });
  });
}

for (const name of [
  'Content-Length',
  'transfer-encoding',
  'connection',
  'Host',
  'expect',
  'upgrade',
  'te',
  'trailer',
]) {
  test(`${name} is the client's own`, () => {
    assert.throws(() => format({ [name]: '1' }), { message: `invalid ${name} header` });
  });
}

for (const path of ['', 'x', '*', '/a b', '/a\r\nb', '/a\u0000', '/\u2603', 'http://x/']) {
  test(`the path ${JSON.stringify(path)} is refused`, () => {
    assert.throws(() => format({}, path), { message: 'invalid path' });
  });
}
