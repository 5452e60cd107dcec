import { createHash } from 'node:crypto';
import type { HttpRequest } from '../wire/http.ts';

/** Header by which our own code says for whom it asks; it counts inside the process alone. */
export const CLIENT_HEADER = 'x-obelisk-client';

/** What our own work is that nobody has asked for. */
const OURSELVES = 'obelisk';

/**
 * Who asks, for taking turns: an address with the key that it sends. People behind one proxy differ
 * by their keys, machines with one key by their addresses. The key itself is not in it.
 */
export function clientOf(request: HttpRequest): string {
  if (request.remoteAddress === 'process') return request.header(CLIENT_HEADER) ?? OURSELVES;
  const key = request.header('authorization') ?? request.header('x-api-key');
  if (key === undefined) return request.remoteAddress;
  return `${request.remoteAddress} ${createHash('sha256').update(key).digest('base64url').slice(0, 12)}`;
}
