import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNdjsonReader } from './ndjson.ts';

function read(...pieces: string[]): unknown[] {
  const records: unknown[] = [];
  const reader = createNdjsonReader({ onRecord: (record) => records.push(record), maxRecordBytes: 100 });
  for (const piece of pieces) reader.feed(Buffer.from(piece));
  reader.end();
  return records;
}

test('a last line without an end is read, and empty lines are skipped', () => {
  assert.deepEqual(read('{"a":1}\n\n\r\n{"b"', ':2}'), [{ a: 1 }, { b: 2 }]);
});

test('half a line, two records on one line and an oversized line are refused', () => {
  const refused = { code: 'upstream_invalid' };
  assert.throws(() => read('{"a":1}\n{"b":'), refused);
  assert.throws(() => read('{"a":1}{"b":2}\n'), refused);
  assert.throws(() => read(`"${'x'.repeat(200)}"\n`), refused);
});

test('the error for a bad line does not quote it', () => {
  assert.throws(
    () => read('my secret prompt\n'),
    (error: unknown) =>
      error instanceof Error && error.cause === undefined && !error.message.includes('secret'),
  );
});
