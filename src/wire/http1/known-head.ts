/** The line of the length up to its value, as nearly everybody writes it. */
const LENGTH_LINE = /\r\ncontent-length: /i;

/**
 * The last head of one connection, by which the next one is known: who sends again mostly sends the same
 * but for its length. Never shared by connections: how long the comparison takes would tell one client
 * about the key of another.
 */
export class KnownHead<Head> {
  #before = '';
  #after = '';
  #head: Head | undefined;

  /** The last head, where `text` differs from it in its length alone. */
  sameAs(text: string): Head | undefined {
    const [before, after] = [this.#before, this.#after];
    const isSame =
      text.length > before.length + after.length &&
      text.slice(0, before.length) === before &&
      text.slice(-after.length) === after;
    return isSame ? this.#head : undefined;
  }

  /** What stands for the length in a text that `sameAs` has known. */
  lengthIn(text: string): string {
    return text.slice(this.#before.length, text.length - this.#after.length);
  }

  /** Keeps a head for the next one, where it has a length; else none is known. */
  keep(text: string, head: Head | undefined): void {
    const length = head === undefined ? null : LENGTH_LINE.exec(text);
    this.#head = length === null ? undefined : head;
    if (length === null) return;
    const start = length.index + length[0].length;
    this.#before = text.slice(0, start);
    this.#after = text.slice(text.indexOf('\r\n', start));
  }
}
