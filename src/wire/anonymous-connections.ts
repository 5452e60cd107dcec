import type { Socket } from 'node:net';

/** How long a connection may be without a request before it can be dropped for a newer one, in milliseconds. */
const GRACE_MS = 250;

type Entry = { readonly address: string; readonly sinceMs: number; readonly onClose: () => void };

/**
 * Connections that have not yet sent a complete request head, or whose request was refused for lack of
 * a key. Past the limits the oldest ones give way, so that a flood of silent connections (slowloris)
 * never locks out a client that speaks. Young ones stay: a burst of honest clients looks the same for
 * a moment.
 */
export class AnonymousConnections {
  readonly #limit: number;
  readonly #limitPerAddress: number;
  /** In order of arrival: the first is the oldest. */
  readonly #entries = new Map<Socket, Entry>();
  readonly #byAddress = new Map<string, Set<Socket>>();
  /** Looks again once those that were too young to be dropped are no longer. */
  #sweep: NodeJS.Timeout | undefined;

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
    this.#shrink(neighbours, this.#limitPerAddress);
    this.#shrink(this.#entries, this.#limit);
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
    for (const socket of this.#entries.keys()) socket.destroy();
  }

  /** Drops the oldest until there are `limit`; what is too young for that is looked at later. */
  #shrink(oldestFirst: ReadonlySet<Socket> | ReadonlyMap<Socket, Entry>, limit: number): void {
    for (const socket of oldestFirst.keys()) {
      if (oldestFirst.size <= limit) return;
      const ageMs = performance.now() - (this.#entries.get(socket)?.sinceMs ?? 0);
      if (ageMs < GRACE_MS) {
        this.#sweep ??= setTimeout(() => this.#shrinkAll(), GRACE_MS - ageMs).unref();
        return;
      }
      this.delete(socket);
      socket.destroy();
    }
  }

  #shrinkAll(): void {
    this.#sweep = undefined;
    for (const neighbours of this.#byAddress.values()) this.#shrink(neighbours, this.#limitPerAddress);
    this.#shrink(this.#entries, this.#limit);
  }
}
