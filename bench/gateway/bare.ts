/** The least a gateway can do on our transports: the ceiling for everything built on them. */
import { createNodeServer } from '../../src/wire/node-server.ts';
import type { Handler, Headers, HttpRequest, HttpResponse } from '../../src/wire/http.ts';
import { createUpstreamClient } from '../../src/wire/upstream-client.ts';
import { REMOTE_CLOCKS } from '../../src/wire/upstream.ts';
import type { Exchange, UpstreamSink } from '../../src/wire/upstream.ts';

const HEADERS: Headers = { 'content-type': 'application/json', authorization: 'Bearer sk-bench' };
const LIMIT_BYTES = 16 * 1024 * 1024;

class Passage implements UpstreamSink {
  readonly #response: HttpResponse;
  exchange: Exchange | undefined;

  constructor(response: HttpResponse) {
    this.#response = response;
  }

  onHead(status: number, headers: Headers): void {
    const length = headers['content-length'];
    const type = headers['content-type'] ?? 'application/json';
    this.#response.head(status, {
      'content-type': type,
      ...(length === undefined ? {} : { 'content-length': length }),
    });
  }

  onData(chunk: Buffer): boolean {
    const more = this.#response.write(chunk);
    if (!more) this.#response.onDrain(() => this.exchange?.resume());
    return more;
  }

  onEnd(): void {
    this.#response.end();
  }

  onError(): void {
    this.#response.destroy();
  }
}

function createHandler(origin: string): Handler {
  const client = createUpstreamClient();
  return async (request: HttpRequest, response: HttpResponse) => {
    const body = await request.body(LIMIT_BYTES);
    const passage = new Passage(response);
    passage.exchange = client.send(
      { origin, path: request.path, method: 'POST', headers: HEADERS, body, clocks: REMOTE_CLOCKS },
      passage,
    );
    request.onGone(() => passage.exchange?.abort());
  };
}

/** Serves the bare proxy until the process is ended. */
export async function serveBare(port: number, origin: string): Promise<void> {
  const server = createNodeServer({
    handler: createHandler(origin),
    onError: (_error, _request, response) => response.destroy(),
  });
  await server.listen({ host: '127.0.0.1', port });
  // Leaving in good order is what makes `--cpu-prof` write its profile.
  process.once('SIGTERM', () => process.exit());
}
