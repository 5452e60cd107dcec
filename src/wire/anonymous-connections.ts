import type { Socket } from 'node:net';

/** How long a connection may be without a request before it can be dropped for a newer one, in milliseconds. */
const GRACE_MS = 250;

type OldestFirst = ReadonlySet<Socket> | ReadonlyMap<Socket, Entry>;
type Entry = { readonly address: string; readonly sinceMs: number; readonly onClose: () => void };

/**
 * Connections that have not yet sent a complete request head, or whose request was refused for lack of
 * a key. Past the limits the oldest ones give way, so that a flood of silent connections (slowloris)
 * never locks out a client that speaks. Young ones stay: a burst of honest clients looks the same for
 * a moment. How old one is says something only once the event loop has read what came from it: one
 * that is held up would otherwise drop those whose requests lie unread in their sockets.
 */
export class AnonymousConnections {
  readonly #limit: number;
  readonly #limitPerAddress: number;
  /** In order of arrival: the first is the oldest. */
  readonly #entries = new Map<Socket, Entry>();
  readonly #byAddress = new Map<string, Set<Socket>>();
  /** Looks again once those that were too young to be dropped are no longer. */
  #sweep: NodeJS.Timeout | undefined;
  #afterPoll: NodeJS.Immediate | undefined;

  /**
   * @param limit Connections in all.
   * @param limitPerAddress Connections from one address.
   */
  constructor(limit: number, limitPerAddress: number) {
    this.#limit = limit;
    this.#limitPerAddress = limitPerAddress;
  }

  /** Counts `socket` until `delete`, or until it closes. */
  add(socket: Socket): void {
    if (this.#entries.has(socket) || socket.destroyed) return;
    const address = socket.remoteAddress ?? '';
    const neighbours = this.#byAddress.get(address) ?? new Set<Socket>();
    const onClose = (): void => this.delete(socket);
    socket.once('close', onClose);
    neighbours.add(socket);
    this.#byAddress.set(address, neighbours);
    this.#entries.set(socket, { address, sinceMs: performance.now(), onClose });
    if (neighbours.size > this.#limitPerAddress) this.#sweepSoon(neighbours);
    else if (this.#entries.size > this.#limit) this.#sweepSoon(this.#entries);
  }

  /** Stops counting `socket`: it has sent a request, or is gone. */
  delete(socket: Socket): void {
    const entry = this.#entries.get(socket);
    if (entry === undefined) return;
    socket.off('close', entry.onClose);
    this.#entries.delete(socket);
    const neighbours = this.#byAddress.get(entry.address);
    neighbours?.delete(socket);
    if (neighbours?.size === 0) this.#byAddress.delete(entry.address);
  }

  /** Closes all that are counted. */
  closeAll(): void {
    clearTimeout(this.#sweep);
    clearImmediate(this.#afterPoll);
    for (const socket of this.#entries.keys()) socket.destroy();
  }

  /** Looks at all of them once the oldest of `oldestFirst` can be dropped. */
  #sweepSoon(oldestFirst: OldestFirst): void {
    const [oldest] = oldestFirst.keys();
    const sinceMs = (oldest && this.#entries.get(oldest)?.sinceMs) ?? 0;
    this.#sweep ??= setTimeout(() => this.#readThenSweep(), sinceMs + GRACE_MS - performance.now()).unref();
  }

  /**
   * Timers run before the loop reads and immediates after it: whoever is old enough now and has sent a
   * request is no longer counted then.
   */
  #readThenSweep(): void {
    const bornByMs = performance.now() - GRACE_MS;
    this.#afterPoll = setImmediate(() => {
      this.#sweep = undefined;
      for (const neighbours of this.#byAddress.values())
        this.#shrink(neighbours, this.#limitPerAddress, bornByMs);
      this.#shrink(this.#entries, this.#limit, bornByMs);
    });
  }

  /** Drops the oldest until there are `limit`; what is too young for that is looked at later. */
  #shrink(oldestFirst: OldestFirst, limit: number, bornByMs: number): void {
    for (const socket of oldestFirst.keys()) {
      if (oldestFirst.size <= limit) return;
      if ((this.#entries.get(socket)?.sinceMs ?? 0) > bornByMs) {
        this.#sweepSoon(oldestFirst);
        return;
      }
      this.delete(socket);
      socket.destroy();
    }
  }
}
