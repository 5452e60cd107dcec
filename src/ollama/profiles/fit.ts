import type { OllamaCacheType } from '../../shared/ollama-hosts.ts';
import { toBytes } from '../../shared/quantities.ts';
import type { FitEstimate, HostMemory } from '../control-plane.ts';
import type { ModelShape, OllamaModel } from '../fleet/model-facts.ts';

/** Bytes of one element of the cache: GGML keeps 32 of q8_0 in 34 bytes, 32 of q4_0 in 18. */
const ELEMENT_BYTES: Readonly<Record<OllamaCacheType, number>> = { f16: 2, q8_0: 34 / 32, q4_0: 18 / 32 };
/** Ollama places a model where its estimate is at most this part of the free memory (`PredictServerVRAM`). */
export const USABLE_MEMORY = 0.8;
/** Below this a window is of no use, even where memory is short. */
const LEAST_NUM_CTX = 2_048;
/** Windows are told in steps of this many tokens. */
const STEP = 1_024;
/** Tokens of a prompt that are processed at once, which a sliding window is longer by. */
const BATCH = 512;

/**
 * Architectures whose blocks look back at a window but for each n-th, which sees everything, with the
 * remainder that tells which (Ollama's `GraphSize`).
 */
const SLIDING: ReadonlyMap<string, { readonly every: number; readonly full: number }> = new Map([
  ['gemma3', { every: 6, full: 5 }],
  ['gptoss', { every: 2, full: 1 }],
  ['gpt-oss', { every: 2, full: 1 }],
]);
/** What gpt-oss looks back at, where the model does not say. */
const GPT_OSS_WINDOW = 4_096;

/** Architectures that Ollama serves one request at a time, whatever it was told (its `sched.go`). */
const ONE_AT_A_TIME: ReadonlySet<string> = new Set([
  'mllama',
  'qwen3vl',
  'qwen3vlmoe',
  'qwen35',
  'qwen35moe',
  'qwen3next',
  'lfm2',
  'lfm2moe',
  'nemotron_h',
  'nemotron_h_moe',
  'nemotron_h_omni',
]);

/** What a window is reckoned for. */
export type CacheAsk = {
  readonly numCtx: number;
  /** Requests that are served at once; each has a window of its own. */
  readonly parallel: number;
  readonly cacheType?: OllamaCacheType | undefined;
};

/** Requests that Ollama serves a model at once with, where it was started for `parallel`. */
export function parallelOf(
  model: Pick<OllamaModel, 'chat' | 'embedding' | 'shape'>,
  parallel: number,
): number {
  const single = (model.embedding && !model.chat) || ONE_AT_A_TIME.has(model.shape?.architecture ?? '');
  return single ? 1 : parallel;
}

/**
 * Bytes of the key-value cache: for each block, tokens × heads × (key + value) elements, as Ollama
 * itself estimates it (`GraphSize` of its `fs/ggml`), graphs left out. A block without heads keeps a state of fixed
 * size, which is left out.
 */
export function cacheBytes(shape: ModelShape, { numCtx, parallel, cacheType = 'f16' }: CacheAsk): number {
  const { full, sliding } = headsOf(shape);
  const headBytes = (shape.keyLength + shape.valueLength) * ELEMENT_BYTES[cacheType];
  const tokens = numCtx * parallel;
  return headBytes * (full * tokens + sliding * Math.min(tokens, slidingTokens(shape, parallel)));
}

/** Heads of all blocks that see everything, and of those that see a window. */
function headsOf(shape: ModelShape): { readonly full: number; readonly sliding: number } {
  const { keyValueHeads, blockCount, architecture } = shape;
  const pattern = slidingWindowOf(shape) === undefined ? undefined : SLIDING.get(architecture);
  let full = 0;
  let sliding = 0;
  for (let block = 0; block < blockCount; block += 1) {
    const heads = typeof keyValueHeads === 'number' ? keyValueHeads : (keyValueHeads[block] ?? 0);
    if (pattern === undefined || block % pattern.every === pattern.full) full += heads;
    else sliding += heads;
  }
  return { full, sliding };
}

function slidingWindowOf({ architecture, slidingWindow }: ModelShape): number | undefined {
  return slidingWindow ?? (architecture.startsWith('gpt') ? GPT_OSS_WINDOW : undefined);
}

function slidingTokens(shape: ModelShape, parallel: number): number {
  return (slidingWindowOf(shape) ?? 0) * parallel + BATCH;
}

/** What a window must fit into. */
export type FitRoom = {
  readonly sizeBytes: number;
  readonly shape: ModelShape;
  readonly memoryBytes: number;
  readonly parallel: number;
  readonly cacheType?: OllamaCacheType | undefined;
};

/**
 * The largest window in tokens whose cache fits beside the weights in the usable part of the memory,
 * in whole steps; 0 where not even the weights do.
 */
export function largestContext(room: FitRoom, limit: number): number {
  const fits = (numCtx: number): boolean =>
    room.sizeBytes + cacheBytes(room.shape, { ...room, numCtx }) <= room.memoryBytes * USABLE_MEMORY;
  if (fits(limit)) return limit;
  // The cache only grows with the window: the last step that fits is found by halving.
  let low = 0;
  let high = Math.ceil(limit / STEP);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle * STEP)) low = middle;
    else high = middle;
  }
  return low * STEP;
}

/** The same where some of it may not be known. */
export type PartialRoom = { readonly [Name in keyof FitRoom]?: FitRoom[Name] | undefined };

/** The window that a model gets by default on a host with so much memory, in tokens. */
export function fittingContext(room: PartialRoom, limit: number): number {
  const { sizeBytes, shape, memoryBytes, parallel = 1 } = room;
  if (sizeBytes === undefined || shape === undefined || memoryBytes === undefined) return limit;
  const largest = largestContext({ ...room, sizeBytes, shape, memoryBytes, parallel }, limit);
  return Math.min(limit, Math.max(LEAST_NUM_CTX, largest));
}

/** What an estimate is made of. */
export type FitFacts = HostMemory & {
  readonly model: OllamaModel;
  readonly host: string;
  readonly ask: CacheAsk;
  /** The window that was asked for, where the model was trained for less. */
  readonly tooLong?: number | undefined;
};

/** Estimates what a model takes on a host, and says in a sentence what was reckoned with. */
export function estimateFit(facts: FitFacts): FitEstimate {
  const { model, host, memoryBytes, ask } = facts;
  const { shape, sizeBytes: weightsBytes } = model;
  const cache = shape === undefined ? undefined : Math.ceil(cacheBytes(shape, ask));
  const totalBytes = cache === undefined ? undefined : weightsBytes + cache;
  const largest =
    shape === undefined || memoryBytes === undefined
      ? undefined
      : largestContext(
          { ...ask, shape, memoryBytes, sizeBytes: weightsBytes },
          model.contextLength ?? ask.numCtx,
        );
  const estimate: Omit<FitEstimate, 'explanation'> = {
    host,
    model: model.name,
    numCtx: ask.numCtx,
    parallel: ask.parallel,
    weightsBytes,
    verdict: verdictOf(totalBytes, memoryBytes),
    ...(cache === undefined ? {} : { cacheBytes: cache }),
    ...(totalBytes === undefined ? {} : { totalBytes }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(largest === undefined || largest === 0 ? {} : { largestNumCtx: largest }),
  };
  const explanation = explanationOf(estimate, facts);
  if (facts.tooLong === undefined) return { ...estimate, explanation };
  const limit = `it was trained for ${ask.numCtx} tokens and gets no ${facts.tooLong}`;
  return { ...estimate, explanation: `${limit}; ${explanation}` };
}

function verdictOf(
  totalBytes: number | undefined,
  memoryBytes: number | undefined,
): 'fits' | 'too large' | 'unknown' {
  if (totalBytes === undefined || memoryBytes === undefined) return 'unknown';
  return totalBytes <= memoryBytes * USABLE_MEMORY ? 'fits' : 'too large';
}

function explanationOf(estimate: Omit<FitEstimate, 'explanation'>, facts: FitFacts): string {
  const { cacheBytes: cache, totalBytes, memoryBytes, largestNumCtx } = estimate;
  if (facts.model.remoteHost !== undefined)
    return `${estimate.model} runs at ${facts.model.remoteHost}: it takes no memory here`;
  if (cache === undefined || totalBytes === undefined) {
    return `weights of ${toBytes(estimate.weightsBytes)}; the model does not tell the sizes that its cache follows from`;
  }
  const requests = estimate.parallel === 1 ? '' : ` for each of ${estimate.parallel} requests at once`;
  const sum = `weights of ${toBytes(estimate.weightsBytes)} and a cache of ${toBytes(cache)} (${facts.ask.cacheType ?? 'f16'}, ${estimate.numCtx} tokens${requests}) are ${toBytes(totalBytes)}`;
  if (memoryBytes === undefined) {
    return `${sum}; the memory of ${estimate.host} is not known, because Ollama tells none: set memory for the host in providers.ollama`;
  }
  const place = facts.memorySource === 'configured' ? 'that the configuration says' : 'of this machine';
  const room = `Ollama uses up to ${USABLE_MEMORY * 100} % of the ${toBytes(memoryBytes)} ${place}`;
  if (estimate.verdict === 'fits') return `${sum}; ${room}`;
  const remedy =
    largestNumCtx === undefined
      ? 'not even the weights fit: choose a smaller quantization'
      : `lower num_ctx to ${largestNumCtx}, or start Ollama with OLLAMA_KV_CACHE_TYPE=q8_0`;
  return `${sum}; ${room}: ${remedy}`;
}
