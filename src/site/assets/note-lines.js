/** @typedef {{start: number, end: number}} LineRange First and last line, from 1. */

/**
 * Reads `#L12-L30` or `#L12`.
 *
 * @param {string} hash
 * @returns {LineRange | undefined}
 */
export function parseLines(hash) {
  const match = /^#L(\d{1,9})(?:-L?(\d{1,9}))?$/.exec(hash);
  if (!match) return undefined;
  const start = Number(match[1]);
  return { start, end: Math.max(start, Number(match[2] ?? start)) };
}

/**
 * Which of the nested line ranges to mark, outer ones first in the list: a block that lies in the
 * cited lines as a whole, once; of a block that is cited in part, the innermost.
 *
 * @template {{range: LineRange, contains: (other: T) => boolean}} T
 * @param {T[]} blocks
 * @param {LineRange} cited
 * @returns {T[]}
 */
export function chooseMarked(blocks, cited) {
  const touched = blocks.filter(({ range }) => range.start <= cited.end && range.end >= cited.start);
  /** @type {T[]} */
  const marked = [];
  for (const block of touched) {
    if (marked.some((outer) => outer.contains(block))) continue;
    const whole = block.range.start >= cited.start && block.range.end <= cited.end;
    if (whole || !touched.some((other) => other !== block && block.contains(other))) marked.push(block);
  }
  return marked;
}

/**
 * Marks the cited lines of a rendered note and brings them into view.
 *
 * @param {HTMLElement} root
 * @param {LineRange | undefined} cited
 * @returns {HTMLElement | undefined} the first marked block
 */
export function markLines(root, cited) {
  for (const old of root.querySelectorAll('.cited')) old.classList.remove('cited');
  if (cited === undefined) return undefined;
  const blocks = [...root.querySelectorAll('[data-line]')]
    .filter((node) => node instanceof HTMLElement)
    .map(toBlock);
  const marked = chooseMarked(blocks, cited);
  for (const { node } of marked) {
    node.classList.add('cited');
    // A folded callout shows what is cited in it.
    for (let up = node.closest('details'); up; up = up.parentElement?.closest('details') ?? null)
      up.open = true;
  }
  const first = marked[0]?.node;
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  first?.scrollIntoView({ block: 'center', behavior: calm ? 'auto' : 'smooth' });
  return first;
}

/**
 * @typedef {{node: HTMLElement, range: LineRange, contains: (other: LineBlock) => boolean}} LineBlock
 *
 * @param {HTMLElement} node
 * @returns {LineBlock}
 */
function toBlock(node) {
  const start = Number(node.dataset['line']);
  const range = { start, end: Number(node.dataset['endLine'] ?? start) };
  return { node, range, contains: (other) => node.contains(other.node) };
}
