import { ObeliskError } from '../shared/errors.ts';
import type { HttpRequest } from '../wire/http.ts';
import type { Call } from './call.ts';

/** Header names as a browser lists them; anything else is not repeated into a header. */
const NAME_LIST = /^[A-Za-z0-9_-]+(?:\s*,\s*[A-Za-z0-9_-]+)*$/;

/** Whether a browser asks if it may send a request (Fetch standard, CORS preflight). */
export function isPreflight(request: HttpRequest): boolean {
  return request.method === 'OPTIONS' && request.header('access-control-request-method') !== undefined;
}

/**
 * Answers a preflight of an origin that was found allowed.
 * @throws ObeliskError `not_found` for a path without routes.
 */
export function answerPreflight(call: Call, methods: readonly string[]): void {
  if (methods.length === 0) throw new ObeliskError('not_found', 'there is no route at this path');
  const { request } = call;
  const wanted = request.header('access-control-request-headers') ?? '';
  call.route = '(preflight)';
  call.head(204, {
    'access-control-allow-methods': methods.join(', '),
    ...(NAME_LIST.test(wanted) ? { 'access-control-allow-headers': wanted } : {}),
    // A page on the web that was allowed reaches a private address: browsers ask for that apart.
    ...(request.header('access-control-request-private-network') === 'true'
      ? { 'access-control-allow-private-network': 'true' }
      : {}),
    'access-control-max-age': '600',
  });
  call.response.end();
  call.settle('ok');
}
