import type { Dice } from './dice.ts';

/** Cuts bytes at places that may come in any order, more than once, or beyond the end. */
export function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => Math.min(place, bytes.length)), bytes.length].toSorted(
    (a, b) => a - b,
  );
  return ends
    .map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
    .filter((piece) => piece.length > 0);
}

/** Cuts bytes into single ones. */
export function byteByByte(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
}

/** Places to cut `length` bytes at: none, all, or a few. */
export function chancePlaces(length: number, dice: Dice): number[] {
  const kind = dice.below(8);
  if (kind === 0 && length < 400) return Array.from({ length }, (_, index) => index);
  if (kind < 4) return [];
  return Array.from({ length: 1 + dice.below(4) }, () => dice.below(length + 1));
}
