import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createNdjsonReader } from './ndjson.ts';
import { createSseReader } from './sse.ts';
import type { RecordReader } from './sse.ts';

type Read = (pieces: readonly Buffer[]) => unknown[];

const drive = (reader: RecordReader, pieces: readonly Buffer[]): void => {
  for (const piece of pieces) reader.feed(piece);
  reader.end();
};

const readSse: Read = (pieces) => {
  const events: unknown[] = [];
  drive(createSseReader({ onEvent: (event) => events.push(event) }), pieces);
  return events;
};

const readNdjson: Read = (pieces) => {
  const records: unknown[] = [];
  drive(createNdjsonReader({ onRecord: (record) => records.push(record) }), pieces);
  return records;
};

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

const byteByByte = (bytes: Buffer): Buffer[] => [...bytes].map((byte) => Buffer.from([byte]));

function checkCuts(read: Read, bytes: Buffer, places: readonly number[]): void {
  const whole = read([bytes]);
  assert.deepEqual(read(byteByByte(bytes)), whole);
  assert.deepEqual(read(cut(bytes, places)), whole);
}

const places = fc.array(fc.nat(), { maxLength: 8 });
const lineEnd = fc.constantFrom('\n', '\r', '\r\n');
const field = fc.oneof(
  fc
    .tuple(fc.constantFrom('data: ', 'data:', 'event: ', ': ', 'id:', 'x'), fc.string({ unit: 'binary' }))
    .map(([name, value]) => name + value),
  fc.constant(''),
);
const stream = fc.array(fc.tuple(field, lineEnd)).map((lines) => Buffer.from(lines.flat().join('')));

test('an event stream means the same however it is cut', () => {
  fc.assert(fc.property(stream, places, (bytes, at) => checkCuts(readSse, bytes, at)));
});

test('any bytes at all mean the same however they are cut', () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
  fc.assert(fc.property(bytes, places, (some, at) => checkCuts(readSse, some, at)));
});

test('what was sent as events comes out as events', () => {
  const data = fc.array(
    fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[\r\n]/.test(text)),
    { minLength: 1 },
  );
  fc.assert(
    fc.property(fc.array(data), places, (sent, at) => {
      const text = sent.map((lines) => lines.map((line) => `data: ${line}\n`).join('') + '\n').join('');
      const expected = sent.map((lines) => ({ event: 'message', data: lines.join('\n') }));
      assert.deepEqual(readSse(cut(Buffer.from(text), at)), expected);
    }),
  );
});

test('NDJSON gives the same records however it is cut, with or without a last line end', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), places, fc.boolean(), (records, at, ended) => {
      const bytes = Buffer.from(
        records.map((record) => JSON.stringify(record)).join('\n') + (ended ? '\n' : ''),
      );
      checkCuts(readNdjson, bytes, at);
      assert.deepEqual(
        readNdjson([bytes]),
        records.map((record): unknown => JSON.parse(JSON.stringify(record))),
      );
    }),
  );
});
