const QUOTE = '"';
const TRIPLE = '"""';

/**
 * The value of a command as it is read, one character at a time: a line, or lines between `"` or `"""`.
 * Whether it is complete is known at any time at no cost, so that a long one is read in linear time.
 */
export class ModelfileValue {
  readonly #chars: string[] = [];
  /** Its first three characters, without space before them. */
  #lead = '';
  /** Its last three characters, up to the last that is no space. */
  #tail = '';
  /** Its last three characters. */
  #recent = '';
  /** Characters from the first to the last that is no space. */
  #length = 0;
  #spaces = 0;

  add(char: string): void {
    this.#chars.push(char);
    this.#recent = (this.#recent + char).slice(-3);
    const isSpace = char === ' ' || char === '\t' || char === '\r' || char === '\n';
    if (isSpace && this.#length === 0) return;
    if (this.#lead.length < 3) this.#lead += char;
    if (isSpace) {
      this.#spaces += 1;
      return;
    }
    this.#length += this.#spaces + 1;
    this.#spaces = 0;
    this.#tail = this.#recent;
  }

  /** Whether every quote that was opened is closed. */
  get isComplete(): boolean {
    if (this.#lead === TRIPLE) return this.#length >= 6 && this.#tail === TRIPLE;
    if (this.#lead.startsWith(QUOTE)) return this.#length >= 2 && this.#tail.endsWith(QUOTE);
    return true;
  }

  /** The value without its quotes and the space around them, once it is complete. */
  get text(): string {
    const text = this.#chars.join('').trim();
    if (text.startsWith(TRIPLE)) return text.slice(3, -3);
    return text.startsWith(QUOTE) ? text.slice(1, -1) : text;
  }
}
