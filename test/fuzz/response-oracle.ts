import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ResponseInput, ResponseReading } from './reading.ts';
import { Wire } from './wire.ts';

/** Largest head that Node is asked to take, in bytes: more than the codec does, as a limit is no rule of framing. */
const MAX_HEAD_BYTES = 128 * 1024;

/** An agent whose connections are in memory. */
class WireAgent extends Agent {
  wire: Wire = new Wire();

  override createConnection(): Duplex {
    return this.wire;
  }
}

/**
 * Reads the answer to one request with Node's own client, in memory: Node's parser in its strict mode
 * and Node's own checks of what it parsed.
 */
export class ResponseOracle {
  readonly #agent = new WireAgent({ keepAlive: true });

  /** What Node makes of the bytes, however they are cut. */
  async read({ method, pieces, ending }: ResponseInput): Promise<ResponseReading> {
    const wire = new Wire();
    this.#agent.wire = wire;
    const asked = request({
      agent: this.#agent,
      method,
      host: 'upstream',
      path: '/',
      maxHeaderSize: MAX_HEAD_BYTES,
    });
    const interim: number[] = [];
    let response: IncomingMessage | undefined;
    let refusal: string | undefined;
    asked.on('response', (head) => {
      response = head;
    });
    asked.on('information', ({ statusCode }) => interim.push(statusCode));
    asked.on('error', (error: Error & { code?: string }) => {
      refusal ??= error.code ?? error.message;
    });
    asked.end();
    // The connection is given to the request on the next tick.
    await new Promise((resolve) => setImmediate(resolve));
    for (const piece of pieces) if (!wire.destroyed) wire.emit('data', piece);
    if (ending === 'eof' && !wire.destroyed) wire.emit('end');
    const keepAlive = asked.shouldKeepAlive && !wire.destroyed;
    const reading = {
      interim,
      refusal: refusal ?? (response === undefined && wire.destroyed ? 'closed' : undefined),
    };
    wire.destroy();
    if (response === undefined) return reading;
    // What is not complete when the connection closes is an error for whoever reads it.
    response.on('error', () => {});
    return {
      ...reading,
      response: {
        status: response.statusCode ?? 0,
        headers: response.rawHeaders,
        body: bodyOf(response),
        complete: response.complete,
        keepAlive: keepAlive && response.complete,
      },
    };
  }
}

function bodyOf(message: IncomingMessage): string {
  const chunks: Buffer[] = [];
  for (let chunk: unknown = message.read(); Buffer.isBuffer(chunk); chunk = message.read())
    chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}
