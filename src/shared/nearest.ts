/**
 * Names the candidates nearest to what was typed, best first: at most `limit`, by edit distance
 * (optimal string alignment, so a swap of two letters counts once), case ignored. A candidate
 * counts when at most a third of the longer name must change or one begins with the other.
 */
export function nearest(name: string, candidates: Iterable<string>, limit = 3): readonly string[] {
  const wanted = name.toLowerCase();
  const scored: { readonly candidate: string; readonly distance: number }[] = [];
  for (const candidate of new Set(candidates)) {
    const other = candidate.toLowerCase();
    const prefix = isPrefixPair(wanted, other);
    const allowed = Math.max(1, Math.floor(Math.max(wanted.length, other.length) / 3));
    // A prefix is as near as one edit: `llama` is meant for `llama3:latest` whatever its length.
    const distance = prefix ? 1 : editDistance(wanted, other, allowed);
    if (distance <= allowed) scored.push({ candidate, distance });
  }
  scored.sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  return scored.slice(0, limit).map((entry) => entry.candidate);
}

function isPrefixPair(a: string, b: string): boolean {
  const shorter = a.length < b.length ? a : b;
  return shorter.length >= 3 && a.startsWith(shorter) && b.startsWith(shorter);
}

/**
 * Counts the edits (insert, delete, replace, swap of neighbours) from one text to another, or
 * returns `limit + 1` as soon as more are needed. Time is the product of the lengths.
 */
export function editDistance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      current.push(cell({ from, to, row, column }, [beforeLast, last, current]));
    }
    if (Math.min(...current) > limit) return limit + 1;
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? limit + 1;
}

type Cell = { readonly from: string; readonly to: string; readonly row: number; readonly column: number };

function cell(
  { from, to, row, column }: Cell,
  [beforeLast, last, current]: readonly [readonly number[], readonly number[], readonly number[]],
): number {
  const same = from[row - 1] === to[column - 1];
  const best = Math.min(
    (last[column] ?? 0) + 1,
    (current[column - 1] ?? 0) + 1,
    (last[column - 1] ?? 0) + (same ? 0 : 1),
  );
  const swapped =
    row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
  return swapped ? Math.min(best, (beforeLast[column - 2] ?? 0) + 1) : best;
}
