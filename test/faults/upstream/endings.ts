/** Answers that break off. */
import { chunk, chunkedHead, head, lastChunk } from '../../upstream-scripts.ts';
import { close, reset, send, wait } from '../../upstream.ts';
import type { Step } from '../../upstream.ts';
import { alone, broken } from './fault-case.ts';
import type { UpstreamRow } from './fault-case.ts';
import { begunAnswer, BEGUN, speechOf, WORDS } from './speech.ts';
import type { Setting } from './speech.ts';

const isJson = ({ mode }: Setting): boolean => mode === 'json';
const isStream = ({ mode }: Setting): boolean => mode === 'stream';
/** Whether the upstream itself was asked for one JSON body. */
const isOneBody = ({ dialect, mode }: Setting): boolean => dialect === 'openai' && mode === 'json';

const unreachable = broken(502, 'upstream_unreachable', 'Hel');
const invalid = broken(502, 'upstream_invalid', 'Hel');

/** A head that promises more bytes than come, and those that come. */
function withLength(at: Setting, connection: 'keep-alive' | 'close' = 'keep-alive'): Step {
  const speech = speechOf(at);
  const whole = Buffer.byteLength(speech.body(WORDS).join(''));
  const headers = { 'content-type': speech.contentType, 'content-length': whole + 1_000, connection };
  return send(head(200, headers) + speech.unfinished(BEGUN));
}

/** A head without length or chunks: the end of the connection is the end of the body. */
function withoutLength(at: Setting, body: string): Step {
  return send(head(200, { 'content-type': speechOf(at).contentType, connection: 'close' }) + body);
}

/** Whole records or one cut body, and an end of the framing that says that this was all. */
function cleanlyEnded(at: Setting, body: string): Step {
  return send(chunkedHead(speechOf(at).contentType) + chunk(body) + lastChunk);
}

/** The body of a finished answer, cut right after the n-th brace from its end: it still ends with one. */
function cutAtBrace(at: Setting): string {
  const whole = speechOf(at).body(WORDS).join('').trimEnd();
  return whole.slice(0, whole.lastIndexOf('}', whole.length - 2) + 1);
}

/** Rows 8 to 10. */
export const ENDING_ROWS: readonly UpstreamRow[] = [
  {
    row: 8,
    fault: 'reset in the middle of a JSON answer',
    sees: 'An error. It is not asked again: the model has done the work, and may have been paid for it.',
    cases: [
      {
        name: 'a reset inside a body of known length',
        columns: isJson,
        deployments: alone((at) => [withLength(at), wait(20), reset]),
        expect: unreachable,
      },
      {
        name: 'a close inside a body of known length',
        columns: isJson,
        deployments: alone((at) => [withLength(at, 'close'), close]),
        expect: unreachable,
      },
      {
        name: 'a reset between chunks',
        columns: isJson,
        deployments: alone((at) => [send(begunAnswer(at)), wait(20), reset]),
        expect: unreachable,
      },
      {
        name: 'a close inside a chunk',
        columns: isJson,
        deployments: alone((at) => [send(`${begunAnswer(at)}ff\r\n{"mes`), close]),
        expect: unreachable,
      },
    ],
  },
  {
    row: 9,
    fault: 'reset in the middle of a stream',
    sees: 'What came, then an error frame and `[DONE]`. Nothing is asked twice.',
    cases: [
      {
        name: 'a reset between chunks',
        columns: isStream,
        deployments: alone((at) => [send(begunAnswer(at)), wait(20), reset]),
        expect: unreachable,
      },
      {
        name: 'a reset inside a record',
        columns: isStream,
        deployments: alone((at) => [
          send(begunAnswer(at) + chunk(speechOf(at).record('lo').slice(0, 30))),
          wait(20),
          reset,
        ]),
        expect: unreachable,
      },
      {
        name: 'a close inside a chunk',
        columns: isStream,
        deployments: alone((at) => [send(`${begunAnswer(at)}ff\r\nda`), close]),
        expect: unreachable,
      },
      {
        name: 'a close inside a body of known length',
        columns: isStream,
        deployments: alone((at) => [withLength(at, 'close'), close]),
        expect: unreachable,
      },
    ],
  },
  {
    row: 10,
    fault: 'a clean end without an end of the answer',
    sees: 'As 8 and 9: only `finish_reason`, `[DONE]` or `done` ends an answer; where several were asked for (`n`), only `[DONE]` ends their stream.',
    cases: [
      {
        name: 'the last chunk after half the answer',
        deployments: alone((at) => [cleanlyEnded(at, speechOf(at).unfinished(BEGUN))]),
        expect: invalid,
        keepsConnection: true,
      },
      {
        name: 'the connection closes after half of an answer without length',
        deployments: alone((at) => [withoutLength(at, speechOf(at).unfinished(BEGUN)), close]),
        expect: invalid,
      },
      {
        name: 'the connection closes at an inner brace of an answer without length',
        columns: isOneBody,
        deployments: alone((at) => [withoutLength(at, cutAtBrace(at)), close]),
        expect: invalid,
      },
      {
        name: 'a stream without a single record',
        deployments: alone((at) => [cleanlyEnded(at, '\n')]),
        expect: () => [{ sees: 'error', status: 502, code: 'upstream_invalid' }],
        keepsConnection: true,
      },
    ],
  },
];
