import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** The answers of connections that node:http serves: it takes further requests while one is being answered. */
export class AnswersUnderWay {
  /** The last answer of each connection, under way or over. */
  readonly #last = new WeakMap<Duplex, ServerResponse>();
  /** Answers that were or are behind another one, and that one, until they are over. */
  readonly #queues = new WeakMap<Duplex, Set<ServerResponse>>();

  /**
   * Sees to it that a client that sends no more has left, where not all of its answers were handed over
   * whole. Called before node:http listens, which then ends its own side.
   */
  readonly watch = (socket: Duplex): void => {
    socket.on('end', () => {
      if (!this.#areWhole(socket)) socket.destroy();
    });
  };

  /** Notes that a request has arrived on `socket`. */
  add(socket: Duplex, answer: ServerResponse): void {
    const before = this.#last.get(socket);
    this.#last.set(socket, answer);
    // An answer has a socket from when it is its turn.
    if (answer.socket !== null || before === undefined) return;
    const queue = this.#queues.get(socket) ?? new Set<ServerResponse>();
    this.#queues.set(socket, queue);
    for (const each of [before, answer]) {
      if (queue.has(each) || each.destroyed) continue;
      queue.add(each);
      each.once('close', () => queue.delete(each));
    }
  }

  /** The last answer of `socket`, under way or over. */
  last(socket: Duplex): ServerResponse | undefined {
    return this.#last.get(socket);
  }

  /** Does on `socket` what node:http does while it has it: a CONNECT takes it away from it. */
  carryOn(socket: Duplex): void {
    socket.on('drain', () => {
      for (const answer of this.#all(socket)) if (answer.socket !== null) answer.emit('drain');
    });
    socket.on('close', () => {
      for (const answer of this.#all(socket)) answer.destroy();
    });
  }

  /** Whether every answer of `socket` has been handed over whole. */
  #areWhole(socket: Duplex): boolean {
    const last = this.#last.get(socket);
    if (last === undefined || last.writableFinished) return true;
    return last.writableEnded && last.socket !== null;
  }

  #all(socket: Duplex): readonly ServerResponse[] {
    const last = this.#last.get(socket);
    return [...new Set([...(this.#queues.get(socket) ?? []), ...(last === undefined ? [] : [last])])];
  }
}
