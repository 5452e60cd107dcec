import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

import { ObeliskError } from '../../shared/errors.ts';
import type { OllamaBlob } from '../request-types.ts';

/** Bytes that are read and hashed at a time: a fifth of a millisecond, so that others get their turn. */
const READ_BYTES = 256 * 1024;

/**
 * Takes the digest of a file.
 *
 * @param onRead Hears how many bytes of it have been read.
 * @throws ObeliskError `invalid_request` for what is no file, `client_gone` when the signal aborts; the
 *   system's own error where it cannot be read.
 */
export async function blobOf(
  file: string,
  signal?: AbortSignal,
  onRead?: (readBytes: number, totalBytes: number) => void,
): Promise<OllamaBlob> {
  const found = await stat(file);
  if (!found.isFile()) throw new ObeliskError('invalid_request', `${file} is not a file`);
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of piecesOf(file)) {
    if (signal?.aborted === true) throw new ObeliskError('client_gone', 'the caller gave up on the model');
    hash.update(piece);
    bytes += piece.length;
    onRead?.(bytes, found.size);
  }
  return { digest: `sha256:${hash.digest('hex')}`, bytes, open: () => piecesOf(file) };
}

function piecesOf(file: string): AsyncIterable<Buffer> {
  return createReadStream(file, { highWaterMark: READ_BYTES });
}
