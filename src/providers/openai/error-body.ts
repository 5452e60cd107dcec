import { ERROR_KINDS } from '../../shared/errors.ts';
import type { ErrorCode, ObeliskError } from '../../shared/errors.ts';
import { lineSafeJson } from '../../shared/line-safe-json.ts';

/** OpenAI's error, as a body and as the data of an error frame in a stream. */
export function toErrorBody({ message, type, param, code, upstreamCode }: ObeliskError): string {
  return lineSafeJson({ error: { message, type, param: param ?? null, code: upstreamCode ?? code } });
}

/** What an upstream said about its failure. */
export type UpstreamFailure = {
  readonly message?: string;
  readonly type?: string;
  readonly code?: string;
  readonly param?: string;
  /** The HTTP status that was said in place of a code, as OpenRouter and vLLM do. */
  readonly status?: number;
};

/**
 * Reads the `error` of a body: OpenAI's object, the bare string that Ollama and many small servers
 * send, or the body itself where older vLLM calls it an error. `undefined` when the value is no error.
 */
export function readFailure(json: unknown): UpstreamFailure | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  if (!('error' in json)) return 'object' in json && json.object === 'error' ? failureOf(json) : undefined;
  const { error } = json;
  if (typeof error === 'string') return { message: error };
  return typeof error === 'object' && error !== null ? failureOf(error) : undefined;
}

function failureOf(error: object): UpstreamFailure {
  return {
    ...text('message', 'message' in error ? error.message : undefined),
    ...text('type', 'type' in error ? error.type : undefined),
    ...codeOrStatus(error),
    ...text('param', 'param' in error ? error.param : undefined),
  };
}

/** A status of a failure (RFC 9110 sections 15.5 and 15.6). */
const FAILED_STATUS = /^[45]\d\d$/;

function codeOrStatus(error: object): UpstreamFailure {
  const code: unknown = 'code' in error ? error.code : undefined;
  const isStatus = (typeof code === 'number' || typeof code === 'string') && FAILED_STATUS.test(`${code}`);
  return isStatus ? { status: Number(code) } : text('code', code);
}

/** Depth to which words are looked for. */
const WORDS_DEPTH = 4;

/**
 * Reads the body of an answer whose status says that it failed: the `error`, and where there is none the
 * `message` or `detail` that servers send which do not keep to OpenAI's form (FastAPI, Mistral, older vLLM).
 */
export function readRefusal(json: unknown): UpstreamFailure | undefined {
  const failure = readFailure(json);
  if (failure !== undefined || typeof json !== 'object' || json === null) return failure;
  return {
    ...text('message', wordsOf(json, WORDS_DEPTH)),
    ...codeOrStatus(json),
    ...text('param', 'param' in json ? json.param : undefined),
  };
}

/** Of a validator's list only where and what: it may hold the input, too. */
function wordsOf(value: unknown, depth: number): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || depth === 0) return '';
  if (Array.isArray(value)) {
    const all = value.map((item: unknown) => wordsOf(item, depth - 1));
    return all.filter((words) => words !== '').join('; ');
  }
  if ('msg' in value && typeof value.msg === 'string')
    return 'loc' in value && Array.isArray(value.loc) ? `${value.loc.join('.')}: ${value.msg}` : value.msg;
  if ('message' in value) return wordsOf(value.message, depth - 1);
  return 'detail' in value ? wordsOf(value.detail, depth - 1) : '';
}

function text(key: keyof UpstreamFailure, value: unknown): UpstreamFailure {
  return typeof value === 'string' && value !== '' ? { [key]: value } : {};
}

/** Our codes that say only whose fault it is; the upstream's say what it is (`content_filter`). */
export const IMPRECISE_CODES: readonly ErrorCode[] = ['invalid_request', 'rate_limited'];

/** A code and not a sentence, so that it needs no escaping wherever it is shown. */
const PLAIN_CODE = /^[\w.-]{1,64}$/;

/**
 * An upstream's own code where it may stand in for ours. Never one of our names, which would tell of
 * something that did not happen here.
 */
export function upstreamCodeFor(code: ErrorCode, said: string | undefined): string | undefined {
  if (said === undefined || !IMPRECISE_CODES.includes(code)) return undefined;
  return PLAIN_CODE.test(said) && !isErrorCode(said) ? said : undefined;
}

/** Narrows a code from the wire to one of ours. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_KINDS, code);
}
