/**
 * A client on a raw socket that forgives nothing: the framing of an answer must be perfect, and the
 * connection must serve another request after it, which proves that both sides agree where it ended.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** An answer whose framing was perfect. */
export type StrictAnswer = {
  readonly status: number;
  /** Lower-case names; a name that comes twice is refused. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** From the request to its last byte, in milliseconds. */
  readonly elapsedMs: number;
};

/** How it asks. */
export type StrictRequest = {
  readonly url: string;
  readonly path: string;
  readonly body: string;
  /** How long nothing is read after the request was sent, in milliseconds. */
  readonly stalledMs?: number | undefined;
  readonly deadlineMs: number;
};

const PROBE = 'GET /health/liveliness HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n';

/** Asks, reads the answer to the last byte, and asks something else on the same connection. */
export async function askStrictly(request: StrictRequest): Promise<StrictAnswer> {
  const { hostname, port } = new URL(request.url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  const late = setTimeout(
    () => socket.destroy(new Error(`nothing more came within ${request.deadlineMs} ms: it hangs`)),
    request.deadlineMs,
  );
  try {
    await once(socket, 'connect');
    const reader = new MessageReader(socket);
    const startedMs = performance.now();
    socket.write(
      `POST ${request.path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(request.body)}\r\n\r\n${request.body}`,
    );
    if (request.stalledMs !== undefined) await sleep(request.stalledMs);
    const answer = await reader.message();
    const elapsedMs = performance.now() - startedMs;
    if (answer.headers['connection'] !== 'close') {
      socket.write(PROBE);
      const probe = await reader.message();
      if (probe.status !== 200) throw new Error(`after the answer the connection says ${probe.status}`);
    }
    reader.mustBeEmpty();
    return { ...answer, elapsedMs };
  } finally {
    clearTimeout(late);
    socket.destroy();
  }
}

type Message = Omit<StrictAnswer, 'elapsedMs'>;

/** Reads messages off a socket that is only read while somebody waits for one. */
class MessageReader {
  readonly #chunks: NodeJS.AsyncIterator<Buffer>;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(socket: Socket) {
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  async message(): Promise<Message> {
    const { status, headers } = parseHead((await this.#until('\r\n\r\n')).toString('latin1'));
    const { 'content-length': length, 'transfer-encoding': coding } = headers;
    if (length !== undefined && coding !== undefined) throw new Error('a length beside chunks');
    if (length !== undefined) {
      if (!/^\d+$/.test(length)) throw new Error(`content-length: ${length}`);
      return { status, headers, body: await this.#take(Number(length)) };
    }
    if (coding !== 'chunked') throw new Error('neither a length nor chunks: its end would prove nothing');
    return { status, headers, body: await this.#chunked() };
  }

  mustBeEmpty(): void {
    if (this.#bytes > 0) throw new Error(`${this.#bytes} bytes follow the end of the answer`);
  }

  async #chunked(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for (;;) {
      const line = (await this.#until('\r\n')).toString('latin1');
      if (!/^[\da-f]{1,8}\r\n$/i.test(line)) throw new Error(`a chunk begins with ${JSON.stringify(line)}`);
      const size = Number.parseInt(line, 16);
      const data = await this.#take(size);
      const end = (await this.#take(2)).toString('latin1');
      if (end !== '\r\n') throw new Error(`a chunk ends with ${JSON.stringify(end)}`);
      if (size === 0) return Buffer.concat(chunks);
      chunks.push(data);
    }
  }

  /** The bytes up to and with `mark`. */
  async #until(mark: string): Promise<Buffer> {
    for (;;) {
      const held = this.#held();
      const at = held.indexOf(mark, 0, 'latin1');
      if (at !== -1) return this.#take(at + mark.length);
      await this.#more(held);
    }
  }

  async #take(count: number): Promise<Buffer> {
    while (this.#bytes < count) await this.#more();
    const held = this.#held();
    this.#parts = [held.subarray(count)];
    this.#bytes = held.length - count;
    return held.subarray(0, count);
  }

  #held(): Buffer {
    const held = this.#parts.length === 1 && this.#parts[0] ? this.#parts[0] : Buffer.concat(this.#parts);
    this.#parts = [held];
    return held;
  }

  async #more(held?: Buffer): Promise<void> {
    const next = await this.#chunks.next();
    if (next.done === true) {
      const all = held ?? this.#held();
      const end = all.toString('latin1', Math.max(0, all.length - 300));
      throw new Error(`the connection was cut; the last that came was ${JSON.stringify(end)}`);
    }
    this.#parts.push(next.value);
    this.#bytes += next.value.length;
  }
}

function parseHead(text: string): { status: number; headers: Record<string, string> } {
  const [first = '', ...lines] = text.slice(0, -4).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) [\u0020-\u007e]*$/.exec(first)?.[1] ?? Number.NaN);
  if (Number.isNaN(status) || status < 200) throw new Error(`a status line of ${JSON.stringify(first)}`);
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [, name, value] = /^([\w!#$%&'*+.^`|~-]+): ?([\u0020-\u007e\t]*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`a header of ${JSON.stringify(line)}`);
    if (headers[name.toLowerCase()] !== undefined) throw new Error(`two headers ${name}`);
    headers[name.toLowerCase()] = value;
  }
  return { status, headers };
}
