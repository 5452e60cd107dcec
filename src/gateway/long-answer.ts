import type { HttpResponse } from '../wire/http.ts';

/** Longest body that is handed over in one piece, in bytes. */
export const ONE_PIECE_BYTES: number = 256 * 1024;
/** Pieces of a longer one: a client that takes one of them within its time is not stalled. */
export const PIECE_BYTES: number = 64 * 1024;

/**
 * Sends a long body piece by piece as the client takes it, so that a client which takes nothing is
 * noticed and dropped with what waits for it. `onEnd` is told, once, whether all of it was handed over.
 */
export function sendLong(
  response: HttpResponse,
  text: Uint8Array | string,
  onEnd: (complete: boolean) => void,
): void {
  const body = typeof text === 'string' ? Buffer.from(text) : text;
  const sendFrom = (start: number): void => {
    for (let at = start; !response.closed; at += PIECE_BYTES) {
      const end = at + PIECE_BYTES;
      if (end >= body.length) {
        response.end(body.subarray(at));
        onEnd(true);
        return;
      }
      if (!response.write(body.subarray(at, end))) {
        response.onDrain(() => sendFrom(end));
        return;
      }
    }
    onEnd(false);
  };
  sendFrom(0);
}
