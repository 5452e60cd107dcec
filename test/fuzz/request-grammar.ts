import * as fc from 'fast-check';
import {
  TRICKY_LENGTHS,
  TRICKY_TRANSFER_CODINGS,
  chunkedBody,
  fieldLine,
  lineEnd,
  mostly,
} from './field-grammar.ts';

const method = mostly(
  fc.constantFrom('GET', 'POST'),
  fc.constantFrom(
    'get',
    'HEAD',
    'PUT',
    'DELETE',
    'OPTIONS',
    'PATCH',
    'CONNECT',
    'PRI',
    'QUERY',
    'G T',
    '',
    'GETX',
    'POST\t',
  ),
);

const path = fc
  .array(
    fc.constantFrom('a', '/', '.', '..', '%2e', '%00', '~', '*', '?', 'b=c', '&', ':', '@', '!', "'", ';'),
    { maxLength: 6 },
  )
  .map((parts) => `/${parts.join('')}`);
const target = mostly(
  path,
  fc.constantFrom(
    '*',
    'http://a/b',
    'http://a',
    'HTTP://u@a:1/b?c',
    'a:80',
    '/a b',
    '/a#b',
    '/\u00E9',
    '/a\tb',
    '/a\u0000',
    '//a',
    '/?',
    '/??',
    '',
    '?a',
    '#',
    '/a?b#c',
    '/"',
    '/<>',
    '/\\',
    '/^`{|}',
    '/\u007F',
    '/a\r',
    '/a\n',
    'b',
    'http:/a',
    'https://a/',
  ),
);

const version = mostly(
  fc.constant('HTTP/1.1'),
  fc.constantFrom(
    'HTTP/1.0',
    'HTTP/0.9',
    'HTTP/2.0',
    'HTTP/1.2',
    'HTTP/1.10',
    'HTTP/01.1',
    'HTTP/1',
    'http/1.1',
    'HTTP/1.1 ',
    'HTTP /1.1',
    '',
    'HTTPS/1.1',
    'ICE/1.0',
    'RTSP/1.1',
    'HTTP/1.1\t',
    'HTTP/1,1',
    'HTTP/+1.1',
    'XTTP/1.1',
    'HTTP/3.0',
    'HTTP/9.9',
  ),
);

const gap = mostly(fc.constant(' '), fc.constantFrom('  ', '\t', '', ' \t', '\r', '\u000B', '\u00A0'));

const requestLine = fc
  .tuple(
    mostly(fc.constant(''), fc.constantFrom('\r\n', '\r\n\r\n', '\n', ' ', '\t', '\r', '\u0000', '\uFEFF')),
    method,
    gap,
    target,
    gap,
    version,
    lineEnd,
  )
  .map((parts) => parts.join(''));

/** How a request says how long its body is, and the body. */
const framing = fc.oneof(
  { weight: 4, arbitrary: fc.constant(['', ''] as const) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.string({ unit: 'binary-ascii', maxLength: 12 }), fc.constantFrom(-1, 0, 0, 0, 0, 1))
      .map(([body, off]) => [`Content-Length: ${Math.max(0, body.length + off)}\r\n`, body] as const),
  },
  { weight: 3, arbitrary: chunkedBody.map((body) => ['Transfer-Encoding: chunked\r\n', body] as const) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(TRICKY_LENGTHS, TRICKY_TRANSFER_CODINGS, fc.boolean(), chunkedBody)
      .map(([length, coding, swapped, body]) => [swapped ? coding + length : length + coding, body] as const),
  },
  { weight: 1, arbitrary: fc.tuple(TRICKY_LENGTHS, fc.constantFrom('', 'a', 'hello')) },
  { weight: 1, arbitrary: fc.tuple(TRICKY_TRANSFER_CODINGS, chunkedBody) },
);

const host = mostly(
  fc.constant('Host: a\r\n'),
  fc.constantFrom(
    '',
    'Host:\r\n',
    'Host: a\r\nHost: a\r\n',
    'Host : a\r\n',
    'Host: a b\r\n',
    'host:a:1\r\n',
    'Host: a, b\r\n',
    'HOST:\ta\t\r\n',
  ),
);

const requestField = fc.oneof(
  { weight: 5, arbitrary: fieldLine },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          'Connection',
          'connection',
          'Proxy-Connection',
          'Keep-Alive',
          'Upgrade',
          'Expect',
          'TE',
          'Trailer',
          'HTTP2-Settings',
        ),
        fc.constantFrom(
          'close',
          'keep-alive',
          'Keep-Alive',
          'Close',
          'upgrade',
          'keep-alive, close',
          'close, keep-alive',
          'keep-alive, upgrade',
          'TE',
          '',
          'h2c',
          'websocket',
          '100-continue',
          '100-Continue',
          'trailers',
          'timeout=5, max=1',
          'x',
          ' close ',
          'close\t',
          'keep-alive,',
        ),
        lineEnd,
      )
      .map(([name, value, end]) => `${name}: ${value}${end}`),
  },
);

const request = fc
  .tuple(requestLine, host, fc.array(requestField, { maxLength: 3 }), framing, lineEnd, fc.boolean())
  .map(([line, hostLine, fields, [framingLines, body], end, early]) =>
    [line, early ? framingLines : '', hostLine, ...fields, early ? '' : framingLines, end, body].join(''),
  );

/** The bytes of a connection to a server, as latin1: mostly requests, mostly valid, often almost so. */
export const requestStream: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(request, { minLength: 1, maxLength: 3 }),
    mostly(fc.constant(''), fc.string({ unit: 'binary-ascii', maxLength: 5 })),
  )
  .map(([requests, rest]) => requests.join('') + rest);
