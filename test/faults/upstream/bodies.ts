/** Answers that are something else: pages, too large, compressed. */
import { gzipSync } from 'node:zlib';
import { answer as response, chunk, chunkedHead, head } from '../../upstream-scripts.ts';
import { flood, send } from '../../upstream.ts';
import type { Step } from '../../upstream.ts';
import { alone, always, answer, askedOnce, error } from './fault-case.ts';
import type { UpstreamRow } from './fault-case.ts';
import { speechOf, wholeAnswer, WORDS } from './speech.ts';
import type { Setting } from './speech.ts';

const invalid = always(error(502, 'upstream_invalid'));

const PAGE =
  '<!DOCTYPE html><html><head><title>Airport WiFi</title></head><body>Sign in to {"choices":[{"finish_reason":"stop"}]}</body></html>';

const isJson = ({ mode }: Setting): boolean => mode === 'json';

function compressed(at: Setting, encoding: string, cutBytes = 0): Step {
  const bytes = gzipSync(speechOf(at).body(WORDS).join(''));
  const headers = {
    'content-type': speechOf(at).contentType,
    'content-encoding': encoding,
    'content-length': bytes.length - cutBytes,
  };
  return send(Buffer.concat([Buffer.from(head(200, headers)), bytes.subarray(0, bytes.length - cutBytes)]));
}

/** A large piece of an answer, over and over, in chunks. */
function endless(at: Setting): readonly Step[] {
  const { contentType, unfinished, record } = speechOf(at);
  const isOneBody = at.dialect === 'openai' && at.mode === 'json';
  const piece = isOneBody ? 'x'.repeat(1_000_000) : record('x'.repeat(1_000_000));
  return [send(chunkedHead(contentType) + chunk(unfinished(['Hel']))), flood(chunk(piece))];
}

/** Rows 17, 18 and 20. */
export const BODY_ROWS: readonly UpstreamRow[] = [
  {
    row: 17,
    fault: 'a web page instead of an answer',
    sees: 'An error that asks whether the address is right; the page is not passed on.',
    cases: [
      {
        name: 'a page with status 200',
        deployments: alone(() => [response(200, 'text/html', PAGE)]),
        expect: invalid,
        hides: ['Airport', 'Sign in'],
        keepsConnection: true,
      },
      {
        name: 'a page with status 200 that calls itself an answer',
        deployments: alone((at) => [response(200, speechOf(at).contentType, PAGE)]),
        expect: invalid,
        hides: ['Airport', 'Sign in'],
        keepsConnection: true,
      },
      {
        name: 'a page with status 502',
        deployments: askedOnce(() => [response(502, 'text/html', PAGE)]),
        expect: always(error(502, 'upstream_error')),
        hides: ['Airport', 'Sign in'],
        keepsConnection: true,
      },
    ],
  },
  {
    row: 18,
    fault: 'an answer without end',
    sees: 'An error once 32 MiB have come; the connection is closed.',
    cases: [
      {
        name: 'one answer that goes on and on',
        columns: isJson,
        deployments: alone(endless),
        expect: invalid,
        deadlineMs: 20_000,
        heavy: true,
      },
      {
        name: 'an error whose text goes on and on',
        deployments: askedOnce(() => [
          send(head(500, { 'content-type': 'application/json' })),
          send('{"error":"'),
          flood('x'.repeat(100_000)),
        ]),
        expect: always(error(502, 'upstream_error')),
      },
    ],
  },
  {
    row: 20,
    fault: 'compression that nobody asked for',
    sees: 'An error: nothing is unpacked, so no bomb and no cut archive can lie.',
    cases: [
      { name: 'gzip', deployments: alone((at) => [compressed(at, 'gzip')]), expect: invalid },
      { name: 'cut gzip', deployments: alone((at) => [compressed(at, 'gzip', 8)]), expect: invalid },
      {
        name: 'six layers',
        deployments: alone((at) => [compressed(at, 'gzip, gzip, gzip, gzip, gzip, gzip')]),
        expect: invalid,
      },
      {
        name: 'an encoding of no known name',
        deployments: alone((at) => [compressed(at, 'x-own')]),
        expect: invalid,
      },
      {
        name: 'identity, as it was asked for',
        deployments: alone((at) => [
          send(wholeAnswer(at).replace('\r\n\r\n', '\r\ncontent-encoding: identity\r\n\r\n')),
        ]),
        expect: always(answer('Hello there!')),
      },
    ],
  },
];
