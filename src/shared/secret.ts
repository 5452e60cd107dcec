/**
 * A secret that prints as `[secret]` wherever it is logged or serialised by mistake. `inspect` shows
 * nothing of it either, because the value is a private field.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The secret itself; call it only where it is sent or compared. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }
}

/** Shortest key that is looked for in texts, in characters. */
const SHORTEST_SOUGHT = 8;

/**
 * Whether the key of an upstream is a word in place of one (`none`, `x`), as servers without keys are
 * given: taken out of a text it would tear other words apart.
 */
export function isPlaceholder(key: Secret): boolean {
  return key.reveal().length < SHORTEST_SOUGHT;
}
