import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ChunkedDecoder } from './chunked.ts';

type Outcome = { readonly data: string; readonly rest: string; readonly state: 'done' | 'failed' | 'open' };

/** Decodes a body that arrives in pieces. */
function decode(...pieces: readonly (string | Buffer)[]): Outcome {
  const decoder = new ChunkedDecoder();
  let data = '';
  let rest = '';
  for (const piece of pieces) {
    // The decoder moves bytes about in what it is given.
    const bytes = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : Buffer.from(piece);
    const next = decoder.decode(bytes, 0, bytes.length);
    if (decoder.to > decoder.from) data += bytes.toString('latin1', decoder.from, decoder.to);
    if (decoder.done) rest += bytes.toString('latin1', next);
  }
  return { data, rest, state: decoder.done ? 'done' : decoder.failed ? 'failed' : 'open' };
}

test('the data of several chunks come out in one piece, and what follows the body is left', () => {
  assert.deepEqual(decode('3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\nHTTP'), {
    data: 'abc0123456789',
    rest: 'HTTP',
    state: 'done',
  });
});

test('extensions and trailers are passed over', () => {
  const body = '3;a;b=c;d="e \\" f"\r\nabc\r\n0;last\r\nX-Sum: 1\r\ny:\r\n\r\n';
  assert.deepEqual(decode(body), { data: 'abc', rest: '', state: 'done' });
});

for (const [name, body] of Object.entries({
  'a size that is no number': 'zz\r\n',
  'no size': '\r\n',
  'a size with a sign': '+3\r\nabc\r\n',
  'a size with a prefix': '0x3\r\nabc\r\n',
  'a size with a space': '3 \r\nabc\r\n',
  'a space before a size': ' 3\r\nabc\r\n',
  'a size of nine digits': '000000003\r\nabc\r\n',
  'a size line that ends in LF alone': '3\nabc\r\n',
  'a CR inside a size line': '3\r\r\nabc\r\n',
  'data longer than their size': '3\r\nabcd\r\n',
  'data shorter than their size': '4\r\nabc\r\n0\r\n\r\n',
  'data that end in LF alone': '3\r\nabc\n0\r\n\r\n',
  'an extension without a name': '3;\r\nabc\r\n',
  'an extension with a space': '3; a\r\nabc\r\n',
  'an extension with a control character': '3;a=\u0001\r\nabc\r\n',
  'an extension with an open quote': '3;a="b\r\nabc\r\n',
  'an extension with LF': '3;a\nb\r\nabc\r\n',
  'an extension without end': `3;${'a'.repeat(2_000)}`,
  'a trailer without a colon': '0\r\nabc\r\n\r\n',
  'a folded trailer': '0\r\na: b\r\n c\r\n\r\n',
  'a trailer that frames': '0\r\nContent-Length: 3\r\n\r\n',
  'a trailer that closes': '0\r\nconnection: close\r\n\r\n',
  'a trailer that ends in LF alone': '0\r\na: b\n\r\n\r\n',
  'trailers without end': `0\r\n${'a: b\r\n'.repeat(4_000)}`,
})) {
  test(`${name} is refused`, () => assert.equal(decode(body).state, 'failed'));
}

test('data before what is refused have come out', () => {
  assert.deepEqual(decode('3\r\nabc\r\n!'), { data: 'abc', rest: '', state: 'failed' });
});

test('a decoder is used again after a reset, in whatever state it was', () => {
  for (const before of ['', '3', '3;a', '3\r\nab', '0\r\nx: y\r\n', '!', '0\r\n\r\n']) {
    const decoder = new ChunkedDecoder();
    const first = Buffer.from(before);
    decoder.decode(first, 0, first.length);
    decoder.reset();
    const bytes = Buffer.from('3\r\nabc\r\n0\r\n\r\n');
    assert.equal(decoder.decode(bytes, 0, bytes.length), bytes.length);
    assert.ok(decoder.done, before);
    assert.equal(bytes.toString('latin1', decoder.from, decoder.to), 'abc');
  }
});

const piece = fc.constantFrom(
  '3\r\nabc\r\n',
  '1;x=y\r\na\r\n',
  '0\r\n\r\n',
  '0\r\na: b\r\n\r\n',
  '\r\n',
  'a',
  '0',
  ';',
  '\n',
  'F\r\n0123456789abcde\r\n',
);
const places = fc.array(fc.nat(), { maxLength: 8 });

function cut(text: string, at: readonly number[]): string[] {
  const ends = [...at.map((place) => place % (text.length + 1)), text.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end));
}

test('a body means the same however it is cut', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), places, (pieces, at) => {
      const text = pieces.join('');
      const whole = decode(text);
      assert.deepEqual(decode(...text.split('')), whole);
      assert.deepEqual(decode(...cut(text, at)), whole);
    }),
  );
});

test('what was framed comes out', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 8 }),
      places,
      (sent, at) => {
        const data = sent.map((bytes) => Buffer.from(bytes).toString('latin1'));
        const body = `${data.map((text) => `${text.length.toString(16)}\r\n${text}\r\n`).join('')}0\r\n\r\n`;
        assert.deepEqual(decode(...cut(`${body}rest`, at)), {
          data: data.join(''),
          rest: 'rest',
          state: 'done',
        });
      },
    ),
  );
});
