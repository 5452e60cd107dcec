import type { Socket } from 'node:net';
import { ServerConnection } from './server-connection.ts';
import type { ConnectionRules } from './server-connection.ts';

/** The connections of one server that the codec has. */
export class CodecConnections {
  readonly #rules: ConnectionRules;
  readonly #open = new Set<ServerConnection>();
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

  /** Serves a connection that was just accepted. */
  accept(socket: Socket): void {
    this.#open.add(new ServerConnection(socket, this.#rules));
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
