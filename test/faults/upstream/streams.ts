/** Streams that are malformed, too large, or hold an error. */
import { answer as response, chunk, chunkedHead, lastChunk } from '../../upstream-scripts.ts';
import { close, send } from '../../upstream.ts';
import type { ReceivedRequest, Step } from '../../upstream.ts';
import { alone, always, answer, broken, error } from './fault-case.ts';
import type { FaultCase, UpstreamRow } from './fault-case.ts';
import { BEGUN, speechOf, WORDS } from './speech.ts';
import type { Setting } from './speech.ts';

const HELLO = always(answer('Hello there!'));
const invalid = broken(502, 'upstream_invalid', 'Hel');
const MIB = 1024 * 1024;

const isSse = ({ dialect, mode }: Setting): boolean => dialect === 'openai' && mode === 'stream';
const isNdjson = ({ dialect }: Setting): boolean => dialect === 'ollama';
const isRecords = (at: Setting): boolean => isSse(at) || isNdjson(at);

/** A body in one chunk, ended well. */
function body(at: Setting, text: string | Buffer): Step {
  const bytes = Buffer.from(text);
  const framed = [Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from(`\r\n${lastChunk}`)];
  return send(Buffer.concat([Buffer.from(chunkedHead(speechOf(at).contentType)), ...framed]));
}

/** The body of a finished answer, changed; its framing is in order. */
function altered(
  name: string,
  change: (whole: string) => string | Buffer,
  more: Partial<FaultCase> = {},
): FaultCase {
  return {
    name,
    deployments: alone((at) => [body(at, change(speechOf(at).body(WORDS).join('')))]),
    expect: HELLO,
    keepsConnection: true,
    ...more,
  };
}

/** Something wrong between the beginning of an answer and a proper end. */
function amid(name: string, wrong: string, more: Partial<FaultCase> = {}): FaultCase {
  return {
    name,
    deployments: alone((at) => {
      const speech = speechOf(at);
      return [
        send(chunkedHead(speech.contentType) + chunk(speech.unfinished(BEGUN))),
        send(chunk(wrong + speech.rest(['lo'])) + lastChunk),
      ];
    }),
    expect: invalid,
    keepsConnection: true,
    ...more,
  };
}

/** The key that the deployment sent, which some servers repeat; Ollama is sent none. */
function keyOf(request: ReceivedRequest): string {
  return request.headers['authorization']?.slice('Bearer '.length) ?? 'none';
}

/** A record of so many bytes and more. */
function huge(at: Setting, bytes: number): string {
  return speechOf(at).record('x'.repeat(bytes));
}

/** Rows 13 to 16 and 29. */
export const STREAM_ROWS: readonly UpstreamRow[] = [
  {
    row: 13,
    fault: 'an event stream that is odd or malformed',
    sees: 'What the standard allows is read as it says; an event that is not JSON breaks the answer off, as 9.',
    cases: [
      altered('no blank line after the last event', (whole) => whole.trimEnd(), { columns: isSse }),
      altered('lines that end with CR', (whole) => whole.replaceAll('\n', '\r'), { columns: isSse }),
      altered('lines that end with CRLF', (whole) => whole.replaceAll('\n', '\r\n'), { columns: isSse }),
      altered('a byte order mark', (whole) => `\uFEFF${whole}`, { columns: isSse }),
      altered('no space after the colon', (whole) => whole.replaceAll('data: ', 'data:'), { columns: isSse }),
      altered(
        'comments, and fields nobody knows',
        (whole) =>
          `: hello\n\nid: 1\nretry: 10\nvendor: x\n${whole.replace('\n\n', '\n\n: ping\n\nevent\n\n')}`,
        { columns: isSse },
      ),
      altered(
        'junk of eight bits in a line of its own',
        (whole) => Buffer.concat([Buffer.from([0xff, 0xfe, 0x80, 0x0a]), Buffer.from(whole)]),
        { columns: isSse },
      ),
      altered(
        'an event over several lines',
        (whole) => whole.replaceAll(',"choices"', ',\ndata: "choices"'),
        {
          columns: isSse,
        },
      ),
      amid('an event that is not JSON', 'data: {"choices":[{"delta":{"content":"lo\n\n', { columns: isSse }),
      amid('an event of plain text', 'data: Internal Server Error\n\n', { columns: isSse }),
    ],
  },
  {
    row: 14,
    fault: 'lines of JSON that are malformed',
    sees: 'The answer breaks off, as 9; a last line without its line feed counts.',
    cases: [
      altered('no line feed after the last line', (whole) => whole.trimEnd(), { columns: isNdjson }),
      altered('lines that end with CRLF', (whole) => whole.replaceAll('\n', '\r\n'), { columns: isNdjson }),
      altered('empty lines', (whole) => whole.replaceAll('\n', '\n\n'), { columns: isNdjson }),
      amid('a line that is not JSON', 'Internal Server Error\n', { columns: isNdjson }),
      amid('a number', '42\n', { columns: isNdjson }),
      amid('a message of another shape', '{"message":"lo","done":false}\n', { columns: isNdjson }),
      {
        name: 'two records in one line',
        columns: isNdjson,
        deployments: alone((at) => {
          const record = speechOf(at).record('lo');
          return [
            body(
              at,
              speechOf(at).unfinished(BEGUN) + record.trimEnd() + record + speechOf(at).body([]).join(''),
            ),
          ];
        }),
        expect: invalid,
        keepsConnection: true,
      },
      {
        name: 'half a line at the end',
        columns: isNdjson,
        deployments: alone((at) => [
          body(at, speechOf(at).unfinished(BEGUN) + speechOf(at).record('lo').slice(0, 40)),
        ]),
        expect: invalid,
        keepsConnection: true,
      },
    ],
  },
  {
    row: 15,
    fault: 'a record of more than 4 MiB',
    sees: 'An error where nothing had come yet, else as 9; what was kept of it is dropped.',
    cases: [
      {
        name: 'the first record has 5 MiB',
        columns: isRecords,
        deployments: alone((at) => [body(at, huge(at, 5 * MIB))]),
        expect: always(error(502, 'upstream_invalid')),
        keepsConnection: true,
      },
      {
        name: 'a later record has 5 MiB',
        columns: isRecords,
        deployments: alone((at) => [
          send(chunkedHead(speechOf(at).contentType) + chunk(speechOf(at).unfinished(BEGUN))),
          send(chunk(huge(at, 5 * MIB)) + lastChunk),
        ]),
        expect: invalid,
        keepsConnection: true,
      },
      {
        name: 'a record of 3 MiB is none of them',
        columns: isRecords,
        deployments: alone((at) => [
          body(
            at,
            speechOf(at)
              .body(['x'.repeat(3 * MIB)])
              .join(''),
          ),
        ]),
        expect: always(answer('x'.repeat(3 * MIB))),
      },
    ],
  },
  {
    row: 16,
    fault: 'an error inside a 200',
    sees: 'It is the error that it is: with a status of its own, or as 9 where the answer had begun.',
    cases: [
      {
        name: 'as the whole body',
        deployments: alone((at, request) => [
          response(200, 'application/json', speechOf(at).error(`out of memory, ${keyOf(request)}`)),
        ]),
        expect: always(error(502, 'upstream_error')),
        says: /out of memory/,
        keepsConnection: true,
      },
      {
        name: 'as the first record',
        columns: isRecords,
        deployments: alone((at, request) => [
          body(at, speechOf(at).streamedError(`out of memory, ${keyOf(request)}`)),
        ]),
        expect: always(error(502, 'upstream_error')),
        says: /out of memory/,
        keepsConnection: true,
      },
      {
        name: 'that the prompt does not fit, as the first record',
        columns: isRecords,
        deployments: alone((at) => [
          body(
            at,
            speechOf(at).streamedError('the prompt exceeds the available context size', {
              code: 'context_length_exceeded',
            }),
          ),
        ]),
        expect: always(error(400, 'context_length_exceeded')),
        keepsConnection: true,
      },
      {
        name: 'that says 429 in place of a code',
        columns: ({ dialect }) => dialect === 'openai',
        deployments: alone((at) => [body(at, speechOf(at).streamedError('too many at once', { code: 429 }))]),
        expect: always(error(429, 'rate_limited', [1, 60])),
        attempts: [2, 3],
        becomes: () => 'rate_limited',
        deadlineMs: 15_000,
        says: /too many at once/,
        keepsConnection: true,
      },
      {
        name: 'known by the name of its event alone',
        columns: isSse,
        deployments: alone((at) => [
          body(at, 'event: error\ndata: {"message":"out of memory"}\n\ndata: [DONE]\n\n'),
        ]),
        expect: always(error(502, 'upstream_error')),
        says: /out of memory/,
        keepsConnection: true,
      },
      {
        name: 'after the first words',
        columns: isRecords,
        deployments: alone((at, request) => [
          send(chunkedHead(speechOf(at).contentType) + chunk(speechOf(at).unfinished(BEGUN))),
          send(chunk(speechOf(at).streamedError(`out of memory, ${keyOf(request)}`)) + lastChunk),
        ]),
        expect: ({ dialect, mode }) => {
          if (mode === 'json') return [error(502, 'upstream_error')];
          const frame = { sees: 'frame', text: 'Hel', loggedAs: 'upstream_error' } as const;
          return [{ ...frame, code: dialect === 'openai' ? null : 'upstream_error' }];
        },
        says: /out of memory/,
        keepsConnection: true,
      },
    ],
  },
  {
    row: 29,
    fault: 'text that is not UTF-8, or cut in the middle of a character',
    sees: 'A character that came in two pieces is whole; what is none is U+FFFD.',
    cases: [
      {
        name: 'each byte of an answer in a chunk of its own',
        deployments: alone((at) => {
          const text = Buffer.from(speechOf(at).body(['Grüße ', '👋🏽']).join(''));
          const bytes = [...text].flatMap((byte) => [
            Buffer.from('1\r\n'),
            Buffer.of(byte),
            Buffer.from('\r\n'),
          ]);
          const whole = Buffer.concat([Buffer.from(chunkedHead(speechOf(at).contentType)), ...bytes]);
          return [send(whole.subarray(0, 300)), send(whole.subarray(300)), send(lastChunk)];
        }),
        expect: always(answer('Grüße 👋🏽')),
      },
      {
        name: 'a byte that begins no character',
        deployments: alone((at) => [
          body(
            at,
            Buffer.from(speechOf(at).body(['a\u0001b']).join('').replace('\\u0001', '\u00ff'), 'latin1'),
          ),
        ]),
        expect: always(answer('a\uFFFDb')),
        keepsConnection: true,
      },
      {
        name: 'half a character, and the connection closes',
        columns: isRecords,
        deployments: alone((at) => [
          send(chunkedHead(speechOf(at).contentType) + chunk(speechOf(at).unfinished(BEGUN))),
          send(Buffer.from('3\r\na\u00c3', 'latin1')),
          close,
        ]),
        expect: broken(502, 'upstream_unreachable', 'Hel'),
      },
    ],
  },
];
