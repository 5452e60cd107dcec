import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { byteByByte, cutAt } from '../../../test/fuzz/cut.ts';
import { responseStream } from '../../../test/fuzz/response-grammar.ts';
import { ResponseReader } from './response-reader.ts';

function read(pieces: readonly Buffer[], toHead: boolean): unknown {
  const heard: unknown[] = [];
  let body = '';
  const reader = new ResponseReader({
    onInterim: () => heard.push('interim'),
    onHead: (status, headers) => heard.push({ status, headers }),
    onBody: (bytes, from, to) => {
      assert.ok(to > from, 'no empty piece is passed on');
      body += bytes.toString('latin1', from, to);
    },
  });
  reader.begin(toHead);
  let consumed = 0;
  for (const piece of pieces) {
    if (reader.complete || reader.refusal !== '') break;
    consumed += reader.read(Buffer.from(piece), piece.length);
  }
  const { complete, persistent, keepAliveSeconds, refusal } = reader;
  const before = { heard, body, complete, persistent, keepAliveSeconds, refusal };
  // How soon what is no HTTP is refused depends on the cuts, and so does how much of it was read.
  return { ...before, ...(refusal === '' ? { consumed } : {}), ended: reader.end() };
}

const places = fc.array(fc.nat({ max: 400 }), { maxLength: 8 });

test('a response means the same however it is cut, valid or not', () => {
  fc.assert(
    fc.property(responseStream, places, fc.boolean(), (text, at, toHead) => {
      const bytes = Buffer.from(text, 'latin1');
      const whole = read([bytes], toHead);
      assert.deepEqual(read(byteByByte(bytes), toHead), whole);
      assert.deepEqual(read(cutAt(bytes, at), toHead), whole);
    }),
    { numRuns: 500 },
  );
});

test('a head of any length is found wherever it is cut, and refused past its limit', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 70_000 }),
      fc.array(fc.nat({ max: 70_000 }), { maxLength: 5 }),
      (padding, at) => {
        const text = `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(padding)}\r\ncontent-length: 2\r\n\r\nok`;
        const bytes = Buffer.from(text, 'latin1');
        const whole = read([bytes], false);
        assert.deepEqual(read(cutAt(bytes, at), false), whole);
        const accepted = text.length - 2 <= 64 * 1024;
        assert.equal((whole as { complete: boolean }).complete, accepted);
      },
    ),
    { numRuns: 60 },
  );
});
