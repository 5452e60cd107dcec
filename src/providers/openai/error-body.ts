import { ERROR_KINDS } from '../../shared/errors.ts';
import type { ErrorCode, ObeliskError } from '../../shared/errors.ts';

/** OpenAI's error, as a body and as the data of an error frame in a stream. */
export function toErrorBody(error: ObeliskError): string {
  return JSON.stringify({
    error: { message: error.message, type: error.type, param: error.param ?? null, code: error.code },
  });
}

/** What an upstream said about its failure. */
export type UpstreamFailure = {
  readonly message?: string;
  readonly code?: string;
  readonly param?: string;
};

/**
 * Reads the `error` of a body: OpenAI's object, or the bare string that Ollama and many small
 * servers send. `undefined` when the value is no error.
 */
export function readFailure(json: unknown): UpstreamFailure | undefined {
  if (typeof json !== 'object' || json === null || !('error' in json)) return undefined;
  const { error } = json;
  if (typeof error === 'string') return { message: error };
  if (typeof error !== 'object' || error === null) return undefined;
  return {
    ...text('message', 'message' in error ? error.message : undefined),
    ...text('code', 'code' in error ? error.code : undefined),
    ...text('param', 'param' in error ? error.param : undefined),
  };
}

function text(key: 'message' | 'code' | 'param', value: unknown): UpstreamFailure {
  return typeof value === 'string' && value !== '' ? { [key]: value } : {};
}

/** Narrows a code from the wire to one of ours. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_KINDS, code);
}
