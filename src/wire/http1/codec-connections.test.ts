import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Wire } from '../../../test/fuzz/wire.ts';
import { CoarseClock } from '../coarse-clock.ts';
import type { HttpResponse } from '../http.ts';
import { CodecConnections } from './codec-connections.ts';

const HOUR_MS = 3_600_000;

function answer(response: HttpResponse): void {
  response.head(200, { 'content-length': '0' });
  response.end();
}

test('a request that waits behind the last answer of a closing server is not acted on', async () => {
  const clock = new CoarseClock(HOUR_MS);
  const seen: string[] = [];
  const responses: HttpResponse[] = [];
  const connections = new CodecConnections({
    clock,
    bodyRules: { clock, bodyMs: HOUR_MS },
    headersMs: HOUR_MS,
    keepAliveMs: HOUR_MS,
    stalledMs: HOUR_MS,
    serves: () => true,
    serve: (request, response) => {
      seen.push(request.path);
      responses.push(response);
    },
    onRequest: () => {},
    onHead: () => {},
    handOver: () => seen.push('handed over'),
    date: () => '',
  });
  const wire = new Wire();
  connections.accept(wire);
  wire.emit('data', Buffer.from('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\n\r\n'));
  connections.close();
  for (const response of responses) answer(response);
  wire.emit('data', Buffer.from('POST /3 HTTP/1.1\r\nHost: a\r\n\r\n'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(seen, ['/1']);
  assert.match(Buffer.concat(wire.sent).toString(), /^HTTP\/1\.1 200 OK\r\n[^]*connection: close\r\n\r\n$/);
});
