import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSseReader } from './sse.ts';
import type { SseEvent } from './sse.ts';

function read(...pieces: (string | Buffer)[]): SseEvent[] {
  const events: SseEvent[] = [];
  const reader = createSseReader({ onEvent: (event) => events.push(event) });
  for (const piece of pieces) reader.feed(Buffer.from(piece));
  reader.end();
  return events;
}

const message = (data: string): SseEvent => ({ event: 'message', data });

test('CR, LF and CRLF end a line, also when CRLF is cut in two', () => {
  assert.deepEqual(read('data: a\r\rdata: b\n\ndata: c\r\n\r\n'), [message('a'), message('b'), message('c')]);
  assert.deepEqual(read('data: a\r', '\n\r', '\ndata: b\n\n'), [message('a'), message('b')]);
});

test('several data lines are one event, joined by line feeds', () => {
  assert.deepEqual(read('data: a\ndata:\ndata: b\n\n'), [message('a\n\nb')]);
});

test('one space after the colon is no part of the value, a second one is', () => {
  assert.deepEqual(read('data:a\n\ndata:  b\n\n'), [message('a'), message(' b')]);
});

test('comments, unknown fields and events without data are ignored', () => {
  assert.deepEqual(read(': ping\n\nfoo: bar\nid: 1\nretry: 2\n\nevent: x\n\ndata: a\n\n'), [message('a')]);
});

test('the event field names the next event only', () => {
  assert.deepEqual(read('event: error\ndata: {}\n\ndata: a\n\n'), [
    { event: 'error', data: '{}' },
    message('a'),
  ]);
});

test('a byte order mark at the start is removed, also when cut', () => {
  assert.deepEqual(read('\uFEFFdata: a\n\n'), [message('a')]);
  const bytes = Buffer.from('\uFEFFdata: a\n\n');
  assert.deepEqual(read(bytes.subarray(0, 1), bytes.subarray(1, 2), bytes.subarray(2)), [message('a')]);
});

test('the last event is delivered without its blank line and without any line end', () => {
  assert.deepEqual(read('data: a\n\ndata: [DONE]\n'), [message('a'), message('[DONE]')]);
  assert.deepEqual(read('data: a\n\ndata: [DONE]'), [message('a'), message('[DONE]')]);
});

test('bytes that are no UTF-8 become replacement characters', () => {
  assert.deepEqual(read(Buffer.from([0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0x0a, 0x0a])), [message('\uFFFD')]);
});

test('a record over the limit is refused as it grows, in one line or in many', () => {
  const refused = { code: 'upstream_invalid' };
  const reader = createSseReader({ onEvent: () => assert.fail('no event'), maxRecordBytes: 100 });
  reader.feed(Buffer.from(`data: ${'x'.repeat(60)}`));
  assert.throws(() => reader.feed(Buffer.from('x'.repeat(60))), refused);
  const lines = createSseReader({ onEvent: () => assert.fail('no event'), maxRecordBytes: 100 });
  assert.throws(() => lines.feed(Buffer.from('data: 123456789\n'.repeat(20))), refused);
  const whole = createSseReader({ onEvent: () => assert.fail('no event'), maxRecordBytes: 100 });
  assert.throws(() => whole.feed(Buffer.from(`data: ${'x'.repeat(120)}\n\n`)), refused);
});

test('heartbeats without end are no record', () => {
  const events: SseEvent[] = [];
  const reader = createSseReader({ onEvent: (event) => events.push(event), maxRecordBytes: 100 });
  for (let beat = 0; beat < 100; beat += 1) reader.feed(Buffer.from(': still loading\n'));
  reader.feed(Buffer.from('data: a\n\n'));
  assert.deepEqual(events, [message('a')]);
});
