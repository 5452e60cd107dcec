import { ServerResponse, createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { Wire } from './wire.ts';
import type { Input, ReadRequest, RequestReading } from './reading.ts';

/** Largest head of a message that Node is asked to take, in bytes: its own default. */
const MAX_HEAD_BYTES = 16 * 1024;

class Seen {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  dispatched = false;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
  }
}

function bodyOf(request: IncomingMessage): Buffer {
  const chunks: Buffer[] = [];
  for (let chunk: unknown = request.read(); Buffer.isBuffer(chunk); chunk = request.read())
    chunks.push(chunk);
  return Buffer.concat(chunks);
}

function toRead({ request, response }: Seen): ReadRequest {
  const body = bodyOf(request);
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    version: request.httpVersion,
    headers: request.rawHeaders,
    body: body.toString('latin1'),
    complete: request.complete,
    keepAlive: response.shouldKeepAlive,
  };
}

/**
 * Reads the bytes of one connection with a real `http.Server`, in memory: Node's parser in its strict
 * mode and Node's own checks of what it parsed. It parses all that comes in one piece before it returns,
 * whether earlier messages were answered or not, so that no event loop is involved.
 */
export class RequestOracle {
  readonly #server: Server;
  #seen: Seen[] = [];
  #error: string | undefined;

  constructor() {
    const onResponse = (request: IncomingMessage, response: ServerResponse): void => {
      this.#seen.push(new Seen(request, response));
    };
    class NotedResponse extends ServerResponse {
      constructor(...args: ConstructorParameters<typeof ServerResponse>) {
        super(...args);
        onResponse(args[0], this);
      }
    }
    this.#server = createServer(
      { insecureHTTPParser: false, maxHeaderSize: MAX_HEAD_BYTES, ServerResponse: NotedResponse },
      (request) => this.#onRequest(request),
    );
    this.#server.on('checkContinue', (request: IncomingMessage) => this.#onRequest(request));
    this.#server.on('checkExpectation', (request: IncomingMessage) => this.#onRequest(request));
    this.#server.on('clientError', (error: Error & { code?: string }) => {
      this.#error ??= error.code ?? error.message;
    });
  }

  /** What Node makes of the bytes, however they are cut. */
  read({ pieces, ending }: Input): RequestReading {
    this.#seen = [];
    this.#error = undefined;
    const wire = new Wire();
    this.#server.emit('connection', wire);
    for (const piece of pieces) if (!wire.destroyed && this.#error === undefined) wire.emit('data', piece);
    if (ending === 'eof' && !wire.destroyed && this.#error === undefined) wire.emit('end');
    const refused = this.#seen.findIndex((seen) => !seen.dispatched);
    const messages = this.#seen.slice(0, refused === -1 ? undefined : refused).map(toRead);
    const error =
      refused === -1 ? (this.#error ?? (wire.destroyed ? 'closed' : undefined)) : 'not dispatched';
    wire.destroy();
    return { messages, refusal: error };
  }

  #onRequest(request: IncomingMessage): void {
    const seen = this.#seen.find((one) => one.request === request);
    if (seen) seen.dispatched = true;
  }
}
