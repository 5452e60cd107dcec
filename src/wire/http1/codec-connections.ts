import type { Socket } from 'node:net';
import { ServerConnection } from './server-connection.ts';
import type { ConnectionRules } from './server-connection.ts';
import { createReadBuffer, readInto } from './shared-read.ts';

/** The connections of one server that the codec has. */
export class CodecConnections {
  readonly #rules: ConnectionRules;
  readonly #open = new Set<ServerConnection>();
  readonly #buffer = createReadBuffer();
  #closing = false;

  constructor(rules: Omit<ConnectionRules, 'closing' | 'onLeft'>) {
    const isClosing = (): boolean => this.#closing;
    this.#rules = {
      ...rules,
      onLeft: (connection) => this.#open.delete(connection),
      get closing() {
        return isClosing();
      },
    };
  }

  /** Serves a connection that was just accepted. Gives the socket that it is from now on. */
  accept(accepted: Socket): Socket {
    const onRead = (length: number): void => connection.onBytes(this.#buffer.subarray(0, length));
    const own = readInto(accepted, this.#buffer, onRead);
    const connection = new ServerConnection(own ?? accepted, this.#rules);
    if (own === undefined) accepted.on('data', connection.onBytes);
    this.#open.add(connection);
    return own ?? accepted;
  }

  /** Closes what waits, and the rest after its running request. */
  close(): void {
    this.#closing = true;
    for (const connection of this.#open) connection.closeIdle();
  }

  /** Closes all at once. */
  destroy(): void {
    for (const connection of this.#open) connection.destroy();
  }
}
