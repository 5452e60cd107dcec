import { isObeliskError, messageOf, ObeliskError } from '../../shared/errors.ts';
import type { Clocks } from '../../wire/upstream.ts';

import { openOllama } from './exchange.ts';
import type { OllamaExchangeOptions } from './exchange.ts';
import type { OllamaUpload } from './request-types.ts';

/** A digest as Ollama names its blobs. */
export const OLLAMA_DIGEST: RegExp = /^sha256:[\da-f]{64}$/;
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Asks whether the host has the bytes of a digest.
 * @throws ObeliskError `invalid_request` for what is no digest, `upstream_*`.
 */
export async function hasOllamaBlob(
  options: OllamaExchangeOptions,
  { digest, clocks }: { readonly digest: string; readonly clocks: Clocks },
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    const response = await openOllama(options, { method: 'HEAD', path: pathOf(digest), clocks }, signal);
    await response.bytes(MAX_ANSWER_BYTES);
    return true;
  } catch (error) {
    if (isObeliskError(error) && error.upstreamStatus === 404) return false;
    throw error;
  }
}

/**
 * Uploads bytes under their digest.
 * @throws ObeliskError `invalid_request` for what is no digest, or bytes that are not those of the
 *   digest or cannot be read; `upstream_*`.
 */
export async function uploadOllamaBlob(
  options: OllamaExchangeOptions,
  upload: {
    readonly blob: OllamaUpload;
    readonly clocks: Clocks;
    readonly onSent: ((bytes: number) => void) | undefined;
  },
  signal?: AbortSignal,
): Promise<void> {
  const { blob, clocks, onSent } = upload;
  const bytes = { bytes: blob.bytes, open: () => counted(blob, onSent) };
  const response = await openOllama(
    options,
    { method: 'POST', path: pathOf(blob.digest), bytes, clocks },
    signal,
  );
  await response.bytes(MAX_ANSWER_BYTES);
}

async function* counted(
  blob: OllamaUpload,
  onSent: ((bytes: number) => void) | undefined,
): AsyncIterable<Uint8Array> {
  let sentBytes = 0;
  try {
    for await (const piece of blob.open()) {
      yield piece;
      sentBytes += piece.length;
      onSent?.(sentBytes);
    }
  } catch (error) {
    if (isObeliskError(error)) throw error;
    throw new ObeliskError('invalid_request', `what was to be uploaded cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function pathOf(digest: string): string {
  if (OLLAMA_DIGEST.test(digest)) return `/api/blobs/${digest}`;
  throw new ObeliskError('invalid_request', 'a digest is sha256: and 64 hexadecimal digits', {
    param: 'digest',
  });
}

/** The error for a file that a model is to be made of, and that its host does not have. */
export function notUploaded(digest: string, host: string): ObeliskError {
  return new ObeliskError(
    'invalid_request',
    `${host} does not have ${digest}; send its bytes to POST /api/blobs/${digest} first`,
    { param: 'files' },
  );
}
