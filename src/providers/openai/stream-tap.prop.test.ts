import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { StreamTap } from './stream-tap.ts';

const chunk = fc
  .record({ content: fc.string({ unit: 'grapheme', maxLength: 40 }), padding: fc.nat({ max: 3_000 }) })
  .map(({ content, padding }) =>
    JSON.stringify({
      choices: [{ delta: { content, x: 'x'.repeat(padding) }, finish_reason: null }],
      usage: null,
      tags: [],
    }),
  );
const usage = JSON.stringify({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 } });
const finish = JSON.stringify({ choices: [{ delta: {}, finish_reason: 'length' }], usage: null });
const lineEnd = fc.constantFrom('\n', '\r\n', '\r');

const stream = fc
  .tuple(fc.array(chunk, { maxLength: 12 }), lineEnd, fc.boolean())
  .map(([chunks, end, done]) => ({
    kept: [...chunks, finish, ...(done ? ['[DONE]'] : [])]
      .map((data) => `data: ${data}${end}${end}`)
      .join(''),
    all: [...chunks, finish, usage, ...(done ? ['[DONE]'] : [])]
      .map((data) => `data: ${data}${end}${end}`)
      .join(''),
    done,
  }));
const cuts = fc.array(fc.nat({ max: 200 }), { minLength: 1, maxLength: 20 });

/** Feeds bytes in pieces of the given lengths, over and over. */
function run(tap: StreamTap, text: string, lengths: readonly number[]): string {
  const bytes = Buffer.from(text);
  const out: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const length = (lengths[turn % lengths.length] ?? 0) + 1;
    const whole = tap.feed(bytes.subarray(at, at + length));
    if (whole) out.push(whole);
    at += length;
  }
  const rest = tap.flush();
  return Buffer.concat(rest ? [...out, rest] : out).toString();
}

test('a stream passes byte for byte however it is cut, and its facts are read', () => {
  fc.assert(
    fc.property(stream, cuts, ({ all, done }, lengths) => {
      const tap = new StreamTap(false);
      assert.equal(run(tap, all, lengths), all);
      assert.deepEqual(tap.facts(), {
        complete: true,
        done,
        usage: { promptTokens: 3, completionTokens: 4 },
      });
    }),
  );
});

test('only the usage is taken out, however the stream is cut', () => {
  fc.assert(
    fc.property(stream, cuts, ({ all, kept, done }, lengths) => {
      const tap = new StreamTap(true);
      assert.equal(run(tap, all, lengths), kept);
      assert.deepEqual(tap.facts(), {
        complete: true,
        done,
        usage: { promptTokens: 3, completionTokens: 4 },
      });
    }),
  );
});

test('every block that is passed on ends where an event ends', () => {
  fc.assert(
    fc.property(stream, cuts, ({ all }, lengths) => {
      const tap = new StreamTap(false);
      const bytes = Buffer.from(all);
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const length = (lengths[turn % lengths.length] ?? 0) + 1;
        const whole = tap.feed(bytes.subarray(at, at + length));
        if (whole) assert.match(whole.toString(), /(?:\n\n|\r\n\r\n|\r\r)$/);
        at += length;
      }
    }),
  );
});

test('any bytes at all are survived', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 20 }),
      fc.boolean(),
      (parts, strip) => {
        const tap = new StreamTap(strip);
        for (const part of parts) tap.feed(Buffer.from(part));
        tap.flush();
        assert.equal(typeof tap.facts().complete, 'boolean');
      },
    ),
  );
});

test('blank lines in single bytes are found at once', () => {
  for (const end of ['\n', '\r\n', '\r']) {
    const tap = new StreamTap(true);
    const events = `data: ${finish}${end}${end}`;
    const blocks = [...Buffer.from(events + events)].map((byte) => tap.feed(Buffer.of(byte))?.toString());
    assert.equal(blocks.filter((block) => block !== undefined).join(''), events + events);
    assert.equal(tap.flush(), undefined);
  }
});

test('an event without an end is noticed at 4 MiB', () => {
  const tap = new StreamTap(false);
  const piece = Buffer.alloc(1024 * 1024, 0x78);
  for (let count = 0; count < 4; count += 1) tap.feed(piece);
  assert.equal(tap.flaw, undefined);
  tap.feed(piece);
  assert.match(tap.flaw ?? '', /more than 4 MiB/);
});
