/**
 * Counts the edits (insert, delete, replace, swap of neighbours) between two words: the optimal string
 * alignment distance, or `most + 1` as soon as it is known to be greater than `most`.
 */
export function editDistance(left: string, right: string, most: number): number {
  if (Math.abs(left.length - right.length) > most) return most + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    let smallest = row;
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      let edits = Math.min(
        (last[column - 1] ?? 0) + (same ? 0 : 1),
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
      );
      if (!same && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]) {
        edits = Math.min(edits, (beforeLast[column - 2] ?? edits) + 1);
      }
      current.push(edits);
      if (edits < smallest) smallest = edits;
    }
    if (smallest > most) return most + 1;
    beforeLast = last;
    last = current;
  }
  return Math.min(last[right.length] ?? 0, most + 1);
}
