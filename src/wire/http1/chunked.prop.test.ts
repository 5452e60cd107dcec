import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { byteByByte, cutAt } from '../../../test/fuzz/cut.ts';
import { chunkedBody } from '../../../test/fuzz/field-grammar.ts';
import { ChunkedDecoder } from './chunked.ts';

type Decoded = { readonly data: string; readonly end: 'done' | 'failed' | 'open'; readonly consumed: number };

function decode(pieces: readonly Buffer[]): Decoded {
  const decoder = new ChunkedDecoder();
  let data = '';
  let consumed = 0;
  for (const piece of pieces) {
    // Offsets that are not zero, and bytes around that are not the decoder's.
    const padded = Buffer.concat([Buffer.from('ab'), piece, Buffer.from('cd')]);
    const end = padded.length - 2;
    consumed += decoder.decode(padded, 2, end) - 2;
    data += padded.toString('latin1', decoder.from, decoder.to);
    assert.equal(padded.toString('latin1', 0, 2) + padded.toString('latin1', end), 'abcd');
    if (decoder.done || decoder.failed) break;
  }
  return { data, consumed, end: decoder.done ? 'done' : decoder.failed ? 'failed' : 'open' };
}

const places = fc.array(fc.nat({ max: 300 }), { maxLength: 8 });

test('a chunked body means the same however it is cut, valid or not', () => {
  fc.assert(
    fc.property(chunkedBody, places, fc.string({ unit: 'binary-ascii', maxLength: 4 }), (text, at, rest) => {
      const bytes = Buffer.from(text + rest, 'latin1');
      const whole = decode([bytes]);
      assert.deepEqual(decode(byteByByte(bytes)), whole);
      assert.deepEqual(decode(cutAt(bytes, at)), whole);
    }),
    { numRuns: 500 },
  );
});

test('what was sent in chunks comes out as it was, and nothing of what follows', () => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 6 });
  fc.assert(
    fc.property(chunks, places, (sent, at) => {
      const framed = sent.flatMap((chunk) => [
        Buffer.from(`${chunk.length.toString(16)};name="a b"\r\n`),
        Buffer.from(chunk),
        Buffer.from('\r\n'),
      ]);
      const body = Buffer.concat([...framed, Buffer.from('0\r\nTrailer: x\r\n\r\n')]);
      const decoded = decode(cutAt(Buffer.concat([body, Buffer.from('next')]), at));
      const data = Buffer.concat(sent.map((chunk) => Buffer.from(chunk))).toString('latin1');
      assert.deepEqual(decoded, { data, end: 'done', consumed: body.length });
    }),
  );
});

test('a decoder that was made ready again remembers nothing', () => {
  fc.assert(
    fc.property(chunkedBody, chunkedBody, (before, text) => {
      const used = new ChunkedDecoder();
      const first = Buffer.from(before, 'latin1');
      used.decode(first, 0, first.length);
      used.reset();
      const bytes = Buffer.from(text, 'latin1');
      const consumed = used.decode(bytes, 0, bytes.length);
      const data = bytes.toString('latin1', used.from, used.to);
      const end = used.done ? 'done' : used.failed ? 'failed' : 'open';
      assert.deepEqual({ data, consumed, end }, decode([Buffer.from(text, 'latin1')]));
    }),
  );
});
