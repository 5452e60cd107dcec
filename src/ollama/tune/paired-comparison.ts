/** How much faster one of two things is, from pairs that were measured one right after the other. */
export type PairedComparison = {
  /** Pairs. */
  readonly rounds: number;
  /** Hodges-Lehmann estimate: 1.1 is a tenth faster. NaN without a pair. */
  readonly ratio: number;
  /** The interval that holds the true ratio in 95 of 100 experiments; 0 and Infinity with too few pairs. */
  readonly low: number;
  readonly high: number;
};

/** Fewer pairs than this cannot tell anything with 95 % confidence (2 / 2⁶ is the first below 5 %). */
export const FEWEST_ROUNDS = 6;
const HALF_ALPHA = 0.025;

/**
 * Compares by the ratios of pairs (time of the one ÷ time of the other), all above 0. The interval is
 * exact and asks nothing of the noise but that it is the same on both sides: Wilcoxon's signed ranks
 * of the logarithms, inverted (Hollander, Wolfe, Chicken: Nonparametric Statistical Methods, 3.3).
 */
export function comparePairs(ratios: readonly number[]): PairedComparison {
  const rounds = ratios.length;
  const averages = walshAverages(ratios.map(Math.log));
  const middle = medianOf(averages) ?? NaN;
  const dropped = rounds < FEWEST_ROUNDS ? undefined : droppedAverages(rounds);
  if (dropped === undefined) return { rounds, ratio: Math.exp(middle), low: 0, high: Infinity };
  return {
    rounds,
    ratio: Math.exp(middle),
    low: Math.exp(averages[dropped] ?? -Infinity),
    high: Math.exp(averages[averages.length - 1 - dropped] ?? Infinity),
  };
}

/** The mean of each pair of values, each with itself too, in ascending order. */
function walshAverages(values: readonly number[]): readonly number[] {
  return values
    .flatMap((value, index) => values.slice(index).map((other) => (value + other) / 2))
    .toSorted((a, b) => a - b);
}

/** The middle one of sorted values, or the mean of the two in the middle; undefined of none. */
export function medianOf(sorted: readonly number[]): number | undefined {
  const half = (sorted.length - 1) / 2;
  const [low, high] = [sorted[Math.floor(half)], sorted[Math.ceil(half)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

/**
 * How many Walsh averages lie outside the interval on each side: the largest `k` for which the sum of
 * signed ranks is at most `k` with a probability of 2.5 % at most, where nothing differs.
 */
function droppedAverages(count: number): number | undefined {
  const ways = waysToSum(count);
  const total = 2 ** count;
  let cumulated = 0;
  let largest: number | undefined;
  for (const [sum, number] of ways.entries()) {
    cumulated += number;
    if (cumulated / total > HALF_ALPHA) return largest;
    largest = sum;
  }
  return largest;
}

/** In how many of the 2ⁿ choices of ranks 1…n their sum is 0, 1, 2… */
function waysToSum(count: number): readonly number[] {
  let ways = [1];
  for (let rank = 1; rank <= count; rank += 1) {
    const more = Array.from({ length: ways.length + rank }, () => 0);
    for (const [sum, number] of ways.entries()) {
      more[sum] = (more[sum] ?? 0) + number;
      more[sum + rank] = (more[sum + rank] ?? 0) + number;
    }
    ways = more;
  }
  return ways;
}
