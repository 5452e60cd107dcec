import type { Socket } from 'node:net';

/** How long a connection may be without a request before it can be dropped for a newer one, in milliseconds. */
const GRACE_MS = 250;

type Entry = { readonly address: string; readonly sinceMs: number; readonly onClose: () => void };

/**
 * Connections that have not yet sent a complete request head, or whose request was refused for lack of
 * a key. Past the limits the oldest one gives way, so that a flood of silent connections (slowloris)
 * never locks out a client that speaks. Young ones stay: a burst of honest clients looks the same for
 * a moment.
 */
export class AnonymousConnections {
  readonly #limit: number;
  readonly #limitPerAddress: number;
  /** In order of arrival: the first is the oldest. */
  readonly #entries = new Map<Socket, Entry>();
  readonly #byAddress = new Map<string, Set<Socket>>();

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
    if (neighbours.size >= this.#limitPerAddress) this.#dropOldest(neighbours);
    if (this.#entries.size >= this.#limit) this.#dropOldest(this.#entries.keys());
    const onClose = (): void => this.delete(socket);
    socket.once('close', onClose);
    neighbours.add(socket);
    this.#byAddress.set(address, neighbours);
    this.#entries.set(socket, { address, sinceMs: performance.now(), onClose });
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
    for (const socket of this.#entries.keys()) socket.destroy();
  }

  #dropOldest(oldestFirst: Iterable<Socket>): void {
    for (const socket of oldestFirst) {
      const sinceMs = this.#entries.get(socket)?.sinceMs ?? 0;
      if (performance.now() - sinceMs >= GRACE_MS) {
        this.delete(socket);
        socket.destroy();
      }
      return;
    }
  }
}
