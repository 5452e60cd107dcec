import { ObeliskError } from '../../shared/errors.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { parseJson } from '../../shared/parse-json.ts';
import { isErrorCode, readRefusal, upstreamCodeFor } from './error-body.ts';
import type { UpstreamFailure } from './error-body.ts';

/** A failed answer of an OpenAI-compatible upstream. */
export type UpstreamAnswer = {
  readonly status: number;
  /** `retry-after` as it came. */
  readonly retryAfter?: string | undefined;
  /** At most the first 64 KiB. */
  readonly body: string;
  /** Takes the deployment's key out of what was said. */
  readonly redact: (text: string) => string;
  /** Who failed, for the message: `openai https://host/v1`. */
  readonly upstream: string;
};

/** Longest part of an upstream's message that is passed on, in characters. */
const MESSAGE_LIMIT = 2_000;

/** Longest wait that is passed on, in seconds: some servers answer with years. */
const RETRY_AFTER_LIMIT = 3_600;

/**
 * Turns an upstream's failure into ours: what the client did wrong keeps its status and message,
 * what is between us and the upstream becomes a 502. A refusal of our key never quotes the body,
 * which may repeat the key.
 */
export function toUpstreamError(answer: UpstreamAnswer, nowMs: number): ObeliskError {
  // A proxy's HTML page or plain text: the status says all that can be passed on.
  const failure = redacted(readRefusal(parseJson(answer.body)) ?? {}, answer.redact);
  const retryAfter = parseRetryAfter(answer.retryAfter, nowMs);
  return errorOfStatus(answer.status, failure, { upstream: answer.upstream, retryAfter });
}

/** Turns an error that came inside a 200 or a stream into ours. */
export function toStreamedError(
  said: UpstreamFailure,
  { upstream, redact }: Pick<UpstreamAnswer, 'upstream' | 'redact'>,
): ObeliskError {
  const failure = redacted(said, redact);
  const { status, message = 'no message' } = failure;
  // A 403 inside a 200 is mostly a moderator's word on one prompt: it must not end the use of the key.
  if (status !== undefined && !isRefusalOfKey(status)) return errorOfStatus(status, failure, { upstream });
  const words = message.slice(0, MESSAGE_LIMIT);
  const own = ownCode(failure);
  return own
    ? new ObeliskError(own, words)
    : new ObeliskError('upstream_error', `${upstream} failed while answering: ${words}`);
}

function errorOfStatus(
  status: number,
  failure: UpstreamFailure,
  { upstream, retryAfter }: { readonly upstream: string; readonly retryAfter?: number | undefined },
): ObeliskError {
  if (isRefusalOfKey(status)) {
    return new ObeliskError(
      'upstream_auth',
      `${upstream} refused the key it was sent (${status}); correct the api_key of that deployment`,
      { upstreamStatus: status },
    );
  }
  const code = codeOf(status, failure);
  const said = failure.message?.slice(0, MESSAGE_LIMIT);
  return new ObeliskError(code, messageFor(code, { status, upstream, said }), {
    ...(failure.param && status < 500 ? { param: failure.param } : {}),
    retryAfter,
    upstreamStatus: status,
    upstreamCode: upstreamCodeFor(code, failure.code),
  });
}

function isRefusalOfKey(status: number): boolean {
  return status === 401 || status === 403;
}

/** Redacts what JSON's escapes have been taken out of: a key written with them is a key all the same. */
function redacted(failure: UpstreamFailure, redact: UpstreamAnswer['redact']): UpstreamFailure {
  const told = Object.entries(failure).map(([part, value]) => [
    part,
    typeof value === 'string' ? redact(value) : value,
  ]);
  return Object.fromEntries(told);
}

/**
 * Seconds of a `retry-after` header (a number or an HTTP date), between 1 and an hour;
 * `undefined` when there is none or it means nothing (RFC 9110 section 10.2.3).
 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined || value === '') return undefined;
  const seconds = /^\d+$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - nowMs) / 1_000);
  if (!Number.isFinite(seconds) || seconds < 0) return undefined;
  return Math.min(Math.max(seconds, 1), RETRY_AFTER_LIMIT);
}

/** Another Obelisk upstream says precisely what happened; its word is kept where it stays true here. */
function ownCode({ code }: UpstreamFailure): ErrorCode | undefined {
  if (code === undefined || !isErrorCode(code)) return undefined;
  return code === 'loop_detected' || code === 'context_length_exceeded' || code === 'model_unavailable'
    ? code
    : undefined;
}

function codeOf(status: number, failure: UpstreamFailure): ErrorCode {
  const own = ownCode(failure);
  if (own) return own;
  switch (status) {
    case 404:
      return 'model_not_found';
    case 408:
      return 'upstream_timeout';
    // Asked again as a temporary failure: the request is sound, and the client may ask later.
    case 409:
      return 'upstream_error';
    case 413:
      return 'payload_too_large';
    case 429:
      return 'rate_limited';
    case 504:
      return 'upstream_timeout';
    default:
      return status >= 400 && status < 500 ? codeOfRefusal(failure) : 'upstream_error';
  }
}

/** How vLLM and llama-server say that a prompt is too long; only OpenAI has a code for it. */
const TOO_LONG = /maximum context length is \d|exceeds the available context size/i;

function codeOfRefusal(failure: UpstreamFailure): ErrorCode {
  return TOO_LONG.test(failure.message ?? '') ? 'context_length_exceeded' : 'invalid_request';
}

type Told = { readonly status: number; readonly upstream: string; readonly said: string | undefined };

/** Statuses by which an upstream says that the request is wrong, and not something about itself. */
const OF_THE_REQUEST: ReadonlySet<number> = new Set([400, 422]);

function messageFor(code: ErrorCode, { status, upstream, said }: Told): string {
  // The client's own fault is told in the upstream's words, which SDKs and people match on.
  const isQuoted =
    code === 'context_length_exceeded' ||
    code === 'loop_detected' ||
    (code === 'invalid_request' && OF_THE_REQUEST.has(status));
  if (said !== undefined && isQuoted) return said;
  const told = said === undefined ? ' without an error message' : `: ${said}`;
  // A path that is not there looks the same: often the address lacks its end.
  const remedy =
    code === 'model_not_found'
      ? '; check the model of that deployment and its api_base, which mostly ends in /v1'
      : '';
  return `${upstream} answered ${status}${told}${remedy}`;
}
