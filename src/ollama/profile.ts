import { OLLAMA_OPTIONS, requireOllamaOption } from '../providers/ollama/options.ts';

import type { ModelShape } from './model-facts.ts';

/** The canonical runner options of one model on one host, and which of them a request may change. */
export type RunnerProfile = {
  /** Runner options that travel with every request, so that no two requests reload the model. */
  readonly runner: Readonly<Record<string, number | boolean>>;
  /** Tokens the model was trained for: more context than that is never asked for. */
  readonly trainedContext?: number;
  /** Runner options that a request may set, each time at the price of a reload. */
  readonly requestable: ReadonlySet<string>;
};

/** What a profile is made from. */
export type ProfileFacts = {
  readonly trainedContext?: number | undefined;
  /** `PARAMETER num_ctx` of the model itself. */
  readonly ownNumCtx?: number | undefined;
  /** `hardware` of the configuration. */
  readonly hardware: Readonly<Record<string, number | boolean>>;
  /** `model_overrides` of the configuration for this model. */
  readonly overrides?: Readonly<Record<string, number | boolean>> | undefined;
  /** Runner options of the deployment (`litellm_params`). */
  readonly deployment?: Readonly<Record<string, unknown>>;
  readonly sizeBytes?: number | undefined;
  readonly shape?: ModelShape | undefined;
  /** Memory that the host has for models, in bytes, when known. */
  readonly memoryBytes?: number | undefined;
};

/** Context window when nothing is configured, however much the model was trained for. */
export const DEFAULT_NUM_CTX = 16_384;
/** Below this a window is of no use, even where memory is short. */
const LEAST_NUM_CTX = 2_048;
/** Bytes of one element of the key-value cache (f16, Ollama's default). */
const CACHE_ELEMENT_BYTES = 2;
/** Ollama places a model where its estimate is at most this part of the free memory. */
const USABLE_MEMORY = 0.8;

/** Makes the one profile of a model: configuration over the model's own words over the defaults. */
export function runnerProfile(facts: ProfileFacts): RunnerProfile {
  const deployment = Object.entries(facts.deployment ?? {}).filter(
    (entry): entry is [string, number | boolean] =>
      isRunnerOption(entry[0]) && (typeof entry[1] === 'number' || typeof entry[1] === 'boolean'),
  );
  const runner: Record<string, number | boolean> = {
    num_ctx: facts.ownNumCtx ?? defaultContext(facts),
    ...facts.hardware,
    ...facts.overrides,
    ...Object.fromEntries(deployment),
  };
  const trained = facts.trainedContext;
  return {
    runner: clampContext(runner, trained),
    requestable: new Set(['num_ctx']),
    ...(trained === undefined ? {} : { trainedContext: trained }),
  };
}

/** What a request's options become. */
export type EffectiveOptions = {
  /** For the body, complete. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Allocated context window in tokens. */
  readonly numCtx?: number;
  /** Names of options of the request that were dropped, sorted. */
  readonly ignored: readonly string[];
};

/**
 * Applies a profile to the options of a request: sampling options always pass, runner options only
 * where the profile allows them, others are dropped by name (removed from Ollama, or never known).
 * @throws ObeliskError `invalid_request` for an option of the wrong type.
 */
export function applyProfile(
  profile: RunnerProfile,
  requested: Readonly<Record<string, unknown>>,
): EffectiveOptions {
  const options: Record<string, unknown> = { ...profile.runner };
  const ignored: string[] = [];
  for (const [name, value] of Object.entries(requested)) {
    if (value === undefined || value === null) continue;
    requireOllamaOption(name, value);
    if (isAllowed(name, value, profile)) options[name] = value;
    else ignored.push(name);
  }
  const effective = clampContext(options, profile.trainedContext);
  const numCtx = effective['num_ctx'];
  return {
    options: effective,
    ignored: ignored.sort(),
    ...(typeof numCtx === 'number' ? { numCtx } : {}),
  };
}

function isAllowed(name: string, value: unknown, profile: RunnerProfile): boolean {
  const rule = OLLAMA_OPTIONS.get(name);
  if (rule === undefined) return false;
  // Asking for what is so anyway is not a change.
  return rule.kind === 'sampling' || profile.requestable.has(name) || profile.runner[name] === value;
}

/** Whether an option reloads the model when it differs. */
export function isRunnerOption(name: string): boolean {
  return OLLAMA_OPTIONS.get(name)?.kind === 'runner';
}

/** Ollama itself clamps to the trained context; knowing the real window lets a full prompt be recognised. */
function clampContext<T>(
  options: Readonly<Record<string, T | number>>,
  trained: number | undefined,
): Record<string, T | number> {
  const numCtx = options['num_ctx'];
  if (typeof numCtx !== 'number' || trained === undefined || numCtx <= trained) return { ...options };
  return { ...options, num_ctx: trained };
}

function defaultContext(facts: ProfileFacts): number {
  const trained = facts.trainedContext ?? DEFAULT_NUM_CTX;
  return Math.min(trained, fittingContext(facts), DEFAULT_NUM_CTX);
}

/**
 * Estimates the largest context window that fits the memory, in tokens: file size plus the
 * key-value cache must be at most 80 % of it (Ollama's own estimate, `PredictServerVRAM`).
 */
export function fittingContext(facts: Pick<ProfileFacts, 'sizeBytes' | 'shape' | 'memoryBytes'>): number {
  const { sizeBytes, shape, memoryBytes } = facts;
  if (sizeBytes === undefined || shape === undefined || memoryBytes === undefined) return DEFAULT_NUM_CTX;
  const headWidth = shape.embeddingLength / shape.headCount;
  const tokenBytes = 2 * shape.blockCount * shape.keyValueHeads * headWidth * CACHE_ELEMENT_BYTES;
  const tokens = Math.floor((memoryBytes * USABLE_MEMORY - sizeBytes) / tokenBytes);
  return Math.max(LEAST_NUM_CTX, Math.floor(tokens / 1_024) * 1_024);
}
