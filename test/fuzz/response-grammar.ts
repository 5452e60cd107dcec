import * as fc from 'fast-check';
import {
  TRICKY_LENGTHS,
  TRICKY_TRANSFER_CODINGS,
  chunkedBody,
  fieldLine,
  lineEnd,
  mostly,
} from './field-grammar.ts';

const version = mostly(
  fc.constant('HTTP/1.1'),
  fc.constantFrom(
    'HTTP/1.0',
    'HTTP/1.0',
    'HTTP/0.9',
    'HTTP/2.0',
    'HTTP/1.2',
    'http/1.1',
    'ICE/1.0',
    'HTTP/1',
    'HTTP/1.10',
    'RTSP/1.0',
  ),
);
const status = mostly(
  fc.constantFrom('200', '200', '200', '404', '500', '201', '204', '304', '206', '429'),
  fc.constantFrom(
    '100',
    '101',
    '102',
    '103',
    '199',
    '205',
    '099',
    '000',
    '600',
    '999',
    '20',
    '2000',
    '',
    '+20',
    ' 200',
    '2 0',
    ' 20',
  ),
);
const reason = mostly(
  fc.constantFrom(' OK', ' ', '', ' Not Found', ' \u00E9'),
  fc.constantFrom('OK', '\tOK', '  OK', ' O\tK', ' O\u0000K', ' O\u0001K', ' O\rK', ' O\nK', ' \u007F'),
);
const statusLine = fc
  .tuple(
    mostly(fc.constant(''), fc.constantFrom('\r\n', '\n', ' ', '\r', '\u0000')),
    version,
    mostly(fc.constant(' '), fc.constantFrom('  ', '\t', '')),
    status,
    reason,
    lineEnd,
  )
  .map((parts) => parts.join(''));

const text = fc.string({ unit: 'binary-ascii', maxLength: 12 });

/** How a response says how long its body is, and the body. */
const framing = fc.oneof(
  { weight: 2, arbitrary: text.map((body) => ['', body] as const) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(text, fc.constantFrom(-1, 0, 0, 0, 0, 1))
      .map(([body, off]) => [`Content-Length: ${Math.max(0, body.length + off)}\r\n`, body] as const),
  },
  { weight: 6, arbitrary: chunkedBody.map((body) => ['Transfer-Encoding: chunked\r\n', body] as const) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(TRICKY_LENGTHS, TRICKY_TRANSFER_CODINGS, fc.boolean(), chunkedBody)
      .map(([length, coding, swapped, body]) => [swapped ? coding + length : length + coding, body] as const),
  },
  { weight: 2, arbitrary: fc.tuple(TRICKY_LENGTHS, fc.constantFrom('', 'a', 'hello', 'hello!')) },
  { weight: 2, arbitrary: fc.tuple(TRICKY_TRANSFER_CODINGS, chunkedBody) },
);

const responseField = fc.oneof(
  { weight: 4, arbitrary: fieldLine },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          'Connection',
          'connection',
          'Proxy-Connection',
          'Keep-Alive',
          'Upgrade',
          'Trailer',
          'Set-Cookie',
          '__proto__',
          'constructor',
        ),
        fc.constantFrom(
          'close',
          'keep-alive',
          'Close',
          'upgrade',
          'keep-alive, close',
          'close,x',
          'closed',
          '',
          'timeout=5',
          'timeout=0',
          'x',
          ' close ',
          'h2c',
          'x-close',
        ),
        lineEnd,
      )
      .map(([name, value, end]) => `${name}: ${value}${end}`),
  },
);

const response = fc
  .tuple(statusLine, fc.array(responseField, { maxLength: 3 }), framing, lineEnd, fc.boolean())
  .map(([line, fields, [framingLines, body], end, early]) =>
    [line, early ? framingLines : '', ...fields, early ? '' : framingLines, end, body].join(''),
  );

const interim = fc
  .tuple(
    fc.constantFrom('100 Continue', '103 Early Hints', '102', '199 x', '101 Switching Protocols'),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant<string[]>([]) },
      { weight: 1, arbitrary: fc.array(responseField, { maxLength: 2 }) },
    ),
    fc.oneof(
      { weight: 6, arbitrary: fc.constant('') },
      { weight: 1, arbitrary: TRICKY_LENGTHS },
      { weight: 1, arbitrary: TRICKY_TRANSFER_CODINGS },
    ),
    lineEnd,
  )
  .map(([line, fields, framingLine, end]) =>
    ['HTTP/1.1 ', line, '\r\n', ...fields, framingLine, end].join(''),
  );

/** The bytes that answer a request, as latin1: mostly one response, mostly valid, often almost so. */
export const responseStream: fc.Arbitrary<string> = fc
  .tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant<string[]>([]) },
      { weight: 1, arbitrary: fc.array(interim, { maxLength: 3 }) },
    ),
    response,
    mostly(fc.constant(''), fc.oneof(text, response)),
  )
  .map(([interims, message, rest]) => [...interims, message, rest].join(''));
