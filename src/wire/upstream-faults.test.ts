import assert from 'node:assert/strict';
import { startAsking, testOnBoth } from '../../test/asking.ts';
import {
  chunk,
  chunkedHead,
  cutShort,
  gzip,
  head,
  hugeHead,
  json,
  redirect,
} from '../../test/upstream-scripts.ts';
import { close, flood, reset, send, wait } from '../../test/upstream.ts';
import type { Step } from '../../test/upstream.ts';

type Fault = {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly code: string;
  readonly message?: RegExp;
};

const chunked = chunkedHead('application/json');

const FAULTS: readonly Fault[] = [
  {
    name: 'a reset before the head',
    steps: [reset],
    code: 'upstream_unreachable',
    message: /did not answer/,
  },
  {
    name: 'a clean close before the head',
    steps: [close],
    code: 'upstream_unreachable',
    message: /did not answer/,
  },
  {
    name: 'a close inside the head',
    steps: [send('HTTP/1.1 200 OK\r\ncontent-'), close],
    code: 'upstream_unreachable',
  },
  {
    name: 'a reset inside a body of known length',
    steps: [cutShort('{"a":', 100), wait(10), reset],
    code: 'upstream_unreachable',
    message: /middle of its answer/,
  },
  {
    name: 'a close inside a body of known length',
    steps: [cutShort('{"a":', 100), close],
    code: 'upstream_unreachable',
    message: /middle of its answer/,
  },
  {
    name: 'a close inside a body of known length that was to be the last',
    steps: [send(`${head(200, { 'content-length': 100, connection: 'close' })}{`), close],
    code: 'upstream_unreachable',
  },
  {
    name: 'a reset between chunks',
    steps: [send(chunked + chunk('a')), wait(10), reset],
    code: 'upstream_unreachable',
  },
  {
    name: 'a close between chunks',
    steps: [send(chunked + chunk('a')), close],
    code: 'upstream_unreachable',
  },
  {
    name: 'a close between chunks of a connection that was to close',
    steps: [send(head(200, { 'transfer-encoding': 'chunked', connection: 'close' }) + chunk('a')), close],
    code: 'upstream_unreachable',
  },
  {
    name: 'two different lengths',
    steps: [send('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}')],
    code: 'upstream_invalid',
  },
  {
    name: 'a length beside chunks',
    steps: [send(head(200, { 'content-length': 2, 'transfer-encoding': 'chunked' }) + chunk('{}'))],
    code: 'upstream_invalid',
  },
  { name: 'a negative length', steps: [send(head(200, { 'content-length': -3 }))], code: 'upstream_invalid' },
  {
    name: 'bytes that are no HTTP',
    steps: [send('SSH-2.0-OpenSSH_9.9\r\n')],
    code: 'upstream_invalid',
    message: /malformed HTTP/,
  },
  {
    name: 'a bare CR in a header',
    steps: [send('HTTP/1.1 200 OK\r\nx-a: b\rc\r\ncontent-length: 0\r\n\r\n')],
    code: 'upstream_invalid',
  },
  { name: 'a chunk size that is no number', steps: [send(`${chunked}zz\r\n`)], code: 'upstream_invalid' },
  { name: 'a head of 200 KiB', steps: [hugeHead(200 * 1024)], code: 'upstream_invalid', message: /64 KiB/ },
  {
    name: 'a flood of interim responses',
    steps: [flood('HTTP/1.1 102 Processing\r\n\r\n')],
    code: 'upstream_invalid',
    message: /interim/,
  },
  {
    name: 'an upgrade nobody asked for',
    steps: [send('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')],
    code: 'upstream_invalid',
  },
  { name: 'compression', steps: [gzip({ a: 1 })], code: 'upstream_invalid', message: /content-encoding/ },
  {
    name: 'six layers of compression',
    steps: [
      send(head(200, { 'content-encoding': 'gzip, gzip, gzip, gzip, gzip, gzip', 'content-length': 0 })),
    ],
    code: 'upstream_invalid',
  },
  {
    name: 'a body without end',
    steps: [send(chunked), flood(chunk('x'.repeat(1_000_000)))],
    code: 'upstream_invalid',
    message: /more than 33554432 bytes/,
  },
];

for (const { name, steps, code, message } of FAULTS) {
  testOnBoth(`${name} is ${code}, and its connection is not used again`, async (on) => {
    const { upstream, ask } = await startAsking(on, (_request, index) =>
      index === 0 ? steps : [json({ fine: true })],
    );
    await assert.rejects(ask(), (error: Error & { code?: string }) => {
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message ?? /./);
      assert.ok(error.message.includes(`${upstream.origin}/v1/x`), error.message);
      assert.ok(!error.message.includes('hidden'), 'the query stays out of messages');
      return true;
    });
    assert.equal(await ask(), '{"fine":true}');
    assert.equal(upstream.connections, 2);
  });
}

for (const status of [301, 302, 303, 304, 307, 308]) {
  testOnBoth(`a redirect with ${status} is not followed`, async (on) => {
    const { upstream, ask } = await startAsking(on, (_request, index) =>
      index === 0 ? [redirect('/elsewhere', status)] : [json({})],
    );
    await assert.rejects(ask(), { code: 'upstream_invalid', message: /never followed/ });
    assert.equal(upstream.requests.length, 1);
  });
}
