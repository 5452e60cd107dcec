import { dotProduct } from './dot-product.ts';
import { type SignBits, signBitsOf } from './sign-bits.ts';

/** How many candidates the signs must hand over for this index, as measured on its own vectors. */
export type Calibration = {
  /** Vectors there were when it was measured. */
  readonly vectors: number;
  /** `all` compares every vector. */
  readonly candidates: number | 'all';
};

/** What holds for an index too small to need signs. */
export const NOT_CALIBRATED: Calibration = { vectors: 0, candidates: 'all' };

/** Up to here comparing everything takes a few milliseconds. */
const SMALL_INDEX = 2000;
const QUESTIONS = 50;
const NEIGHBOURS = 10;
const WANTED_RECALL = 0.99;
const CANDIDATE_STEPS = [100, 200, 400, 800];

type Stored = { readonly chunkId: number; readonly vector: Float32Array };

/** Whether an index has grown so much since it was measured that it must be measured again. */
export function needsCalibration(calibration: Calibration, vectors: number): boolean {
  return vectors > SMALL_INDEX && vectors >= calibration.vectors * 2;
}

/** Chunks of the index, evenly picked, stand in for questions: each lies among the texts of its subject. */
function sampleQuestions(vectors: Iterable<Stored>, count: number): Float32Array[] {
  const step = Math.max(1, Math.floor(count / QUESTIONS));
  const sample: Float32Array[] = [];
  let index = 0;
  for (const { vector } of vectors) {
    if (index % step === 0 && sample.length < QUESTIONS) sample.push(vector.slice());
    index += 1;
  }
  return sample;
}

type Best = { readonly chunkId: number; readonly score: number };

function keepBest(best: Best[], found: Best): void {
  if (best.length === NEIGHBOURS && found.score <= (best.at(-1)?.score ?? 0)) return;
  const at = best.findIndex((known) => known.score < found.score);
  best.splice(at === -1 ? best.length : at, 0, found);
  if (best.length > NEIGHBOURS) best.pop();
}

/** One pass over the file for all questions. */
function exactNeighbours(questions: readonly Float32Array[], vectors: Iterable<Stored>): Best[][] {
  const lists: Best[][] = questions.map(() => []);
  for (const { chunkId, vector } of vectors) {
    questions.forEach((question, index) => {
      keepBest(lists[index] ?? [], { chunkId, score: dotProduct(question, vector) });
    });
  }
  return lists;
}

/** Share of the true neighbours that are among the first `candidates` by signs. */
function recallOf(
  bits: SignBits,
  questions: readonly Float32Array[],
  truth: readonly Best[][],
): Map<number, number> {
  const found = new Map(CANDIDATE_STEPS.map((step) => [step, 0]));
  questions.forEach((question, index) => {
    const scan = bits.scan(signBitsOf(question));
    for (const step of CANDIDATE_STEPS) {
      const ids = new Set(scan.nearest(step).map((match) => match.chunkId));
      const hits = (truth[index] ?? []).filter((best) => ids.has(best.chunkId)).length;
      found.set(step, (found.get(step) ?? 0) + hits);
    }
  });
  const wanted = truth.reduce((sum, list) => sum + list.length, 0);
  return new Map([...found].map(([step, hits]) => [step, wanted === 0 ? 1 : hits / wanted]));
}

/**
 * Measures how many candidates by signs contain 99 % of the ten nearest chunks, with 50 questions made of
 * the index's own vectors; `all` where even 800 do not. Costs two readings of all vectors.
 */
export function calibrateCandidates(bits: SignBits, vectors: () => Iterable<Stored>): Calibration {
  const questions = sampleQuestions(vectors(), bits.size);
  const recall = recallOf(bits, questions, exactNeighbours(questions, vectors()));
  const enough = CANDIDATE_STEPS.find((step) => (recall.get(step) ?? 0) >= WANTED_RECALL);
  return { vectors: bits.size, candidates: enough ?? 'all' };
}
