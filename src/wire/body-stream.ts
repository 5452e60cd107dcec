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
  let leftBytes = body.bytes ?? 0;
  for await (const piece of body.open()) {
    if (to.destroyed) return;
    leftBytes -= body.bytes === undefined ? 0 : piece.length;
    if (leftBytes < 0) break;
    if (!to.write(piece)) await drained(to);
    if (to.destroyed) return;
    onSent();
  }
  if (leftBytes === 0) return;
  const message = 'what was to be sent is not as long as it was before; it changed while it was read';
  throw new ObeliskError('invalid_request', message);
}

/** The same bytes in the framing of a message whose length is not known (RFC 9112, 7.1). */
export function inChunks(body: BodyStream): BodyStream {
  return { bytes: undefined, open: () => chunksOf(body.open()) };
}

async function* chunksOf(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let lineEnd = '';
  for await (const piece of pieces) {
    // A chunk without bytes would end the message.
    if (piece.length === 0) continue;
    yield Buffer.from(`${lineEnd}${piece.length.toString(16)}\r\n`);
    yield piece;
    lineEnd = '\r\n';
  }
  yield Buffer.from(`${lineEnd}0\r\n\r\n`);
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
