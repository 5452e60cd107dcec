import { isObeliskError, ObeliskError } from '../../shared/errors.ts';
import type { ErrorCode } from '../../shared/errors.ts';

/** One failure as Ollama told it. */
export type OllamaFailure = {
  /** HTTP status; absent for an error inside a stream, where Ollama loses it. */
  readonly status?: number;
  /** The `error` text. */
  readonly text: string;
  /** `http://host:port`, for the message. */
  readonly host: string;
  readonly model?: string;
  readonly retryAfter?: number;
  /** Of the host, where a proxy in front of it asks for one. */
  readonly key?: 'sent' | 'missing';
};

/** Ollama's word for a queue of its own that is full. */
const SERVER_BUSY = /server busy|maximum pending requests/i;

/** Ollama has no codes: what went wrong is only in the text, in several versions' wording. */
const BY_TEXT: readonly (readonly [RegExp, ErrorCode])[] = [
  [
    /(?:input|prompt)\b.*\bexceeds?\b.*\bcontext|exceeds? the (?:available )?context|context (?:length|window|size) exceeded/i,
    'context_length_exceeded',
  ],
  [
    /does not support|doesn't support|this model only supports|not supported by (?:this )?model/i,
    'unsupported',
  ],
  [/model\b.*\bnot found|pulling it first/i, 'model_not_found'],
  [SERVER_BUSY, 'overloaded'],
  [/unauthorized|sign ?in/i, 'upstream_auth'],
  [
    /option "[^"]+" must be of type|invalid (?:JSON )?schema in format|invalid options|time: missing unit|invalid format|quantization is only supported|unsupported quantization|invalid model name/i,
    'invalid_request',
  ],
];

const BY_STATUS: ReadonlyMap<number, ErrorCode> = new Map([
  [400, 'invalid_request'],
  [401, 'upstream_auth'],
  [402, 'invalid_request'],
  [403, 'upstream_auth'],
  [404, 'upstream_error'],
  [413, 'payload_too_large'],
  [422, 'invalid_request'],
  [429, 'rate_limited'],
  [503, 'overloaded'],
]);

const MAX_QUOTE = 300;

/** Turns a failure of Ollama into Obelisk's error: code from text and status, message with a remedy. */
export function ollamaError(failure: OllamaFailure): ObeliskError {
  const code = codeOf(failure);
  const message = `ollama ${failure.host}${toldBy(code, failure)}${remedyOf(code, failure)}`;
  return new ObeliskError(code, message, {
    ...(code === 'model_not_found' ? { param: 'model' } : {}),
    ...(code === 'context_length_exceeded' ? { param: 'messages' } : {}),
    ...(failure.retryAfter === undefined ? {} : { retryAfter: failure.retryAfter }),
    upstreamStatus: failure.status ?? 200,
  });
}

/**
 * Whether Ollama, and not a proxy in front of it, takes no request now: it has not looked at this one,
 * and will soon.
 */
export function isServerBusy(error: unknown): boolean {
  return isObeliskError(error) && error.code === 'overloaded' && SERVER_BUSY.test(error.message);
}

/** A refusal of a key is never quoted: a proxy in front of Ollama may repeat the key in it. */
function toldBy(code: ErrorCode, { status, text }: OllamaFailure): string {
  if (code !== 'upstream_auth') return `: ${quote(text)}`;
  return ` refused the request${status === undefined ? '' : ` (${status})`}`;
}

function codeOf({ status, text }: OllamaFailure): ErrorCode {
  if (status === 401 || status === 403) return 'upstream_auth';
  const byText = BY_TEXT.find(([pattern]) => pattern.test(text))?.[1];
  if (byText !== undefined) return byText;
  return (status === undefined ? undefined : BY_STATUS.get(status)) ?? 'upstream_error';
}

function remedyOf(code: ErrorCode, failure: OllamaFailure): string {
  switch (code) {
    case 'context_length_exceeded':
      return '; shorten the prompt or raise num_ctx';
    case 'model_not_found':
      return failure.model === undefined ? '' : `; get it with: ollama pull ${failure.model}`;
    case 'upstream_auth':
      return authRemedyOf(failure);
    case 'upstream_error':
      return failureRemedyOf(failure);
    default:
      return '';
  }
}

function failureRemedyOf({ status, text }: OllamaFailure): string {
  if (/memory/i.test(text)) return '; lower num_ctx or choose a smaller model';
  // The model would be named: it is the path that is not there.
  return status === 404 ? '; check that this address is an Ollama’s' : '';
}

function authRemedyOf({ status, key }: OllamaFailure): string {
  if (status === 403) return '; Ollama refuses this address, see OLLAMA_ORIGINS and OLLAMA_HOST';
  if (key === 'sent') return '; correct the api_key of that host';
  return key === 'missing' ? '; set the api_key of that host' : '; run: ollama signin';
}

/** One line of bounded length: the text comes from outside. */
function quote(text: string): string {
  const flat = text.replaceAll(/\s+/g, ' ').trim();
  if (flat === '') return 'an error without a text';
  return flat.length > MAX_QUOTE ? `${flat.slice(0, MAX_QUOTE)}…` : flat;
}
