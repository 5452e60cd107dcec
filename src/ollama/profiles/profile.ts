import { OLLAMA_OPTIONS, requireOllamaOption } from '../../providers/ollama/options.ts';
import type { OllamaCacheType } from '../../shared/ollama-hosts.ts';

import { fittingContext, parallelOf } from './fit.ts';
import type { OllamaModel } from '../fleet/model-facts.ts';
import { mergeLayers } from './profile-values.ts';
import type { MergedValues, ProfileLayer } from './profile-values.ts';
import { isRunnerOption, loadedValue } from '../queue/runner-options.ts';
import type { RunnerOptions } from '../queue/runner-options.ts';

/** The canonical runner options of one model on one host, and which of them a request may change. */
export type RunnerProfile = {
  /** Runner options that travel with every request, so that no two requests reload the model. */
  readonly runner: RunnerOptions;
  /** Tokens the model was trained for: more context than that is never asked for. */
  readonly trainedContext?: number;
  /** Names of runner options that a request may set, each time at the price of a reload, and `keep_alive`. */
  readonly requestable: ReadonlySet<string>;
  /** Seconds that the model stays loaded after each request, where the profile says so. */
  readonly keepAlive?: number;
};

/** What a profile is made from. */
export type ProfileFacts = {
  /** What is known of the model; undefined where it was not described. */
  readonly model?: Partial<OllamaModel> | undefined;
  /** What is configured and set at run time, the weakest first. */
  readonly layers: readonly ProfileLayer[];
  /** Memory that the host has for models, in bytes, when known. */
  readonly memoryBytes?: number | undefined;
  /** Requests that the host serves a model at once with. */
  readonly parallel?: number;
  readonly cacheType?: OllamaCacheType | undefined;
};

/** Context window when nothing is configured, however much the model was trained for. */
export const DEFAULT_NUM_CTX = 16_384;
/** Ollama gives a model with vision no smaller window (its `GetRunner`). */
const LEAST_VISION_NUM_CTX = 2_048;

/**
 * Works out every value of a model's profile and where it comes from: what is set over what is
 * configured, over the model's own parameters, over the default window, which is what the model was
 * trained for, what fits and 16,384, whichever is least.
 */
export function profileValues(facts: ProfileFacts): MergedValues {
  const { model, layers } = facts;
  const merged = mergeLayers([
    { source: 'default', values: { options: { num_ctx: defaultContext(facts) } } },
    { source: 'model', values: { options: model?.ownOptions ?? {} } },
    ...layers,
  ]);
  const numCtx = merged.options['num_ctx'];
  if (typeof numCtx?.value !== 'number') return merged;
  const value = realContext(numCtx.value, model);
  return { ...merged, options: { ...merged.options, num_ctx: { ...numCtx, value } } };
}

function defaultContext({ model = {}, parallel = 1, memoryBytes, cacheType }: ProfileFacts): number {
  const { contextLength = DEFAULT_NUM_CTX, chat = true, embedding = false, shape, sizeBytes } = model;
  const requests = parallelOf({ chat, embedding, shape }, parallel);
  const room = { sizeBytes, shape, memoryBytes, parallel: requests, cacheType };
  return fittingContext(room, Math.min(contextLength, DEFAULT_NUM_CTX));
}

/** Makes the one profile of a model. */
export function runnerProfile(facts: ProfileFacts): RunnerProfile {
  const { options, keepAlive, requestOptions } = profileValues(facts);
  const trained = facts.model?.contextLength;
  return {
    runner: Object.fromEntries(Object.entries(options).map(([name, { value }]) => [name, value])),
    requestable: new Set(requestOptions),
    ...(trained === undefined ? {} : { trainedContext: trained }),
    ...(keepAlive === undefined ? {} : { keepAlive }),
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
    if (!isRunnerOption(name) ? OLLAMA_OPTIONS.has(name) : profile.requestable.has(name))
      options[name] = value;
    else if (!isServed(name, value, profile.runner)) ignored.push(name);
  }
  const asked = options['num_ctx'];
  const trained = { contextLength: profile.trainedContext };
  const numCtx = typeof asked === 'number' ? realContext(asked, trained) : undefined;
  return {
    options: numCtx === undefined ? options : { ...options, num_ctx: numCtx },
    ignored: ignored.sort(),
    ...(numCtx === undefined ? {} : { numCtx }),
  };
}

/** Whether a request gets what it asks for without a change: the same, or a larger window. */
function isServed(name: string, value: unknown, runner: RunnerOptions): boolean {
  const served = loadedValue(runner, name);
  if (name === 'num_ctx' && typeof value === 'number' && typeof served === 'number') return value <= served;
  return value === served;
}

/** What Ollama makes of a window itself; knowing the real one lets a full prompt be recognised. */
function realContext(numCtx: number, model: Partial<OllamaModel> | undefined): number {
  const atLeast = model?.vision === true ? Math.max(numCtx, LEAST_VISION_NUM_CTX) : numCtx;
  return Math.min(atLeast, model?.contextLength ?? atLeast);
}
