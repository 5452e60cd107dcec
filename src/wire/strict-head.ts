import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Fields that a request may have once. Of a second one node:http forgets it or joins the two, and
 * whoever else reads the request may take the other: another host, another key, another kind of body.
 */
const ONCE: ReadonlySet<string> = new Set(['host', 'authorization', 'x-api-key', 'content-type', 'origin']);

/** What is wrong with a head that node:http has accepted; undefined where nothing is. */
export function headProblem(incoming: IncomingMessage): string | undefined {
  const seen = new Set<string>();
  const { rawHeaders } = incoming;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (!ONCE.has(name)) continue;
    if (seen.has(name)) return `the request has the header ${name} twice; send it once`;
    seen.add(name);
  }
  // RFC 9112, 3.2: only HTTP/1.0 may leave it out.
  if (seen.has('host') || incoming.httpVersion === '1.0') return undefined;
  return 'the request has no Host header; HTTP/1.1 needs one';
}

/** A refusal in OpenAI's shape, in its turn among the answers of the connection, which ends with it. */
export function refuseHead(outgoing: ServerResponse, status: 400 | 417, message: string): void {
  const body = JSON.stringify({
    error: { message, type: 'invalid_request_error', param: null, code: 'invalid_request' },
  });
  const headers = {
    connection: 'close',
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  };
  outgoing.writeHead(status, headers).end(body);
}
