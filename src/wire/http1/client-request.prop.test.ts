import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { RequestOracle } from '../../../test/fuzz/request-oracle.ts';
import { RequestFormatter } from './client-request.ts';

const oracle = new RequestOracle();
const anyText = fc.string({
  unit: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom('a', 'Z', '0', '-', '_', ' ', '\t', ':', '/', '?', '#', '"') },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 0x17f }).map((code) => String.fromCharCode(code)) },
  ),
  maxLength: 12,
});
const name = fc.oneof(
  fc.constantFrom('authorization', 'x-a', 'content-type', 'accept', 'user-agent'),
  fc.constantFrom(
    'host',
    'content-length',
    'transfer-encoding',
    'connection',
    'expect',
    'upgrade',
    'te',
    'proxy-connection',
    'Content-Length',
  ),
  anyText,
);

test('a request that is not refused is one request to Node, with this path and these headers', () => {
  let written = 0;
  fc.assert(
    fc.property(
      anyText.map((text) => `/${text}`),
      fc.dictionary(name, anyText, { maxKeys: 4 }),
      (path, headers) => {
        let head: string;
        try {
          head = new RequestFormatter().format({ method: 'POST', path, headers }, 'a:1');
        } catch (error) {
          assert.ok(error instanceof TypeError);
          return;
        }
        written += 1;
        const bytes = Buffer.from(
          `${head}content-length: 2\r\n\r\nokGET /next HTTP/1.1\r\nhost: a\r\n\r\n`,
          'latin1',
        );
        const { messages, refusal } = oracle.read({ pieces: [bytes], ending: 'open' });
        assert.equal(refusal, undefined);
        assert.deepEqual(
          messages.map(({ target }) => target),
          [path, '/next'],
        );
        const [message] = messages;
        const others = Object.entries(headers).filter(([key]) => key !== 'accept-encoding');
        assert.deepEqual(message?.headers, [
          'host',
          'a:1',
          'accept-encoding',
          'identity',
          ...others.flatMap(([key, value]) => [key, value.replace(/^[ \t]+|[ \t]+$/g, '')]),
          'content-length',
          '2',
        ]);
        assert.equal(message?.body, 'ok');
      },
    ),
    { numRuns: 3_000 },
  );
  assert.ok(written > 100, `${written} requests were written`);
});
