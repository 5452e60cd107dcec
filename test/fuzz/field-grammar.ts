import * as fc from 'fast-check';

/** Nearly always the usual, else one of the unusual: a message has some twenty places to go wrong. */
export function mostly(usual: fc.Arbitrary<string>, unusual: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof({ weight: 30, arbitrary: usual }, { weight: 1, arbitrary: unusual });
}

/** The end of a line. */
export const lineEnd: fc.Arbitrary<string> = mostly(
  fc.constant('\r\n'),
  fc.constantFrom('\n', '\r', '\r\r\n', '\n\r', ' \r\n', '\r\n ', '\r\n\t', '', '\r\u0000\n', '\u0085'),
);

const name = mostly(
  fc.constantFrom(
    'Accept',
    'X-A',
    'x_b',
    'a',
    'Content-Type',
    'Authorization',
    'Cookie',
    'Via',
    "!#$%&'*+-.^_`|~0",
  ),
  fc.constantFrom(
    '',
    ' a',
    'a ',
    'a\t',
    'a b',
    'a\u0000',
    '\u00E9',
    'a\r',
    'a\n',
    'a(b)',
    '"a"',
    'a/b',
    'a@',
    '[a]',
    '{',
    'a,b',
    'a;b',
    'a=b',
    '\u007F',
    'a\u0001',
    'Content-Length ',
    'Transfer-Encoding ',
    'Transfer_Encoding',
    'Content-Length\u000B',
    'Host ',
  ),
);

const value = mostly(
  fc.constantFrom(
    'b',
    '',
    'b c',
    'b\tc',
    '\u00E9\u00FF',
    'a, b',
    '"q"',
    '\u0080',
    ':',
    'a:b',
    'chunked',
    '5',
    '  b  ',
  ),
  fc.constantFrom(
    '\u0000',
    'b\u0000c',
    'b\rc',
    'b\nc',
    'b\u0001',
    '\u007F',
    'b\u000Bc',
    'b\r\n c',
    'b\u001F',
    '\u0008',
    'b\r',
  ),
);

/** One line of a header section with its end. */
export const fieldLine: fc.Arbitrary<string> = fc
  .tuple(
    name,
    mostly(fc.constant(':'), fc.constantFrom('', ' :', '::', '\t:', ': :', ';')),
    fc.constantFrom(' ', '', '\t', '  '),
    value,
    lineEnd,
  )
  .map((parts) => parts.join(''));

/** Fields that give a length in a way somebody somewhere reads otherwise. */
export const TRICKY_LENGTHS: fc.Arbitrary<string> = fc.constantFrom(
  'Content-Length: 5\r\n',
  'Content-Length: 5\r\nContent-Length: 5\r\n',
  'Content-Length: 5\r\nContent-Length: 6\r\n',
  'Content-Length: 5, 5\r\n',
  'Content-Length: 5,6\r\n',
  'Content-Length: +5\r\n',
  'Content-Length: -5\r\n',
  'Content-Length: 05\r\n',
  'Content-Length: 0x5\r\n',
  'Content-Length: 5 \r\n',
  'Content-Length: 5\t\r\n',
  'Content-Length:5\r\n',
  'Content-Length: 5 5\r\n',
  'Content-Length:\r\n',
  'Content-Length: \r\n',
  'Content-Length : 5\r\n',
  'Content-Length: 5.0\r\n',
  'Content-Length: 5e0\r\n',
  'Content-Length: 18446744073709551621\r\n',
  'Content-Length: 99999999999999999999\r\n',
  'Content-Length: 9007199254740993\r\n',
  'Content-Length: 5\n',
  '\tContent-Length: 5\r\n',
  'Content-Length: 5\u0000\r\n',
  'Content-Length: \u00B2\r\n',
  'Content-Length: 5;a\r\n',
  'CONTENT-LENGTH: 0\r\n',
  'Content-Length: 00000000000000000005\r\n',
  'Content-Length: 5\r\n \r\n',
  'Content-Length: "5"\r\n',
  'X: y\nContent-Length: 5\r\n',
  'Content-Length: 0\r\nContent-Length: 5\r\n',
  'Content-Length:\u000B5\r\n',
);

/** Fields that announce chunks in a way somebody somewhere reads otherwise. */
export const TRICKY_TRANSFER_CODINGS: fc.Arbitrary<string> = fc.constantFrom(
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: Chunked\r\n',
  'Transfer-Encoding: CHUNKED\r\n',
  'Transfer-Encoding: chunked \r\n',
  'Transfer-Encoding: chunked\t\r\n',
  'Transfer-Encoding:chunked\r\n',
  'Transfer-Encoding:\tchunked\r\n',
  'Transfer-Encoding : chunked\r\n',
  'Transfer-Encoding\t: chunked\r\n',
  ' Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: xchunked\r\n',
  'Transfer-Encoding: chunkedx\r\n',
  'Transfer-Encoding: chunked, identity\r\n',
  'Transfer-Encoding: identity, chunked\r\n',
  'Transfer-Encoding: identity\r\n',
  'Transfer-Encoding: chunked, chunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n',
  'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n',
  'Transfer-Encoding:\r\n',
  'Transfer-Encoding: \r\n',
  'Transfer-Encoding: "chunked"\r\n',
  'Transfer-Encoding: chunked;q=1\r\n',
  'Transfer-Encoding: ,chunked\r\n',
  'Transfer-Encoding: chunked,\r\n',
  'Transfer-Encoding:\u000Bchunked\r\n',
  'Transfer-Encoding: \u0000chunked\r\n',
  'Transfer-Encoding:\r\n chunked\r\n',
  'Transfer-Encoding: chunk\r\n ed\r\n',
  'Transfer-Encoding: chunked\n',
  'X: y\nTransfer-Encoding: chunked\r\n',
  'X: y\rTransfer-Encoding: chunked\r\n',
  'Transfer_Encoding: chunked\r\n',
  'Transfer-Encoding: chunked\r\r\n',
  'TRANSFER-ENCODING: chunked\r\n',
);

const chunkData = fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 20 });
const chunkExtension = mostly(
  fc.constantFrom('', '', '', '', ';a', ';a=b', ';a="b"'),
  fc.constantFrom(
    ';a="b\r\nc"',
    ';a="b',
    ' ;a',
    '; a',
    ';',
    ';a\r',
    ';a\n',
    ';\u0000',
    ';a="\\""',
    ' ',
    '\t',
    ';a;b;c',
    ';=',
    ';a=',
    `;${'a'.repeat(200)}`,
    ';a="b"c',
    ';\u00E9',
  ),
);
const sizeOf = (length: number): fc.Arbitrary<string> =>
  mostly(
    fc.constantFrom(
      length.toString(16),
      length.toString(16).toUpperCase(),
      `0${length.toString(16)}`,
      `0000000000${length.toString(16)}`,
    ),
    fc.constantFrom(
      '',
      `+${length}`,
      `-${length}`,
      `0x${length.toString(16)}`,
      ` ${length}`,
      `${length} `,
      `${length}\t`,
      (length + 1).toString(16),
      (length - 1).toString(16),
      '10000000000000005',
      'FFFFFFFFFFFFFFFF',
      'fffffffff',
      'g',
      `${length}.0`,
      `0${'0'.repeat(20)}${length.toString(16)}`,
      '\u00B2',
      `${length},`,
      '7FFFFFFFFFFFFFFF',
    ),
  );
const chunk = chunkData.chain((data) =>
  fc
    .tuple(sizeOf(data.length), chunkExtension, lineEnd, fc.constant(data), lineEnd)
    .map((parts) => parts.join('')),
);
const lastChunk = fc
  .tuple(
    mostly(
      fc.constantFrom('0', '0', '00', '000000000000000000'),
      fc.constantFrom('', '-0', '+0', '0x0', '0 ', ' 0', '00000000000000000000000000'),
    ),
    chunkExtension,
    lineEnd,
  )
  .map((parts) => parts.join(''));
const trailer = fc.oneof(
  { weight: 3, arbitrary: fieldLine },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'Content-Length: 5\r\n',
      'Transfer-Encoding: chunked\r\n',
      'Host: b\r\n',
      'Connection: close\r\n',
      'Trailer: a\r\n',
      'Upgrade: x\r\n',
    ),
  },
);

/** A chunked body with its last chunk, its trailers and its end; mostly valid. */
export const chunkedBody: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(chunk, { maxLength: 3 }),
    mostly(lastChunk, fc.constant('')),
    fc.oneof(
      { weight: 4, arbitrary: fc.constant<string[]>([]) },
      { weight: 1, arbitrary: fc.array(trailer, { maxLength: 2 }) },
    ),
    lineEnd,
  )
  .map(([chunks, last, trailers, end]) => [...chunks, last, ...trailers, end].join(''));
