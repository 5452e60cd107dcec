/** Errors that an upstream tells by its status. */
import { head } from '../../upstream-scripts.ts';
import { send } from '../../upstream.ts';
import type { Step } from '../../upstream.ts';
import { alone, always, askedOnce, error, ownError } from './fault-case.ts';
import type { FaultCase, UpstreamRow } from './fault-case.ts';
import { speechOf } from './speech.ts';
import type { Setting } from './speech.ts';

type Told = {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly more?: Readonly<Record<string, unknown>>;
};

function refusal(at: Setting, { status, message, headers = {}, more }: Told): Step {
  const text = speechOf(at).error(message, more);
  const all = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers };
  return send(head(status, all) + text);
}

/** A deployment that always refuses so. */
function refusing(told: Told | ((at: Setting) => Told)): FaultCase['deployments'] {
  return alone((at) => [refusal(at, typeof told === 'function' ? told(at) : told)]);
}

/** The deployment's key, as `stage.ts` gives it; servers repeat it in their refusals. */
const KEY_IN_TEXT = 'Incorrect API key provided: sk-operator-';

const DECADE_S = 10 * 365 * 86_400;

function limited(
  name: string,
  retryAfter: string | (() => string) | undefined,
  seconds: readonly [number, number],
): FaultCase {
  return {
    name,
    deployments: askedOnce((at) => {
      const value = typeof retryAfter === 'function' ? retryAfter() : retryAfter;
      const headers = value === undefined ? {} : { 'retry-after': value };
      return [refusal(at, { status: 429, message: 'slow down', headers })];
    }),
    expect: always(error(429, 'rate_limited', seconds)),
    becomes: () => 'rate_limited',
    keepsConnection: true,
  };
}

/** A refusal of the request by an upstream; only OpenAI's dialect has codes of its own for it. */
function refused(status: number, code: string | null): FaultCase {
  const expected = error(status, 'invalid_request');
  return {
    name: code === null ? `status ${status}` : `status ${status} and the code \`${code}\``,
    ...(code === null ? {} : { columns: ({ dialect }) => dialect === 'openai' }),
    deployments: refusing({ status, message: 'that will not do', more: { code } }),
    expect: always(code === null ? expected : ownError(expected, code)),
    keepsConnection: true,
  };
}

/** Rows 21 to 25 with one deployment. */
export const STATUS_ROWS: readonly UpstreamRow[] = [
  {
    row: 21,
    fault: '429 with `Retry-After`',
    sees: 'The deployment rests that long, a minute at most; without another one, 429 and `retry-after`.',
    cases: [
      limited('in seconds', '7', [6, 7]),
      limited('as a date', () => new Date(Date.now() + 9_000).toUTCString(), [7, 10]),
      limited('in ten years', String(DECADE_S), [1, 3_600]),
      limited('in the past', 'Tue, 01 Jan 2019 00:00:00 GMT', [1, 60]),
      limited('negative', '-5', [1, 60]),
      limited('in words', 'soon', [1, 60]),
      {
        ...limited('with the code `insufficient_quota`', '7', [6, 7]),
        columns: ({ dialect }) => dialect === 'openai',
        deployments: askedOnce((at) => [
          refusal(at, {
            status: 429,
            message: 'no money',
            headers: { 'retry-after': '7' },
            more: { code: 'insufficient_quota' },
          }),
        ]),
        expect: always(ownError(error(429, 'rate_limited', [6, 7]), 'insufficient_quota')),
      },
    ],
  },
  {
    row: 22,
    fault: '429 without `Retry-After`',
    sees: 'The deployment rests for a second and longer each time; without another one, 429 and `retry-after`.',
    cases: [
      limited('no header', undefined, [1, 60]),
      {
        name: 'no header, asked again after a pause',
        deployments: refusing({ status: 429, message: 'slow down' }),
        expect: always(error(429, 'rate_limited', [1, 60])),
        attempts: [2, 3],
        keepsConnection: true,
        deadlineMs: 15_000,
      },
    ],
  },
  {
    row: 23,
    fault: 'an error of the server itself',
    sees: 'Another deployment is tried; without one, an error that quotes the upstream.',
    cases: [500, 502, 529].map((status) => ({
      name: `status ${status}`,
      deployments: askedOnce((at) => [refusal(at, { status, message: 'the GPU is on fire' })]),
      expect: always(error(502, 'upstream_error')),
      says: /the GPU is on fire/,
      keepsConnection: true,
    })),
  },
  {
    row: 24,
    fault: 'the upstream refuses our key',
    sees: 'It is not the client’s fault: 502, and its text, which may repeat the key, is not passed on. Others are asked from then on until the configuration changes; Ollama, which is sent no key, is asked again.',
    cases: [401, 403].map((status) => ({
      name: `status ${status}`,
      deployments: refusing({ status, message: KEY_IN_TEXT }),
      expect: always(error(502, 'upstream_auth')),
      hides: ['Incorrect', 'sk-operator'],
      keepsConnection: true,
    })),
  },
  {
    row: 25,
    fault: 'the upstream does not know the model, or refuses the request',
    sees: '404, with the command that pulls it where the upstream is Ollama; or its refusal in its own words, with its own code where it has one. It is not asked again.',
    cases: [
      {
        name: 'status 404',
        deployments: refusing(({ dialect }) => ({
          status: 404,
          message: dialect === 'ollama' ? `model 'tiny:latest' not found` : 'The model does not exist',
          more: { code: 'model_not_found' },
        })),
        expect: always(error(404, 'model_not_found')),
        keepsConnection: true,
      },
      refused(400, 'content_filter'),
      refused(400, null),
      refused(402, null),
      refused(422, null),
      refused(422, 'unsupported_value'),
      {
        ...refused(413, null),
        expect: always(error(413, 'payload_too_large')),
      },
    ],
  },
];
