/** A client on a raw socket: it sends exactly the bytes it is told and keeps all that comes back. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** One response as it came over the wire. */
export type RawAnswer = {
  readonly status: number;
  /** Lower-case names; a repeated one keeps its last value. */
  readonly headers: Readonly<Record<string, string>>;
  /** Without its framing, as UTF-8. */
  readonly body: string;
};

/** Longest wait for anything a test waits for, in milliseconds: far more than it takes. */
const PATIENCE_MS = 10_000;

/** A connection to the program. */
export class RawClient {
  readonly socket: Socket;
  /** Resolves to the monotonic time in milliseconds at which the connection was gone, whoever ended it. */
  readonly closed: Promise<number>;
  #parts: Buffer[] = [];
  #isClosed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => this.#parts.push(bytes));
    // A reset is one of the ways in which the other side ends a connection.
    socket.on('error', () => socket.destroy());
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#isClosed = true;
        resolve(performance.now());
      });
    });
  }

  /** Connects, from `localAddress` where one is given. */
  static async open(url: string, localAddress?: string): Promise<RawClient> {
    const { hostname, port } = new URL(url);
    const socket = connect({
      host: hostname,
      port: Number(port),
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    socket.setNoDelay(true);
    const client = new RawClient(socket);
    await once(socket, 'connect');
    return client;
  }

  /** Everything that came so far. */
  get received(): Buffer {
    const all = this.#parts.length === 1 && this.#parts[0] ? this.#parts[0] : Buffer.concat(this.#parts);
    this.#parts = [all];
    return all;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Hands bytes over without waiting for the peer to take them. */
  write(bytes: string | Uint8Array): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  /** Sends bytes over and over at the peer's pace, until it closes or `limitBytes` are sent; resolves to how many. */
  async flood(bytes: Uint8Array, limitBytes: number): Promise<number> {
    let sent = 0;
    while (sent < limitBytes && this.socket.writable) {
      const more = this.socket.write(bytes);
      sent += bytes.length;
      if (!more) await Promise.race([this.#drained(), this.closed]);
    }
    return sent;
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.socket.once('drain', resolve);
    });
  }

  /** Resolves once what came holds `text`. @throws Error when it never does. */
  async hears(text: string): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!this.received.includes(text)) {
      if (this.#isClosed || performance.now() > deadline)
        throw new Error(`waited in vain for ${text}; there came\n${this.received.toString()}`);
      await sleep(5);
    }
  }

  /** Resolves to the answers once `count` of them are whole, interim ones included. */
  async answers(count: number): Promise<readonly RawAnswer[]> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const answers = readAnswers(this.received, this.#isClosed);
      if (answers.length >= count) return answers;
      if (this.#isClosed || performance.now() > deadline)
        throw new Error(`waited in vain for ${count} answers; there came\n${this.received.toString()}`);
      await sleep(5);
    }
  }

  /** Resolves to the one answer. */
  async answer(): Promise<RawAnswer> {
    const [first] = await this.answers(1);
    if (first === undefined) throw new Error('there is no answer');
    return first;
  }

  /** Takes nothing more from the connection. */
  stopReading(): void {
    this.socket.pause();
  }

  /**
   * Takes the first bytes that come and then nothing more. Whoever waits for them and stops afterwards has read
   * on meanwhile, megabytes of it, and has made the operating system enlarge its buffers.
   */
  stopReadingAtFirst(): void {
    this.socket.once('data', () => this.stopReading());
  }

  /** Leaves politely (FIN), without waiting for anything. */
  leave(): void {
    this.socket.destroy();
  }

  /** Leaves rudely (RST). */
  reset(): void {
    this.socket.resetAndDestroy();
  }
}

/** Sends bytes on a connection of their own; resolves to all answers once the server has closed it. */
export async function exchange(url: string, bytes: string | Uint8Array): Promise<readonly RawAnswer[]> {
  const client = await RawClient.open(url);
  client.write(bytes);
  const tooLong = sleep(PATIENCE_MS, 'late', { ref: false });
  const ended = await Promise.race([client.closed, tooLong]);
  if (ended === 'late') {
    client.leave();
    throw new Error(`the server keeps the connection open; there came\n${client.received.toString()}`);
  }
  return readAnswers(client.received, true);
}

function readAnswers(bytes: Buffer, closed: boolean): readonly RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let at = 0; at < bytes.length;) {
    const next = readAnswer(bytes, at, closed);
    if (next === undefined) return answers;
    answers.push(next.answer);
    at = next.end;
  }
  return answers;
}

type Read = { readonly answer: RawAnswer; readonly end: number };

function readAnswer(bytes: Buffer, from: number, closed: boolean): Read | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n', from);
  if (headEnd === -1) return undefined;
  const [first = '', ...lines] = bytes.toString('latin1', from, headEnd).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1] ?? Number.NaN);
  if (Number.isNaN(status)) throw new Error(`this is no status line: ${first}`);
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const start = headEnd + 4;
  const done = (body: Buffer, end: number): Read => ({
    answer: { status, headers, body: body.toString() },
    end,
  });
  if (status < 200 || status === 204) return done(Buffer.alloc(0), start);
  if (headers['transfer-encoding'] === 'chunked') return readChunks(bytes, start, done);
  const length = headers['content-length'];
  if (length === undefined) return closed ? done(bytes.subarray(start), bytes.length) : undefined;
  const end = start + Number(length);
  return end > bytes.length ? undefined : done(bytes.subarray(start, end), end);
}

function readChunks(
  bytes: Buffer,
  from: number,
  done: (body: Buffer, end: number) => Read,
): Read | undefined {
  const chunks: Buffer[] = [];
  for (let at = from; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (Number.isNaN(size)) throw new Error('this is no chunk');
    const start = lineEnd + 2;
    at = start + size + 2;
    if (at > bytes.length) return undefined;
    if (size === 0) return done(Buffer.concat(chunks), at);
    chunks.push(bytes.subarray(start, start + size));
  }
}
