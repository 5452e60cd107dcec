import type { Handler, HttpRequest, HttpResponse } from '../../src/wire/http.ts';
import { CoarseClock } from '../../src/wire/coarse-clock.ts';
import { CodecConnections } from '../../src/wire/http1/codec-connections.ts';
import type { Input } from './reading.ts';
import { Wire } from './wire.ts';

/** What a handler does with its request: reads the body, leaves it unread, or reads it and answers last of all. */
export type Behaviour = 'reads' | 'ignores' | 'late';

/** A request as the handler of the codec's server saw it. */
export type ServedRequest = {
  readonly request: HttpRequest;
  /** As latin1; undefined while it is not whole, and where nobody asked for it. */
  body: string | undefined;
};

/** What the codec's server made of the bytes of a connection. */
export type ServedReading = {
  readonly requests: readonly ServedRequest[];
  /** What it left to node:http; undefined where it kept the connection. */
  readonly handedOver: Buffer | undefined;
  /** Whether it closed the connection. */
  readonly closed: boolean;
  /** What it answered. */
  readonly sent: Buffer;
};

const LIMIT_BYTES = 1024 * 1024;
const HOUR_MS = 3_600_000;

/** Nothing is timed here; a clock for every connection would keep a timer for each. */
const clock = new CoarseClock(HOUR_MS);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One connection of the codec's server, in memory, and everything its handler saw. */
class Served {
  readonly wire: Wire = new Wire();
  readonly requests: ServedRequest[] = [];
  readonly unanswered: HttpResponse[] = [];
  readonly #behaviour: Behaviour;
  readonly #later: Buffer[] = [];
  #handedOver = false;

  constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour;
  }

  get handedOver(): Buffer | undefined {
    return this.#handedOver ? Buffer.concat([...this.wire.givenBack, ...this.#later]) : undefined;
  }

  arrive(piece: Buffer): void {
    if (this.#handedOver) this.#later.push(piece);
    else if (!this.wire.destroyed) this.wire.emit('data', piece);
  }

  handOver(): void {
    this.#handedOver = true;
  }

  serve(request: HttpRequest, response: HttpResponse): void {
    const served: ServedRequest = { request, body: undefined };
    this.requests.push(served);
    if (this.#behaviour === 'ignores') answer(response);
    else void this.#read(served, response);
  }

  async #read(served: ServedRequest, response: HttpResponse): Promise<void> {
    try {
      const bytes = await served.request.body(LIMIT_BYTES);
      served.body = bytes.toString('latin1');
    } catch {
      // The client left before its body was whole: the body stays unread, which is what is compared.
      return;
    }
    if (this.#behaviour === 'late') this.unanswered.push(response);
    else answer(response);
  }
}

function answer(response: HttpResponse): void {
  response.head(200, { 'content-length': '2' });
  response.end('ok');
}

/** The codec's server, for connections in memory. */
function createConnections(
  serve: (request: HttpRequest, response: HttpResponse) => void,
  handOver: () => void,
): CodecConnections {
  return new CodecConnections({
    clock,
    bodyRules: { clock, bodyMs: HOUR_MS },
    headersMs: HOUR_MS,
    keepAliveMs: HOUR_MS,
    stalledMs: HOUR_MS,
    serves: () => true,
    serve,
    onRequest: () => {},
    onHead: () => {},
    handOver,
    date: () => '',
  });
}

/** The bytes that the codec's server sends where `handler` answers the one request of a connection. */
export async function answerWithCodecServer(handler: Handler): Promise<Buffer> {
  const wire = new Wire();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const connections = createConnections(
    (request, response) => void Promise.resolve(handler(request, response)).then(() => resolve(undefined)),
    () => {},
  );
  connections.accept(wire);
  wire.emit('data', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
  await promise;
  await turn();
  connections.destroy();
  return Buffer.concat(wire.sent);
}

/** Reads bytes with the codec's server, in memory. */
export async function readWithCodecServer(input: Input, behaviour: Behaviour): Promise<ServedReading> {
  const served = new Served(behaviour);
  const connections = createConnections(
    (request, response) => served.serve(request, response),
    () => served.handOver(),
  );
  connections.accept(served.wire);
  for (const piece of input.pieces) {
    served.arrive(piece);
    if (behaviour === 'reads' && input.pieces.length > 1) await turn();
  }
  await turn();
  while (served.unanswered.length > 0) {
    for (const response of served.unanswered.splice(0)) answer(response);
    await turn();
  }
  if (input.ending === 'eof' && served.handedOver === undefined) served.wire.emit('end');
  const reading = {
    requests: served.requests,
    handedOver: served.handedOver,
    closed: served.wire.destroyed || served.wire.writableEnded,
    sent: Buffer.concat(served.wire.sent),
  };
  served.wire.destroy();
  connections.destroy();
  return reading;
}
