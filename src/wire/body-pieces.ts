import type { Body, UpstreamRequest } from './upstream.ts';

/** Whether a body is a list of pieces. */
export function isInPieces(body: UpstreamRequest['body']): body is readonly Buffer[] {
  return Array.isArray(body);
}

/** Length of a body in bytes; a string is UTF-8. */
export function byteLengthOf(body: Body | string): number {
  if (!isInPieces(body)) return Buffer.byteLength(body);
  let bytes = 0;
  for (const piece of body) bytes += piece.length;
  return bytes;
}
