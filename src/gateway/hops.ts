import { ObeliskError } from '../shared/errors.ts';
import type { HttpRequest } from '../wire/http.ts';

/** Names the instances that a request has come through, nearest last. */
export const HOP_HEADER = 'x-obelisk-hop';

/** More gateways in a row than anybody builds on purpose. */
const HOP_LIMIT = 8;

/**
 * The instances that a request has come through; empty for a client's own.
 * @throws ObeliskError `loop_detected` when this instance is among them: a deployment's `api_base`
 *   leads back here (LiteLLM and Obelisk both listen on 4000 by default).
 */
export function hopsOf(request: HttpRequest, instanceId: string): string {
  const header = request.header(HOP_HEADER);
  if (header === undefined) return '';
  const hops = header.split(',').map((hop) => hop.trim());
  if (hops.includes(instanceId) || hops.length >= HOP_LIMIT) {
    throw new ObeliskError(
      'loop_detected',
      'this request came back to the Obelisk that sent it: the api_base of a deployment is this server’s own address; correct it, or move one of the two to another port',
    );
  }
  return /^[\w-]{1,64}(?:,[\w-]{1,64})*$/.test(hops.join(',')) ? hops.join(',') : '';
}
