import { ObeliskError } from '../shared/errors.ts';
import type { ChatRequest, Think } from '../providers/chat.ts';
import { ollamaModelKey } from '../providers/ollama/model-name.ts';
import { OLLAMA_OPTIONS } from '../providers/ollama/options.ts';

import type { OllamaModel } from './model-facts.ts';
import { applyProfile, isRunnerOption, runnerProfile } from './profile.ts';
import type { EffectiveOptions, RunnerProfile } from './profile.ts';

/** What of a deployment Ollama's side needs. */
export type OllamaTarget = {
  /** Base URL of the host, without a trailing slash. */
  readonly baseUrl: string;
  /** Ollama's own name of the model. */
  readonly model: string;
  /** `litellm_params` of the deployment, by their wire names. */
  readonly defaults: Readonly<Record<string, unknown>>;
};

/** The configuration of the hardware, and what is known of it. */
export type OllamaHardware = {
  readonly hardware: Readonly<Record<string, number | boolean>>;
  /** By model name as written in the configuration. */
  readonly modelOverrides: Readonly<Record<string, Readonly<Record<string, number | boolean>>>>;
  /** Memory for models on the host, in bytes; absent when it is another machine. */
  readonly memoryBytes?: number;
};

/** What decides the options of a request besides its own words. */
export type ModelFacts = { readonly model: OllamaModel | undefined; readonly hardware: OllamaHardware };

/** `litellm_params` that are sampling options under another name. */
const ALIASES: Readonly<Record<string, string>> = {
  max_tokens: 'num_predict',
  max_completion_tokens: 'num_predict',
};

const THINK_LEVELS = ['low', 'medium', 'high', 'max'] as const;

/**
 * Works out the options of one request: profile, then the deployment's defaults, then what the
 * request says.
 * @throws ObeliskError `invalid_request` for an option of the wrong type.
 */
export function effectiveOptions(
  target: OllamaTarget,
  facts: ModelFacts,
  requested: Readonly<Record<string, unknown>>,
): EffectiveOptions {
  const profile = profileOf(target, facts);
  // A model of Ollama's cloud is not loaded here, so that what loads a model means nothing to it.
  const runner = facts.model?.remoteHost === undefined ? profile.runner : {};
  return applyProfile({ ...profile, runner }, { ...samplingDefaults(target.defaults), ...requested });
}

/**
 * Tokens of a prompt and its answer that fit where a request says no `num_ctx`; undefined where
 * nothing is known of the model, or where it is Ollama's cloud that decides.
 */
export function servedContext(target: OllamaTarget, facts: ModelFacts): number | undefined {
  if (facts.model === undefined || facts.model.remoteHost !== undefined) return undefined;
  const numCtx = profileOf(target, facts).runner['num_ctx'];
  return typeof numCtx === 'number' ? numCtx : undefined;
}

function profileOf(target: OllamaTarget, facts: ModelFacts): RunnerProfile {
  return runnerProfile({
    trainedContext: facts.model?.contextLength,
    ownNumCtx: facts.model?.ownNumCtx,
    sizeBytes: facts.model?.sizeBytes,
    shape: facts.model?.shape,
    hardware: facts.hardware.hardware,
    overrides: overridesOf(target.model, facts.hardware.modelOverrides),
    memoryBytes: facts.hardware.memoryBytes,
    deployment: target.defaults,
  });
}

/** Fills what the request leaves open from `litellm_params`: `keep_alive` and `think`. */
export function withDefaults(request: ChatRequest, defaults: Readonly<Record<string, unknown>>): ChatRequest {
  const keepAlive = request.keepAlive ?? keepAliveOf(defaults);
  const think = request.think ?? thinkOf(defaults['think']);
  return {
    ...request,
    ...(keepAlive === undefined ? {} : { keepAlive }),
    ...(think === undefined ? {} : { think }),
  };
}

/** `keep_alive` of `litellm_params`. */
export function keepAliveOf(defaults: Readonly<Record<string, unknown>>): number | string | undefined {
  const value = defaults['keep_alive'];
  return typeof value === 'number' || typeof value === 'string' ? value : undefined;
}

/**
 * Refuses what the model cannot do before Ollama is asked: it would drop images without a word, and
 * load the model first for the rest.
 * @throws ObeliskError `unsupported`.
 */
export function requireAbilities(model: OllamaModel, request: ChatRequest): void {
  if (!model.chat) {
    throw unsupported(model, 'is an embedding model and cannot chat', 'model');
  }
  const hasImages = request.messages.some(
    (message) => message.role === 'user' && (message.images?.length ?? 0) > 0,
  );
  if (hasImages && !model.vision) throw unsupported(model, 'cannot see images', 'messages');
  const hasTools = (request.tools?.length ?? 0) > 0 && request.toolChoice !== 'none';
  if (hasTools && !model.tools) throw unsupported(model, 'cannot use tools', 'tools');
  if (request.think !== undefined && request.think !== false && !model.thinking) {
    throw unsupported(model, 'cannot think', 'think');
  }
}

function unsupported(model: OllamaModel, what: string, param: string): ObeliskError {
  return new ObeliskError(
    'unsupported',
    `${model.name} ${what}; choose another model (\`obelisk models\` shows what each can do)`,
    { param },
  );
}

function overridesOf(
  model: string,
  overrides: OllamaHardware['modelOverrides'],
): Readonly<Record<string, number | boolean>> | undefined {
  const key = ollamaModelKey(model);
  return Object.entries(overrides).find(([name]) => ollamaModelKey(name) === key)?.[1];
}

/** Other parameters of LiteLLM's (`timeout`, `rpm`…) are not for the model and no mistake either. */
function samplingDefaults(defaults: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const entries = Object.entries(defaults).map(([name, value]) => [ALIASES[name] ?? name, value] as const);
  return Object.fromEntries(entries.filter(([name]) => OLLAMA_OPTIONS.has(name) && !isRunnerOption(name)));
}

function thinkOf(value: unknown): Think | undefined {
  if (typeof value === 'boolean') return value;
  return THINK_LEVELS.find((level) => level === value);
}
