/** What a row of the matrix is made of: data that any number of dialects and transports run through. */
import { send } from '../../upstream.ts';
import type { ReceivedRequest, Script, Step } from '../../upstream.ts';
import { wholeAnswer } from './speech.ts';
import type { Setting } from './speech.ts';

/** What the client gets. */
export type Expected =
  /** The whole answer, ended as a finished one. */
  | { readonly sees: 'answer'; readonly text: string }
  /** An error with a status of its own. */
  | {
      readonly sees: 'error';
      readonly status: number;
      readonly code: string;
      /** What the log and the metrics call it, where the code is the upstream's own. */
      readonly loggedAs?: string;
      /** Least and most seconds of `retry-after`; absent: the header must be absent. */
      readonly retryAfter?: readonly [number, number];
    }
  /** A stream that has begun, then an error frame, then `[DONE]`. */
  | {
      readonly sees: 'frame';
      readonly code: string | null;
      /** What the log and the metrics call it, where the frame is the upstream's own. */
      readonly loggedAs?: string;
      readonly text: string;
    };

type ErrorSeen = Extract<Expected, { sees: 'error' }>;

/** Who serves a deployment. */
export type Server =
  /** Does this with every chat request; `looks` with everything else it is asked. */
  | { readonly kind: 'scripted'; readonly chat: Script; readonly looks?: Script }
  /** The same behind a TLS handshake with this certificate, under this name. */
  | { readonly kind: 'tls'; readonly certificate: string; readonly host: string; readonly chat: Script }
  /** Accepts connections and never reads or writes a byte. */
  | { readonly kind: 'mute'; readonly scheme: 'http' | 'https' }
  /** Nothing listens there. */
  | { readonly kind: 'refusing' }
  /** Somewhere else: a base URL without the dialect's path. */
  | { readonly kind: 'elsewhere'; readonly origin: string }
  /** Answers a TLS handshake as servers of plain HTTP do. */
  | { readonly kind: 'plain behind https' };

/** One deployment of the model that a case asks for. */
export type DeploymentScript = {
  readonly server: Server;
  /** More `litellm_params`. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** Most chat requests that it may get in the whole case; unlimited unless told. */
  readonly atMost?: number;
};

/** What the metrics say of a deployment: left alone for a while, or not asked until the next configuration. */
export type Fate = 'serving' | 'unreachable' | 'timeout' | 'rate_limited' | 'failing' | 'disabled';

/** What one client does and sees. */
export type FaultCase = {
  /** What the peer does, to the byte. */
  readonly name: string;
  /** Columns in which the fault exists; all of them unless told. */
  readonly columns?: (at: Setting) => boolean;
  readonly deployments: (at: Setting) => readonly DeploymentScript[];
  /** What each request of the case sees, in order; they are sent one after another. */
  readonly expect: (at: Setting) => readonly Expected[];
  /** What the message of an error says. */
  readonly says?: RegExp;
  /** What the answer must not hold, besides the deployment's key. */
  readonly hides?: readonly string[];
  /** A line of the log about it. */
  readonly logs?: RegExp;
  /** Chat requests that all upstreams together get, least and most; as many as requests unless told. */
  readonly attempts?: readonly [number, number];
  /**
   * Requests sent again because a kept connection had died under them, which the gateway counts as one
   * attempt: nobody had read them.
   */
  readonly resent?: number;
  /** What becomes of the first deployment; it goes on serving unless told. */
  readonly becomes?: (at: Setting) => Fate;
  /** Whether connections may be kept for the next request: only where the answer was whole. */
  readonly keepsConnection?: boolean;
  /** How long the client takes nothing after it has asked, in milliseconds; it reads at once unless told. */
  readonly stalledMs?: number;
  /** Whether it moves so many bytes that it runs beside few others. */
  readonly heavy?: boolean;
  /** Longest time for a request, in milliseconds; 5 s unless told. */
  readonly deadlineMs?: number;
};

/** A row of the matrix, to be run. */
export type UpstreamRow = {
  readonly row: number;
  readonly fault: string;
  readonly sees: string;
  readonly cases: readonly FaultCase[];
};

/** One deployment that does these steps with every chat request. */
export function alone(
  steps: (at: Setting, request: ReceivedRequest, index: number) => readonly Step[],
): FaultCase['deployments'] {
  return (at) => [scripted(at, steps)];
}

/** The same, asked once a request: where retries are not the point they only take time. */
export function askedOnce(steps: (at: Setting) => readonly Step[]): FaultCase['deployments'] {
  return (at) => [{ ...scripted(at, steps), params: { num_retries: 0 } }];
}

/** A deployment that does these steps with every chat request. */
export function scripted(
  at: Setting,
  steps: (at: Setting, request: ReceivedRequest, index: number) => readonly Step[],
): DeploymentScript {
  return { server: { kind: 'scripted', chat: (request, index) => steps(at, request, index) } };
}

/**
 * The deployment is asked first, and another one that is well where it may not be asked: shares decide
 * who is, and the other has none.
 */
export function withAnother(
  first: DeploymentScript,
  at: Setting,
  atMost: number = Infinity,
): readonly DeploymentScript[] {
  const well = scripted(at, () => [send(wholeAnswer(at))]);
  return [
    { ...first, params: { ...first.params, weight: 1 } },
    { ...well, params: { weight: 0 }, atMost },
  ];
}

/** One request is answered so in every column. */
export function always(expected: Expected): FaultCase['expect'] {
  return () => [expected];
}

/** An error with its own status. */
export function error(status: number, code: string, retryAfter?: readonly [number, number]): ErrorSeen {
  return { sees: 'error', status, code, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

/** The same where the code is the upstream's own. */
export function ownError(expected: ErrorSeen, code: string): Expected {
  return { ...expected, code, loggedAs: expected.code };
}

/** A whole answer. */
export function answer(text: string): Expected {
  return { sees: 'answer', text };
}

/** An error where an answer had begun: its own status in JSON, a frame in a stream. */
export function broken(status: number, code: string, text: string): FaultCase['expect'] {
  return ({ mode }) => [mode === 'json' ? error(status, code) : { sees: 'frame', code, text }];
}

/** The expectation of a column in the words of the documentation. */
export function inWords(expected: Expected): string {
  switch (expected.sees) {
    case 'answer':
      return 'the answer';
    case 'error':
      return `${expected.status} \`${expected.code}\`${expected.retryAfter === undefined ? '' : ' + `retry-after`'}`;
    default:
      return expected.code === null
        ? 'the upstream’s error frame, `[DONE]`'
        : `frame \`${expected.code}\`, \`[DONE]\``;
  }
}
