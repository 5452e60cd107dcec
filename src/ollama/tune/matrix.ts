import type { RunnerOptions } from '../queue/runner-options.ts';

/** What decides which options are worth trying on a model and a host. */
export type TuneFacts = {
  readonly kind: 'chat' | 'embedding';
  /** What travels with every request now. */
  readonly options: RunnerOptions;
  /** Names of options that the configuration sets: someone decided on them. */
  readonly configured: ReadonlySet<string>;
  /** Logical cores of the host; absent where it is another machine. */
  readonly cores?: number;
  /** Of the model as it is loaded now, in bytes. */
  readonly sizeBytes: number;
  readonly vramBytes: number;
  /** Layers of the model. */
  readonly blockCount?: number;
  readonly hasDraft: boolean;
};

/** Values of one option that are tried, besides the one that counts now. */
export type TuneDimension = { readonly option: string; readonly values: readonly (number | boolean)[] };

/** An option that is left alone, and why. */
export type SkippedOption = { readonly option: string; readonly reason: string };

/** What is tried, in this order, and what is not. */
export type TuneMatrix = {
  readonly dimensions: readonly TuneDimension[];
  readonly skipped: readonly SkippedOption[];
};

/** Options that change speed; `num_ctx` changes what fits, and is not among them. */
export const TUNABLE_OPTIONS = [
  'num_gpu',
  'num_thread',
  'num_batch',
  'draft_num_predict',
  'use_mmap',
] as const;

type Tunable = (typeof TUNABLE_OPTIONS)[number];

/** Ollama's own values where nothing is sent. */
const UNSENT: Partial<Record<Tunable, number | boolean>> = {
  num_batch: 512,
  draft_num_predict: 4,
  use_mmap: true,
};
const BATCHES = [128, 256, 1024, 2048];
const DRAFTS = [0, 2, 8, 16];
/** Of another machine the cores are not known; too many threads only show as slow. */
const THREADS_ELSEWHERE = [4, 8, 16];

/** Decides what to try. `only` leaves all others alone, and tries what the configuration sets too. */
export function tuneMatrix(facts: TuneFacts, only: readonly string[] = []): TuneMatrix {
  const dimensions: TuneDimension[] = [];
  const skipped: SkippedOption[] = [];
  for (const option of TUNABLE_OPTIONS) {
    if (only.length > 0 && !only.includes(option)) continue;
    const values = valuesOf(option, facts, only);
    if (typeof values === 'string') skipped.push({ option, reason: values });
    else dimensions.push({ option, values });
  }
  return { dimensions, skipped };
}

function valuesOf(
  option: Tunable,
  facts: TuneFacts,
  only: readonly string[],
): readonly (number | boolean)[] | string {
  if (facts.configured.has(option) && !only.includes(option)) {
    return 'the configuration sets it; --only tries it all the same';
  }
  const values = RULES[option](facts);
  if (typeof values === 'string') return values;
  const now = facts.options[option] ?? UNSENT[option];
  const others = [...new Set(values)].filter((value) => value !== now);
  return others.length > 0 ? others : 'there is no other value worth trying';
}

const RULES: Readonly<Record<Tunable, (facts: TuneFacts) => readonly (number | boolean)[] | string>> = {
  num_gpu({ vramBytes, sizeBytes, blockCount }) {
    if (vramBytes === 0) return 'the model uses no video memory';
    if (vramBytes >= sizeBytes) return 'the whole model is in video memory already';
    if (blockCount === undefined) return 'the model does not tell its layers';
    // What Ollama's own estimate left in main memory, in two steps; more than fits fails to load.
    const inVideoMemory = Math.floor((blockCount * vramBytes) / sizeBytes);
    return [Math.min(blockCount, inVideoMemory + Math.max(1, Math.floor(blockCount / 10))), blockCount + 1];
  },
  num_thread({ vramBytes, sizeBytes, cores }) {
    if (sizeBytes > 0 && vramBytes >= sizeBytes) return 'the whole model is in video memory';
    if (cores === undefined) return THREADS_ELSEWHERE;
    return [Math.ceil(cores / 2), Math.ceil((cores * 3) / 4), cores];
  },
  num_batch({ kind, options }) {
    // llama.cpp refuses a text that is longer than its batch.
    if (kind === 'embedding') return 'with an embedding model it bounds the length of a text';
    const { num_ctx: numCtx } = options;
    return BATCHES.filter((size) => typeof numCtx !== 'number' || size <= numCtx);
  },
  draft_num_predict: ({ hasDraft }) => (hasDraft ? DRAFTS : 'the model has no draft model'),
  use_mmap: () => [true, false],
};
