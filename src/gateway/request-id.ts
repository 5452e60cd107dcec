import type { HttpRequest } from '../wire/http.ts';

/** What of a client's own id may be repeated in a header and a log line. */
const SANE = /^[A-Za-z0-9._:-]{1,128}$/;

/**
 * Creates the function that names requests: the client's own `x-request-id` where it is harmless,
 * else a number of this process. `instance` tells processes apart.
 */
export function createRequestIds(instance: string): (request: HttpRequest) => string {
  const mark = instance.slice(0, 8);
  let count = 0;
  return (request) => {
    const sent = request.header('x-request-id');
    if (sent !== undefined && SANE.test(sent)) return sent;
    count += 1;
    return `req_${mark}_${count.toString(36)}`;
  };
}
