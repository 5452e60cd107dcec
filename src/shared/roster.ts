/** The links of a member of a roster, undefined while it is in none; a member is in one roster at most. */
export type Listed<T> = { listedBefore: T | undefined; listedAfter: T | undefined };

/**
 * The members present now, in the order they came, linked through themselves. Made for members that come
 * and go thousands of times a second: a `Set` makes a new table every few of them, and each old table,
 * once it is in the collector's old generation, keeps the next one and all that was in it.
 */
export class Roster<T extends Listed<T>> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  /** Number of members. */
  get size(): number {
    return this.#size;
  }

  /** Takes in a member; harmless when it is one. */
  add(member: T): void {
    if (this.#has(member)) return;
    member.listedBefore = this.#last;
    if (this.#last === undefined) this.#first = member;
    else this.#last.listedAfter = member;
    this.#last = member;
    this.#size += 1;
  }

  /** Lets a member go; harmless when it is none. */
  delete(member: T): void {
    if (!this.#has(member)) return;
    const { listedBefore, listedAfter } = member;
    if (listedBefore === undefined) this.#first = listedAfter;
    else listedBefore.listedAfter = listedAfter;
    if (listedAfter === undefined) this.#last = listedBefore;
    else listedAfter.listedBefore = listedBefore;
    // A member that has left must not lead to those that come after it.
    member.listedBefore = undefined;
    member.listedAfter = undefined;
    this.#size -= 1;
  }

  /** Visits who is a member now, in order, but for those who leave before their turn. */
  forEach(visit: (member: T) => void): void {
    const members: T[] = [];
    for (let member = this.#first; member !== undefined; member = member.listedAfter) members.push(member);
    for (const member of members) if (this.#has(member)) visit(member);
  }

  #has(member: T): boolean {
    return member === this.#first || member.listedBefore !== undefined;
  }
}
