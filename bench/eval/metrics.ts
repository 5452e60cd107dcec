/** What a question should find: gain by note path; notes of full relevance are those that recall and MRR count. */
export type Judgement = {
  readonly gains: ReadonlyMap<string, number>;
  readonly relevant: ReadonlySet<string>;
};

function discount(rank: number): number {
  return 1 / Math.log2(rank + 2);
}

/** nDCG within the first k: linear gains, ideal order over all judged notes. */
export function ndcg(ranking: readonly string[], judgement: Judgement, k: number): number {
  const ideal = [...judgement.gains.values()].sort((a, b) => b - a).slice(0, k);
  const best = ideal.reduce((sum, gain, rank) => sum + gain * discount(rank), 0);
  const found = ranking
    .slice(0, k)
    .reduce((sum, path, rank) => sum + (judgement.gains.get(path) ?? 0) * discount(rank), 0);
  return best === 0 ? 0 : found / best;
}

/** Reciprocal rank of the first relevant note within the first k, else 0. */
export function reciprocalRank(ranking: readonly string[], judgement: Judgement, k: number): number {
  const rank = ranking.slice(0, k).findIndex((path) => judgement.relevant.has(path));
  return rank === -1 ? 0 : 1 / (rank + 1);
}

/** Share of the relevant notes within the first k. With golden chunks as notes this is Pass@k. */
export function recall(ranking: readonly string[], judgement: Judgement, k: number): number {
  const found = ranking.slice(0, k).filter((path) => judgement.relevant.has(path)).length;
  return judgement.relevant.size === 0 ? 0 : found / judgement.relevant.size;
}

/** Whether the first note is relevant, as 1 or 0. */
export function hitAtOne(ranking: readonly string[], judgement: Judgement): number {
  return recall(ranking, judgement, 1) > 0 ? 1 : 0;
}

/** Arithmetic mean; 0 of nothing. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
