import type { Socket } from 'node:net';

/** How long a connection may be without a request before it can be dropped for a newer one, in milliseconds. */
const GRACE_MS = 250;
/** How many times the limit in all there may be before who is silent has no longer than others. */
const CROWD = 8;
/** How long after a look at all of them the next one comes where none is added, in milliseconds. */
const AGAIN_MS = 50;
/** The same where some are added, for each of them: a hundred times as long as a look takes. */
const AGAIN_EACH_MS = 0.02;

type Entry = { readonly address: string; readonly sinceMs: number; readonly onClose: () => void };

/** How many may stay. */
export type AnonymousLimits = {
  /** Connections in all. */
  readonly limit: number;
  /** Connections from one address. */
  readonly limitPerAddress: number;
  /** How long one may be silent before it can be dropped, in milliseconds. */
  readonly silentMs: number;
};

/**
 * Connections that have not yet sent a complete request head, or whose request was refused for lack of
 * a key. Past the limits the oldest ones give way, so that a flood of them (slowloris) never locks out a
 * client that speaks. Young ones stay: a burst of honest clients looks the same for a moment. That moment is
 * long for a program that opens hundreds of connections before it writes to the first, as clients on one
 * event loop do: the system connects all of them at once. Who has begun to speak has no reason to stop.
 *
 * How old one is says something only once the event loop has read what came from it: one that is held
 * up would otherwise drop those whose requests lie unread in their sockets.
 */
export class AnonymousConnections {
  readonly #limit: number;
  readonly #limitPerAddress: number;
  readonly #silentMs: number;
  /** In order of arrival: the first is the oldest. */
  readonly #entries = new Map<Socket, Entry>();
  #sweep: NodeJS.Timeout | undefined;
  #afterPoll: NodeJS.Immediate | undefined;

  constructor({ limit, limitPerAddress, silentMs }: AnonymousLimits) {
    this.#limit = limit;
    this.#limitPerAddress = limitPerAddress;
    this.#silentMs = silentMs;
  }

  /** Counts `socket` until `delete`, or until it closes. */
  add(socket: Socket): void {
    if (this.#entries.has(socket) || socket.destroyed) return;
    const address = socket.remoteAddress ?? '';
    const onClose = (): void => this.delete(socket);
    socket.once('close', onClose);
    this.#entries.set(socket, { address, sinceMs: performance.now(), onClose });
    this.#sweepWithin(this.#entries.size * AGAIN_EACH_MS);
  }

  /** Stops counting `socket`: it has sent a request, or is gone. */
  delete(socket: Socket): void {
    const entry = this.#entries.get(socket);
    if (entry === undefined) return;
    socket.off('close', entry.onClose);
    this.#entries.delete(socket);
  }

  /** Closes all that are counted. */
  closeAll(): void {
    clearTimeout(this.#sweep);
    clearImmediate(this.#afterPoll);
    for (const socket of this.#entries.keys()) socket.destroy();
  }

  /** Looks at all of them within that time where there may be too many. */
  #sweepWithin(waitMs: number): void {
    if (this.#entries.size <= Math.min(this.#limit, this.#limitPerAddress)) return;
    this.#sweep ??= setTimeout(() => this.#readThenSweep(), waitMs).unref();
  }

  /**
   * Timers run before the loop reads and immediates after it: whoever is old enough now and has sent a
   * request is no longer counted then.
   */
  #readThenSweep(): void {
    const nowMs = performance.now();
    this.#afterPoll = setImmediate(() => {
      this.#sweep = undefined;
      const old = this.#oldAt(nowMs);
      this.#dropOldest(old, this.#limitPerAddress, ({ address }) => address);
      this.#dropOldest(old, this.#limit, () => '');
      this.#sweepWithin(AGAIN_MS);
    });
  }

  /** Those that have had their time, the oldest first. */
  #oldAt(nowMs: number): readonly Socket[] {
    const silentMs = this.#entries.size > CROWD * this.#limit ? GRACE_MS : this.#silentMs;
    const isOld = ([socket, { sinceMs }]: readonly [Socket, Entry]): boolean =>
      nowMs - sinceMs >= (socket.bytesRead === 0 ? silentMs : GRACE_MS);
    return [...this.#entries].filter(isOld).map(([socket]) => socket);
  }

  /** Drops the oldest while there are more than `limit` of the same group. */
  #dropOldest(old: readonly Socket[], limit: number, groupOf: (entry: Entry) => string): void {
    const counts = new Map<string, number>();
    for (const entry of this.#entries.values())
      counts.set(groupOf(entry), (counts.get(groupOf(entry)) ?? 0) + 1);
    for (const socket of old) {
      const entry = this.#entries.get(socket);
      const group = entry === undefined ? '' : groupOf(entry);
      const count = counts.get(group) ?? 0;
      if (entry === undefined || count <= limit) continue;
      counts.set(group, count - 1);
      this.delete(socket);
      socket.destroy();
    }
  }
}
