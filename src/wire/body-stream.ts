import type { Writable } from 'node:stream';
import { ObeliskError } from '../shared/errors.ts';
import type { BodyStream, UpstreamRequest } from './upstream.ts';

/** Whether a body is read while it is sent. */
export function isStreamed(body: UpstreamRequest['body']): body is BodyStream {
  return typeof body === 'object' && 'open' in body;
}

/**
 * Writes a body piece by piece, no faster than `to` takes them. Stops where `to` is destroyed.
 *
 * @param onSent Called after each piece that was taken.
 * @throws ObeliskError `invalid_request` where the pieces are not as long as was said before: the
 *   message can then only be broken off. What reading the pieces throws.
 */
export async function writeStream(body: BodyStream, to: Writable, onSent: () => void): Promise<void> {
  let leftBytes = body.bytes;
  for await (const piece of body.open()) {
    if (to.destroyed) return;
    leftBytes -= piece.length;
    if (leftBytes < 0) break;
    if (!to.write(piece)) await drained(to);
    if (to.destroyed) return;
    onSent();
  }
  if (leftBytes === 0) return;
  const message = 'what was to be sent is not as long as it was before; it changed while it was read';
  throw new ObeliskError('invalid_request', message);
}

function drained(to: Writable): Promise<void> {
  if (to.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const goOn = (): void => {
      to.off('drain', goOn);
      to.off('close', goOn);
      resolve();
    };
    to.on('drain', goOn);
    to.on('close', goOn);
  });
}
