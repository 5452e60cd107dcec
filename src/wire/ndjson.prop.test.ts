import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { byteByByte, cutAt } from '../../test/fuzz/cut.ts';
import { createNdjsonReader } from './ndjson.ts';

type Read = { readonly records: readonly unknown[]; readonly refused: boolean; readonly fedBytes: number };

function read(pieces: readonly Buffer[], maxRecordBytes: number): Read {
  const records: unknown[] = [];
  const reader = createNdjsonReader({ onRecord: (record) => records.push(record), maxRecordBytes });
  let fedBytes = 0;
  try {
    for (const piece of pieces) {
      fedBytes += piece.length;
      reader.feed(piece);
    }
    reader.end();
    return { records, refused: false, fedBytes };
  } catch (error) {
    assert.match(String(error), /bytes|not JSON/);
    return { records, refused: true, fedBytes };
  }
}

const places = fc.array(fc.nat({ max: 400 }), { maxLength: 10 });
const records = fc.array(
  fc.record(
    { status: fc.string({ unit: 'grapheme', maxLength: 12 }), completed: fc.nat() },
    { noNullPrototype: true },
  ),
  { maxLength: 12 },
);
const LIMIT = 64;

test('records are the same however their bytes are cut', () => {
  fc.assert(
    fc.property(records, places, fc.constantFrom('\n', '\r\n', '\n\n'), (sent, at, end) => {
      const bytes = Buffer.from(sent.map((record) => JSON.stringify(record) + end).join(''));
      assert.deepEqual(read(cutAt(bytes, at), 4_096).records, sent);
      assert.deepEqual(read(byteByByte(bytes), 4_096).records, sent);
    }),
  );
});

test('what stands before a record that is too long is heard, the record is not, wherever bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: LIMIT * 2 }), { maxLength: 10 }), places, (lengths, at) => {
      // A string of n characters is a record of n + 2 bytes.
      const sent = lengths.map((length) => 'x'.repeat(length));
      const bytes = Buffer.from(sent.map((text) => `${JSON.stringify(text)}\n`).join(''));
      const first = lengths.findIndex((length) => length + 2 > LIMIT);
      const heard = first === -1 ? sent : sent.slice(0, first);
      const { records, refused } = read(cutAt(bytes, at), LIMIT);
      assert.deepEqual(records, heard);
      assert.equal(refused, first !== -1);
    }),
  );
});

test('a line without an end is refused once it is longer than allowed, not when it ends', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 48 }), (pieceBytes) => {
      const pieces = Array.from({ length: 200 }, () => Buffer.alloc(pieceBytes, 'x'));
      const { refused, fedBytes } = read(pieces, LIMIT);
      assert.ok(refused);
      assert.ok(fedBytes <= LIMIT + pieceBytes, `${fedBytes} bytes were taken of a line of at most ${LIMIT}`);
    }),
  );
});
