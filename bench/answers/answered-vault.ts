/** A vault that questions are asked of: a folder that is there, or notes to write. */
export type AnsweredVault = {
  readonly name: string;
  readonly folder?: string;
  readonly notes?: readonly { readonly path: string; readonly markdown: string }[];
};

/** A question and what is known of its answer. */
export type KnownQuestion = {
  readonly text: string;
  /** Name of the vault that holds the answer. */
  readonly vault: string;
  /** Spans of which the answer must have one; none where only the notes are known. */
  readonly spans: readonly string[];
  /** Notes that answer it fully. */
  readonly notes: ReadonlySet<string>;
  /** Lines of the note where the answer stands, both included. */
  readonly lines?: { readonly from: number; readonly to: number };
};

/** Draws `count` items without order, the same ones for the same seed (mulberry32). */
export function sample<T>(items: readonly T[], count: number, seed: number): T[] {
  let state = seed;
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const keyed = items.map((item) => ({ item, key: random() }));
  keyed.sort((a, b) => a.key - b.key);
  return keyed.slice(0, count).map(({ item }) => item);
}
