/**
 * A line in which everybody in turn is served once: first come, first served for each client, round
 * robin over the clients, so that one with many requests keeps nobody else waiting for all of them.
 */
export class FairLine<T> {
  /** By client, in the order of their turns. */
  readonly #clients = new Map<string, T[]>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds an item behind those of its client; a client that was not waiting has its turn last. */
  add(client: string, item: T): void {
    const own = this.#clients.get(client);
    if (own === undefined) this.#clients.set(client, [item]);
    else own.push(item);
    this.#length += 1;
  }

  /** Takes the item whose turn it is; its client has its next turn after all others. */
  take(): T | undefined {
    const first = this.#clients.entries().next().value;
    if (first === undefined) return undefined;
    const [client, own] = first;
    const item = own.shift();
    this.#clients.delete(client);
    if (own.length > 0) this.#clients.set(client, own);
    this.#length -= 1;
    return item;
  }

  /** Takes an item out of the line; false where it is not in it. */
  remove(client: string, item: T): boolean {
    const own = this.#clients.get(client);
    const at = own?.indexOf(item) ?? -1;
    if (own === undefined || at < 0) return false;
    own.splice(at, 1);
    if (own.length === 0) this.#clients.delete(client);
    this.#length -= 1;
    return true;
  }

  /** How many items are taken up to this one, itself included: 1 is next; 0 for one that does not wait. */
  position(client: string, item: T): number {
    const own = this.#clients.get(client);
    const at = own?.indexOf(item) ?? -1;
    if (at < 0) return 0;
    let position = at + 1;
    let before = true;
    for (const [other, { length }] of this.#clients) {
      if (other === client) before = false;
      else position += Math.min(length, before ? at + 1 : at);
    }
    return position;
  }

  /**
   * Takes the newest item of the client that has the most, where that is more than `client` would
   * have with one more: who takes all the room makes room for others first.
   */
  makeRoom(client: string): T | undefined {
    let largest: readonly [string, T[]] | undefined;
    for (const entry of this.#clients) {
      if (largest === undefined || entry[1].length > largest[1].length) largest = entry;
    }
    const own = this.#clients.get(client)?.length ?? 0;
    if (largest === undefined || largest[1].length <= own + 1) return undefined;
    const item = largest[1].pop();
    this.#length -= 1;
    return item;
  }
}
