import { createHash } from 'node:crypto';
import type { HttpRequest } from '../wire/http.ts';
import { sentKeyOf } from './key-check.ts';

/** Header by which our own code says for whom it asks; it counts inside the process alone. */
export const CLIENT_HEADER = 'x-obelisk-client';

/** What our own work is that nobody has asked for. */
const OURSELVES = 'obelisk';

/**
 * Who asks, for taking turns: an address with the key that it sends. People behind one proxy differ
 * by their keys, machines with one key by their addresses. The key itself is not in it.
 */
export function clientOf(request: Pick<HttpRequest, 'header' | 'remoteAddress'>): string {
  if (request.remoteAddress === 'process') return request.header(CLIENT_HEADER) ?? OURSELVES;
  // As the check reads it: who writes one key in several ways would have several turns.
  const key = sentKeyOf(request);
  if (key.kind !== 'one') return request.remoteAddress;
  const digest = createHash('sha256').update(key.value).digest('base64url');
  return `${request.remoteAddress} ${digest.slice(0, 12)}`;
}
