/** Answers that break HTTP, or use what is never followed. */
import { chunk, head, hugeHead, json, redirect } from '../../upstream-scripts.ts';
import { flood, send, wait } from '../../upstream.ts';
import type { Step } from '../../upstream.ts';
import { alone, always, answer, error } from './fault-case.ts';
import type { FaultCase, UpstreamRow } from './fault-case.ts';
import { speechOf, wholeAnswer, WORDS } from './speech.ts';
import type { Setting } from './speech.ts';

const invalid = always(error(502, 'upstream_invalid'));

/** A fault that is the same bytes in every column. */
function plain(name: string, steps: readonly Step[], more: Partial<FaultCase> = {}): FaultCase {
  return { name, deployments: alone(() => steps), expect: invalid, ...more };
}

function body(at: Setting): string {
  return speechOf(at).body(WORDS).join('');
}

/** A whole body under a head whose length is short by so many bytes, which come late. */
function tooShort(at: Setting, byBytes: number): readonly Step[] {
  const bytes = Buffer.from(body(at));
  const length = bytes.length - byBytes;
  const headers = { 'content-type': speechOf(at).contentType, 'content-length': length };
  return [send(head(200, headers)), send(bytes.subarray(0, length)), wait(50), send(bytes.subarray(length))];
}

/** Rows 19, 26 and 27. */
export const FRAMING_ROWS: readonly UpstreamRow[] = [
  {
    row: 19,
    fault: 'a length that is wrong, doubled, or stands beside chunks',
    sees: 'An error; the connection is not used again.',
    cases: [
      {
        name: 'a length that is one byte short',
        // The last byte of a stream in records is a line feed that nobody misses.
        columns: ({ dialect, mode }) => dialect === 'openai' && mode === 'json',
        deployments: alone((at) => tooShort(at, 1)),
        expect: invalid,
      },
      {
        name: 'a length that ends inside the answer',
        deployments: alone((at) => tooShort(at, 40)),
        expect: ({ mode }) => [
          mode === 'json'
            ? error(502, 'upstream_invalid')
            : { sees: 'frame', code: 'upstream_invalid', text: 'Hello there!' },
        ],
        columns: ({ dialect, mode }) => !(dialect === 'openai' && mode === 'stream'),
      },
      {
        name: 'two lengths that differ',
        deployments: alone((at) => [
          send(
            `HTTP/1.1 200 OK\r\ncontent-type: ${speechOf(at).contentType}\r\ncontent-length: 5\r\ncontent-length: ${Buffer.byteLength(body(at))}\r\n\r\n${body(at)}`,
          ),
        ]),
        expect: invalid,
      },
      {
        name: 'a length beside chunks',
        deployments: alone((at) => [
          send(
            head(200, {
              'content-type': speechOf(at).contentType,
              'content-length': 5,
              'transfer-encoding': 'chunked',
            }) +
              chunk(body(at)) +
              chunk(''),
          ),
        ]),
        expect: invalid,
      },
      plain('a negative length', [send(head(200, { 'content-length': -3 }))]),
      plain('a chunk size that is no number', [
        send(`${head(200, { 'transfer-encoding': 'chunked' })}zz\r\n`),
      ]),
      plain('bytes that are no HTTP', [send('SSH-2.0-OpenSSH_9.9\r\n')]),
    ],
  },
  {
    row: 26,
    fault: 'a redirect',
    sees: 'An error; it is never followed, and the key goes nowhere else.',
    cases: [301, 302, 303, 307, 308].map((status) =>
      plain(`status ${status} to another path`, [redirect('/elsewhere', status)], { says: /redirect/ }),
    ),
  },
  {
    row: 27,
    fault: 'a flood of interim answers, a huge head, a header with CR',
    sees: 'An error; the connection is dropped.',
    cases: [
      plain('interim answers without end', [flood('HTTP/1.1 102 Processing\r\n\r\n')]),
      {
        name: 'one interim answer before the real one',
        deployments: alone((at) => [send(`HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${wholeAnswer(at)}`)]),
        expect: always(answer('Hello there!')),
      },
      plain('an upgrade nobody asked for', [
        send('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
      ]),
      plain('a head of 200 KiB', [hugeHead(200 * 1024)]),
      plain('a header with a bare CR', [send('HTTP/1.1 200 OK\r\nx-a: b\rc\r\ncontent-length: 0\r\n\r\n')]),
      plain('a header with a line feed and no name', [
        send('HTTP/1.1 200 OK\r\nno name here\r\ncontent-length: 0\r\n\r\n'),
      ]),
      plain('a 204 where an answer was due', [send(head(204, {}))], {
        expect: always(error(502, 'upstream_invalid')),
        keepsConnection: true,
      }),
      plain('an empty object', [json({})], { keepsConnection: true }),
    ],
  },
];
