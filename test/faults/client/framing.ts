import assert from 'node:assert/strict';
import type { ClientCase } from './client-case.ts';
import { exchange } from './raw-client.ts';
import { assertRefused, chatBody, CLOSE, get, postHead } from './requests.ts';
import type { Refusal } from './requests.ts';

const ALIVE = '/health/liveliness';
/** What would follow in a smuggling attempt: were it answered, there would be two answers. */
const SMUGGLED = get(ALIVE, [CLOSE]);
const BODY = chatBody({ model: 'nobody', says: 'answer', stream: false });
const LENGTH = `Content-Length: ${BODY.length}`;
const CHUNKED = 'Transfer-Encoding: chunked';
const CHUNKED_BODY = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`;

const line = (first: string, ...headers: readonly string[]): string =>
  [first, ...headers, '', ''].join('\r\n');

type Ambiguity = readonly [fault: string, bytes: string];

const REFUSED: readonly Ambiguity[] = [
  [
    'sends both `Content-Length` and `Transfer-Encoding`',
    postHead([CHUNKED, 'Content-Length: 3']) + CHUNKED_BODY,
  ],
  [
    'sends `Transfer-Encoding` before a `Content-Length` of the whole',
    postHead([LENGTH, CHUNKED]) + CHUNKED_BODY,
  ],
  ['sends two different lengths', postHead([LENGTH, 'Content-Length: 3']) + BODY],
  ['sends the same length twice', postHead([LENGTH, LENGTH]) + BODY],
  ['sends a list of lengths', postHead([`${LENGTH}, ${BODY.length}`]) + BODY],
  ['sends a length with a sign', postHead([`Content-Length: +${BODY.length}`]) + BODY],
  ['sends a length in hexadecimal', postHead(['Content-Length: 0x10']) + BODY],
  ['sends a negative length', postHead(['Content-Length: -1']) + BODY],
  ['sends an empty length', postHead(['Content-Length:']) + BODY],
  ['sends a length beyond 64 bits', postHead(['Content-Length: 18446744073709551617']) + BODY],
  ['sends an unknown transfer coding', postHead(['Transfer-Encoding: xchunked']) + CHUNKED_BODY],
  [
    'sends `chunked` that is not the last coding',
    postHead(['Transfer-Encoding: chunked, identity']) + CHUNKED_BODY,
  ],
  ['sends the transfer coding twice', postHead([CHUNKED, CHUNKED]) + CHUNKED_BODY],
  ['hides the transfer coding behind a space', postHead(['Transfer-Encoding : chunked', LENGTH]) + BODY],
  [
    'hides the transfer coding behind a vertical tab',
    postHead(['Transfer-Encoding: \u000Bchunked', LENGTH]) + BODY,
  ],
  ['sends a chunk size with a prefix', `${postHead([CHUNKED])}0x5\r\nhello\r\n0\r\n\r\n`],
  ['sends a chunk size with a sign', `${postHead([CHUNKED])}+5\r\nhello\r\n0\r\n\r\n`],
  ['sends a chunk size beyond 64 bits', `${postHead([CHUNKED])}fffffffffffffffff\r\n`],
  ['sends a chunk longer than its size', `${postHead([CHUNKED])}3\r\nhello\r\n0\r\n\r\n`],
  ['sends no chunk size', `${postHead([CHUNKED])}\r\nhello\r\n0\r\n\r\n`],
  ['ends lines of the head with a bare line feed', get(ALIVE, ['X-Odd: 1\nX-Even: 2'])],
  ['ends all lines with a bare line feed', get(ALIVE).replaceAll('\r\n', '\n')],
  ['sends a bare carriage return in a value', get(ALIVE, ['X-Odd: a\rb'])],
  ['folds a header over two lines', get(ALIVE, ['X-Odd: a\r\n b'])],
  ['begins the head with a folded line', line(`GET ${ALIVE} HTTP/1.1`, ' X-Odd: a', 'Host: localhost')],
  ['puts a space before a colon', get(ALIVE, ['X-Odd : a'])],
  ['sends a header without a name', get(ALIVE, [': a'])],
  ['sends a header without a colon', get(ALIVE, ['X-Odd'])],
  ['sends a NUL in a value', get(ALIVE, ['X-Odd: a\u0000b'])],
  ['sends a NUL in a name', get(ALIVE, ['X\u0000Odd: a'])],
  ['names no host', line(`GET ${ALIVE} HTTP/1.1`, CLOSE)],
  ['names two hosts', get(ALIVE, ['Host: evil.example'])],
  ['names the same host twice', get(ALIVE, ['Host: localhost'])],
  ['sends a head of 100 KB', get(ALIVE, [`X-Long: ${'x'.repeat(100_000)}`])],
  [
    'sends a thousand headers of 100 bytes',
    get(
      ALIVE,
      Array.from({ length: 1_000 }, (_, index) => `X-${index}: ${'x'.repeat(90)}`),
    ),
  ],
  ['sends a target of 100 KB', get(`/${'x'.repeat(100_000)}`)],
  ['sends a space in the target', get('/health/ liveliness')],
  ['sends a target of neither form', line('GET health HTTP/1.1', 'Host: localhost')],
  ['speaks HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['speaks a version that there is not', line(`GET ${ALIVE} HTTP/1.9`, 'Host: localhost')],
  ['speaks HTTP/0.9', `GET ${ALIVE}\r\n`],
  ['speaks TLS to a plain port', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00FC\u0003\u0003'],
  ['uses a method that there is not', line(`BREW ${ALIVE} HTTP/1.1`, 'Host: localhost')],
  ['writes the method in lower case', line(`get ${ALIVE} HTTP/1.1`, 'Host: localhost')],
];

const TOO_LARGE: Refusal = { status: 431, code: 'invalid_request' };
const INVALID: Refusal = { status: 400, code: 'invalid_request' };

function isTooLarge(fault: string): boolean {
  return fault.includes('100 KB') || fault.includes('thousand headers');
}

function refused([fault, bytes]: Ambiguity, refusal: Refusal, sees: string): ClientCase {
  return {
    row: 45,
    side: 'client',
    fault: `The client ${fault}.`,
    sees,
    async check({ arena, lane }) {
      const before = lane.upstream.requests.length;
      const answers = await exchange(arena.url, Buffer.from(bytes + SMUGGLED, 'latin1'));
      assert.equal(answers.length, 1, JSON.stringify(answers));
      assertRefused(answers[0], refusal);
      assert.equal(answers[0]?.headers['connection'], 'close');
      assert.equal(lane.upstream.requests.length, before);
    },
  };
}

/** Row 45, as far as it is refused. */
export const REFUSED_FRAMING: readonly ClientCase[] = [
  ...REFUSED.map((ambiguity) =>
    isTooLarge(ambiguity[0])
      ? refused(ambiguity, TOO_LARGE, '431 `invalid_request`, and the connection is closed.')
      : refused(
          ambiguity,
          INVALID,
          '400 `invalid_request`, and the connection is closed: what follows on it is never taken for another request.',
        ),
  ),
  refused(
    [
      'asks for a tunnel, as of a proxy (CONNECT)',
      line('CONNECT localhost:443 HTTP/1.1', 'Host: localhost:443'),
    ],
    { status: 405, code: 'method_not_allowed' },
    '405 `method_not_allowed`, and the connection is closed.',
  ),
];
