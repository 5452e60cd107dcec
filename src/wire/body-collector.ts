import { ObeliskError } from '../shared/errors.ts';
import { bodyMemory } from './body-memory.ts';
import type { CoarseClock, Watched } from './coarse-clock.ts';

/** How slowly a body may arrive, on average after a grace period, in bytes per millisecond. */
const MIN_BYTES_PER_MS = 1024 / 1000;
/** How long a body may be slower than that, in milliseconds. */
const SLOW_GRACE_MS = 5_000;

/** Longest body that gets its memory before it has arrived, in bytes. */
const MAX_RESERVED_BYTES = 256 * 1024;

/** What the reading of a body needs from its server. */
export type BodyRules = {
  readonly clock: CoarseClock;
  /** Longest time from the first wish to read a body to its end, in milliseconds. */
  readonly bodyMs: number;
};

/** Collects one request body within its limits of size and time; whoever has the socket feeds it. */
export class BodyCollector implements Watched {
  listedBefore: Watched | undefined;
  listedAfter: Watched | undefined;
  readonly #rules: BodyRules;
  readonly #limitBytes: number;
  readonly #resolve: (body: Buffer) => void;
  readonly #reject: (error: ObeliskError) => void;
  readonly #startMs: number;
  /** Memory for the whole body, where its length is known and modest. */
  #reserved: Buffer | undefined;
  #first: Buffer | undefined;
  #rest: Buffer[] | undefined;
  #bytes = 0;
  #over = false;

  constructor(
    rules: BodyRules,
    limitBytes: number,
    settle: { resolve: (body: Buffer) => void; reject: (error: ObeliskError) => void },
  ) {
    this.#rules = rules;
    this.#limitBytes = limitBytes;
    this.#resolve = settle.resolve;
    this.#reject = settle.reject;
    rules.clock.watch(this);
    this.#startMs = rules.clock.nowMs;
  }

  /** Whether the body is whole or was refused; what comes after is dropped. */
  get over(): boolean {
    return this.#over;
  }

  onTick(): void {
    const { clock, bodyMs } = this.#rules;
    const spentMs = clock.elapsedMs(this.#startMs);
    const slow = spentMs > SLOW_GRACE_MS && this.#bytes < spentMs * MIN_BYTES_PER_MS;
    if (spentMs < bodyMs && !slow) return;
    this.#fail(new ObeliskError('request_timeout', 'the request body arrived too slowly; send it at once'));
  }

  /** Refuses at once what is declared to be too long. */
  expect(declaredBytes: number): void {
    if (declaredBytes > this.#limitBytes) this.#refuse();
  }

  /** Makes room for a body of that length: whoever calls adds no byte more. */
  reserve(bytes: number): void {
    if (!this.#over && bytes <= MAX_RESERVED_BYTES) this.#reserved = bodyMemory(bytes);
  }

  /** Adds a piece that stays as it is. */
  add(chunk: Buffer): void {
    if (this.#over) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#limitBytes) this.#refuse();
    else if (this.#first === undefined) this.#first = chunk;
    else (this.#rest ??= []).push(chunk);
  }

  /** Adds a piece whose memory is used again after the call. */
  addCopy(chunk: Buffer): void {
    if (this.#reserved === undefined) this.add(Buffer.from(chunk));
    else if (!this.#over) this.#bytes += chunk.copy(this.#reserved, this.#bytes);
  }

  /** The body is whole. */
  end(): void {
    if (this.#over) return;
    this.#finish();
    if (this.#reserved !== undefined) {
      this.#resolve(this.#reserved);
      return;
    }
    const first = this.#first ?? Buffer.alloc(0);
    this.#resolve(this.#rest === undefined ? first : Buffer.concat([first, ...this.#rest], this.#bytes));
  }

  /** The client has gone before its body was whole. */
  gone(): void {
    const message = 'the client closed the connection before its request was complete';
    this.#fail(new ObeliskError('client_gone', message));
  }

  /** What came is no body: nobody can tell where it ends. Gives whether anybody waited for it. */
  broken(): boolean {
    if (this.#over) return false;
    const message = 'the request body is not valid HTTP/1.1: its chunks, or what follows them, are broken';
    this.#fail(new ObeliskError('invalid_request', message));
    return true;
  }

  #refuse(): void {
    const message = `the request body is larger than ${this.#limitBytes} bytes; send less in one request`;
    this.#fail(new ObeliskError('payload_too_large', message));
  }

  #fail(error: ObeliskError): void {
    if (this.#over) return;
    this.#finish();
    this.#reserved = undefined;
    this.#first = undefined;
    this.#rest = undefined;
    this.#reject(error);
  }

  #finish(): void {
    this.#over = true;
    this.#rules.clock.unwatch(this);
  }
}
