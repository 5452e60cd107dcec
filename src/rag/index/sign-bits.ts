/** A chunk found by its bits; fewer differing bits are nearer. */
export type BitMatch = { readonly chunkId: number; readonly noteId: number; readonly distance: number };

const FIRST_CAPACITY = 1024;
/** Copies of one text all lie at the same distance: of ties at the edge no more than this many times the limit. */
const MOST_TIES = 4;

/** One bit for the sign of every number of a vector, 32 to a word. */
export function signBitsOf(vector: Float32Array): Uint32Array {
  const words = new Uint32Array(Math.ceil(vector.length / 32));
  vector.forEach((value, index) => {
    if (value > 0) words[index >>> 5] = (words[index >>> 5] ?? 0) | (1 << (index & 31));
  });
  return words;
}

function bitCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function byDistance(a: BitMatch, b: BitMatch): number {
  return a.distance - b.distance || a.chunkId - b.chunkId;
}

/** Distances of all chunks from one question. */
export class BitScan {
  readonly #distances: Uint16Array;
  readonly #chunkIds: Float64Array;
  readonly #noteIds: Float64Array;

  constructor(distances: Uint16Array, chunkIds: Float64Array, noteIds: Float64Array) {
    this.#distances = distances;
    this.#chunkIds = chunkIds;
    this.#noteIds = noteIds;
  }

  /** The `limit` chunks with the fewest differing bits (ties at the edge included), among `allowed` notes. */
  nearest(limit: number, allowed?: ReadonlySet<number>): BitMatch[] {
    const edge = this.#edge(limit, allowed);
    const matches: BitMatch[] = [];
    for (let slot = 0; slot < this.#distances.length; slot += 1) {
      const distance = this.#distances[slot] ?? 0;
      if (distance <= edge && this.#isAllowed(slot, allowed)) matches.push(this.#match(slot));
    }
    return matches.length > limit * MOST_TIES
      ? matches.sort(byDistance).slice(0, limit * MOST_TIES)
      : matches;
  }

  /** The `perNote` nearest chunks of each of these notes. */
  bestOfNotes(noteIds: ReadonlySet<number>, perNote: number): BitMatch[] {
    const best = new Map<number, BitMatch[]>();
    for (let slot = 0; slot < this.#distances.length; slot += 1) {
      const noteId = this.#noteIds[slot] ?? 0;
      if (!noteIds.has(noteId)) continue;
      const list = best.get(noteId) ?? [];
      list.push(this.#match(slot));
      best.set(noteId, list);
    }
    return [...best.values()].flatMap((list) => list.sort(byDistance).slice(0, perNote));
  }

  /** The distance within which `limit` allowed chunks lie. */
  #edge(limit: number, allowed: ReadonlySet<number> | undefined): number {
    const histogram: number[] = [];
    for (let slot = 0; slot < this.#distances.length; slot += 1) {
      const distance = this.#distances[slot] ?? 0;
      if (this.#isAllowed(slot, allowed)) histogram[distance] = (histogram[distance] ?? 0) + 1;
    }
    let taken = 0;
    const edge = Array.from(histogram, (count) => count ?? 0).findIndex((count) => (taken += count) >= limit);
    return edge === -1 ? histogram.length : edge;
  }

  #isAllowed(slot: number, allowed: ReadonlySet<number> | undefined): boolean {
    return allowed === undefined || allowed.has(this.#noteIds[slot] ?? 0);
  }

  #match(slot: number): BitMatch {
    return {
      chunkId: this.#chunkIds[slot] ?? 0,
      noteId: this.#noteIds[slot] ?? 0,
      distance: this.#distances[slot] ?? 0,
    };
  }
}

/**
 * The signs of all vectors of an index, in memory: 48 bytes for 384 numbers. A scan over them costs a
 * few milliseconds for 100,000 chunks and leaves few candidates to compare exactly.
 */
export class SignBits {
  readonly #words: number;
  readonly #slots = new Map<number, number>();
  #bits: Uint32Array;
  #chunkIds: Float64Array;
  #noteIds: Float64Array;

  constructor(dimensions: number) {
    this.#words = Math.ceil(dimensions / 32);
    this.#bits = new Uint32Array(FIRST_CAPACITY * this.#words);
    this.#chunkIds = new Float64Array(FIRST_CAPACITY);
    this.#noteIds = new Float64Array(FIRST_CAPACITY);
  }

  get size(): number {
    return this.#slots.size;
  }

  set(chunkId: number, noteId: number, bits: Uint32Array): void {
    const known = this.#slots.get(chunkId);
    const slot = known ?? this.#slots.size;
    if (slot >= this.#chunkIds.length) this.#grow();
    this.#slots.set(chunkId, slot);
    this.#chunkIds[slot] = chunkId;
    this.#noteIds[slot] = noteId;
    this.#bits.set(bits, slot * this.#words);
  }

  /** Removes a chunk by moving the last one into its place. */
  delete(chunkId: number): void {
    const slot = this.#slots.get(chunkId);
    if (slot === undefined) return;
    const last = this.#slots.size - 1;
    const lastId = this.#chunkIds[last] ?? 0;
    this.#bits.copyWithin(slot * this.#words, last * this.#words, (last + 1) * this.#words);
    this.#chunkIds[slot] = lastId;
    this.#noteIds[slot] = this.#noteIds[last] ?? 0;
    this.#slots.set(lastId, slot);
    this.#slots.delete(chunkId);
  }

  /** Compares a question's bits with all; the result holds until the next change. */
  scan(query: Uint32Array): BitScan {
    return new BitScan(this.#distances(query), this.#chunkIds, this.#noteIds);
  }

  #distances(query: Uint32Array): Uint16Array {
    const words = this.#words;
    const bits = this.#bits;
    const distances = new Uint16Array(this.size);
    let at = 0;
    for (let slot = 0; slot < distances.length; slot += 1) {
      let distance = 0;
      for (let word = 0; word < words; word += 1) {
        distance += bitCount((bits[at] ?? 0) ^ (query[word] ?? 0));
        at += 1;
      }
      distances[slot] = distance;
    }
    return distances;
  }

  #grow(): void {
    const capacity = this.#chunkIds.length * 2;
    const grown = {
      bits: new Uint32Array(capacity * this.#words),
      chunks: new Float64Array(capacity),
      notes: new Float64Array(capacity),
    };
    grown.bits.set(this.#bits);
    grown.chunks.set(this.#chunkIds);
    grown.notes.set(this.#noteIds);
    this.#bits = grown.bits;
    this.#chunkIds = grown.chunks;
    this.#noteIds = grown.notes;
  }
}
