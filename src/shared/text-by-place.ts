type Part = string | number | boolean;
type Made<Value extends Part> = { readonly name: string; readonly value: Value; readonly text: string };

/**
 * Texts of a name and a value that follow one another in rows: lines of a head, fields of a log line.
 * Rows mostly differ in few of their texts, so each is kept for the one at its place in the next row.
 */
export class TextByPlace<Value extends Part> {
  readonly #make: (name: string, value: Value) => string;
  readonly #made: Made<Value>[] = [];

  /** @param make Writes a text; what it throws reaches the caller of `at`. */
  constructor(make: (name: string, value: Value) => string) {
    this.#make = make;
  }

  /** Returns the text of `name` and `value`, made anew unless the last one at `place` was the same. */
  at(place: number, name: string, value: Value): string {
    const last = this.#made[place];
    if (last?.name === name && last.value === value) return last.text;
    const text = this.#make(name, value);
    this.#made[place] = { name, value, text };
    return text;
  }
}
