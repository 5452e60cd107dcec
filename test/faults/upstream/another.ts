/** The same faults where another deployment of the model is well. */
import { EXPIRED } from '../../certificates.ts';
import { head } from '../../upstream-scripts.ts';
import { close, reset, send, stall, wait } from '../../upstream.ts';
import type { Step } from '../../upstream.ts';
import { answer, broken, error, scripted, withAnother } from './fault-case.ts';
import type { DeploymentScript, Expected, Fate, FaultCase, UpstreamRow } from './fault-case.ts';
import { begunAnswer, speechOf, wholeAnswer } from './speech.ts';
import type { Setting } from './speech.ts';

const HELLO = answer('Hello there!');

/** So many requests, each of which is answered. */
const answered = (count: number) => (): readonly Expected[] => Array.from({ length: count }, () => HELLO);

const BUSY = '{"error":"server busy"}';
const serverBusy = head(503, { 'content-length': BUSY.length }) + BUSY;

/** A connection that has answered what a model is, is a kept one. */
const RESENT = { resent: 1 };

type First = (at: Setting) => DeploymentScript;

/** The other deployment answers every request; the first becomes something. */
function mended(name: string, first: First, more: Partial<FaultCase> & { becomes: () => Fate }): FaultCase {
  return {
    name: `${name}, and another deployment is well`,
    deployments: (at) => withAnother(first(at), at),
    expect: answered(3),
    attempts: [3, 6],
    ...more,
  };
}

/** The other deployment is not asked. */
function notRetried(
  name: string,
  first: First,
  more: Partial<FaultCase> & Pick<FaultCase, 'expect'>,
): FaultCase {
  return {
    name: `${name}, and another deployment is not asked`,
    deployments: (at) => withAnother(first(at), at, 0),
    ...more,
  };
}

const steps = (list: (at: Setting) => readonly Step[]) => (at: Setting) => scripted(at, list);

function refusal(status: number, headers: Readonly<Record<string, string>> = {}): First {
  return steps((at) => {
    const text = speechOf(at).error('out of order');
    const all = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers };
    return [send(head(status, all) + text)];
  });
}

/** More cases of a row that is told elsewhere. */
function row(number: number, fault: string, cases: readonly FaultCase[]): UpstreamRow {
  return { row: number, fault, sees: '', cases };
}

/** Cases of rows 2 to 9 and 21 to 25 with two deployments. */
export const ANOTHER_ROWS: readonly UpstreamRow[] = [
  row(2, 'connection refused', [
    mended('nothing listens on the port', () => ({ server: { kind: 'refusing' } }), {
      becomes: () => 'unreachable',
      attempts: [3, 3],
    }),
  ]),
  row(3, 'no such name', [
    mended(
      'the name does not exist',
      () => ({ server: { kind: 'elsewhere', origin: 'http://other.absent.test:8000' } }),
      { becomes: () => 'unreachable', attempts: [3, 3] },
    ),
  ]),
  row(4, 'TLS', [
    notRetried(
      'a certificate that has expired',
      () => ({ server: { kind: 'tls', certificate: EXPIRED, host: 'localhost', chat: [stall] } }),
      { expect: () => [error(502, 'upstream_invalid')], attempts: [0, 0] },
    ),
  ]),
  row(5, 'accepted, then nothing', [
    mended('a TLS handshake that nobody answers', () => ({ server: { kind: 'mute', scheme: 'https' } }), {
      becomes: () => 'unreachable',
      attempts: [3, 3],
    }),
  ]),
  row(6, 'reset before the head', [
    mended(
      'a reset',
      steps(() => [reset]),
      { becomes: () => 'unreachable', ...RESENT },
    ),
    mended(
      'a clean close',
      steps(() => [close]),
      { becomes: () => 'unreachable', ...RESENT },
    ),
  ]),
  row(7, 'no head', [
    mended(
      'silence',
      (at) => ({ ...scripted(at, () => [stall]), params: { timeout: 0.8, stream_timeout: 0.6 } }),
      {
        becomes: () => 'timeout',
      },
    ),
  ]),
  row(8, 'reset inside JSON', [
    notRetried(
      'a reset between chunks',
      steps((at) => [send(begunAnswer(at)), wait(20), reset]),
      {
        // Ollama's work costs nothing, and of an answer in one piece nobody has seen a word.
        columns: ({ dialect, mode }) => mode === 'json' && dialect === 'openai',
        expect: broken(502, 'upstream_unreachable', 'Hel'),
      },
    ),
    mended(
      'a reset between chunks',
      steps((at) => [send(begunAnswer(at)), wait(20), reset]),
      {
        columns: ({ dialect, mode }) => mode === 'json' && dialect === 'ollama',
        becomes: () => 'unreachable',
      },
    ),
  ]),
  row(9, 'reset inside a stream', [
    notRetried(
      'a reset between chunks',
      steps((at) => [send(begunAnswer(at)), wait(20), reset]),
      {
        columns: ({ mode }) => mode === 'stream',
        expect: broken(502, 'upstream_unreachable', 'Hel'),
      },
    ),
  ]),
  row(21, '429', [
    mended('`retry-after: 7`', (at) => ({ ...refusal(429, { 'retry-after': '7' })(at), atMost: 1 }), {
      becomes: () => 'rate_limited',
      attempts: [4, 4],
    }),
  ]),
  row(22, '429 without', [
    mended('no `retry-after`', refusal(429), { becomes: () => 'rate_limited', attempts: [4, 6] }),
  ]),
  row(23, '5xx', [
    ...[500, 503].map((status) =>
      mended(`status ${status}`, (at) => ({ ...refusal(status)(at), atMost: 5 }), {
        expect: answered(8),
        becomes: () => 'failing',
        attempts: [13, 13],
      }),
    ),
    {
      name: 'status 503 once, then an answer',
      deployments: (at) => [
        scripted(at, (_at, _request, index) => (index === 0 ? [send(serverBusy)] : [send(wholeAnswer(at))])),
      ],
      expect: answered(1),
      attempts: [2, 2],
    },
  ]),
  row(24, '401', [
    {
      name: 'status 401, and another deployment is well',
      deployments: (at) => withAnother({ ...refusal(401)(at), atMost: at.dialect === 'ollama' ? 3 : 1 }, at),
      expect: ({ dialect }) =>
        dialect === 'ollama' ? [error(502, 'upstream_auth')] : [error(502, 'upstream_auth'), HELLO, HELLO],
      keepsConnection: true,
      becomes: ({ dialect }) => (dialect === 'ollama' ? 'serving' : 'disabled'),
    },
  ]),
  row(25, '404', [
    notRetried('status 404', refusal(404), {
      columns: ({ dialect }) => dialect === 'openai',
      expect: () => [error(404, 'model_not_found')],
      keepsConnection: true,
    }),
  ]),
];
