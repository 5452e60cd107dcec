/** Upstreams that are silent or slow. */
import { chunk } from '../../upstream-scripts.ts';
import { drip, send, stall } from '../../upstream.ts';
import type { Step } from '../../upstream.ts';
import { always, answer, broken, error, scripted } from './fault-case.ts';
import type { FaultCase, UpstreamRow } from './fault-case.ts';
import { begunAnswer, speechOf, wholeAnswer } from './speech.ts';
import type { Setting } from './speech.ts';

const timeout = always(error(504, 'upstream_timeout'));

/** A deployment with clocks of its own. */
function timed(
  params: Readonly<Record<string, number>>,
  steps: (at: Setting) => readonly Step[],
): FaultCase['deployments'] {
  return (at) => [{ ...scripted(at, steps), params }];
}

const QUICK = { timeout: 0.8, stream_timeout: 0.6 };
/** A byte of it every tenth of a second lasts longer than any test. */
const LONG = 'x'.repeat(10_000);

/** Rows 5, 7, 11 and 12 with one deployment. */
export const CLOCK_ROWS: readonly UpstreamRow[] = [
  {
    row: 5,
    fault: 'the connection is accepted, and nothing follows',
    sees: 'The connect clock (3 s) ends it; another deployment is asked, and without one it is as 2.',
    cases: [
      {
        name: 'a TLS handshake that nobody answers',
        deployments: () => [{ server: { kind: 'mute', scheme: 'https' } }],
        expect: always(error(502, 'upstream_unreachable')),
        says: /accepted no connection within/,
        attempts: [0, 0],
      },
    ],
  },
  {
    row: 7,
    fault: 'the head of the answer does not come',
    sees: 'The first-byte clock ends it: 60 s, or 10 minutes for local models, which may have to be loaded.',
    cases: [
      {
        name: 'silence',
        deployments: timed(QUICK, () => [stall]),
        expect: timeout,
      },
      {
        name: 'a head that comes a byte at a time',
        deployments: timed(QUICK, () => [drip(`HTTP/1.1 200 OK\r\nx-long: ${LONG}`, 50)]),
        expect: timeout,
      },
      {
        name: 'silence when asked what the model is',
        columns: ({ dialect }) => dialect === 'ollama',
        deployments: (at) => [
          {
            server: { kind: 'scripted', chat: [send(wholeAnswer(at))], looks: [stall] },
            params: QUICK,
          },
        ],
        expect: timeout,
        attempts: [0, 0],
      },
    ],
  },
  {
    row: 11,
    fault: 'an answer falls silent',
    sees: 'The idle clock ends it, as 8 and 9; what was complete by then is an answer.',
    cases: [
      {
        name: 'silence after the first words',
        deployments: timed({}, (at) => [send(begunAnswer(at)), stall]),
        expect: broken(504, 'upstream_timeout', 'Hel'),
      },
      {
        name: 'silence in the middle of a chunk',
        deployments: timed({}, (at) => [send(`${begunAnswer(at)}ff\r\nda`), stall]),
        expect: broken(504, 'upstream_timeout', 'Hel'),
      },
      {
        name: 'silence after the end of the answer',
        columns: ({ dialect, mode }) => dialect === 'ollama' || mode === 'stream',
        deployments: timed({}, (at) => [send(begunAnswer(at) + chunk(speechOf(at).rest(['lo']))), stall]),
        expect: always(answer('Hello')),
      },
    ],
  },
  {
    row: 12,
    fault: 'an answer that drips',
    sees: 'The clock of the whole exchange (30 min) ends it, as 8 and 9.',
    cases: [
      {
        name: 'a byte every 50 ms',
        deployments: timed({ timeout: 1.2 }, (at) => [
          send(begunAnswer(at)),
          drip(`${LONG.length.toString(16)}\r\n${LONG}`, 50),
        ]),
        expect: broken(504, 'upstream_timeout', 'Hel'),
      },
    ],
  },
];
