import { ObeliskError } from '../shared/errors.ts';
import type { ChatRequest, Think } from '../providers/chat.ts';
import { OLLAMA_OPTIONS } from '../providers/ollama/options.ts';

import type { OllamaTarget } from './fleet/hosts.ts';
import type { OllamaModel } from './fleet/model-facts.ts';
import { applyProfile } from './profiles/profile.ts';
import type { EffectiveOptions, RunnerProfile } from './profiles/profile.ts';
import type { OllamaProfiles } from './profiles/profiles.ts';
import { isRunnerOption } from './queue/runner-options.ts';

/** What decides the options of a request besides its own words. */
export type ModelFacts = {
  readonly model: OllamaModel | undefined;
  readonly profiles: Pick<OllamaProfiles, 'of'>;
};

/** `litellm_params` that are sampling options under another name. */
const ALIASES: Readonly<Record<string, string>> = {
  max_tokens: 'num_predict',
  max_completion_tokens: 'num_predict',
};

const THINK_LEVELS = ['low', 'medium', 'high', 'max'] as const;

/** What a request is served with. */
export type ServedOptions = EffectiveOptions & {
  /** For the body: what the request may say of it, else the deployment, else the profile. */
  readonly keepAlive?: number | string;
};

/**
 * Works out the options of one request: profile, then the deployment's defaults, then what the
 * request says and may say.
 * @throws ObeliskError `invalid_request` for an option of the wrong type.
 */
export function effectiveOptions(
  target: OllamaTarget,
  facts: ModelFacts,
  requested: RequestedOptions,
): ServedOptions {
  const profile = profileOf(target, facts);
  const effective = applyProfile(profile, { ...samplingDefaults(target.defaults), ...requested.options });
  const { keepAlive } = requested;
  const isDropped = keepAlive !== undefined && !maySetKeepAlive(profile);
  const served = (isDropped ? undefined : keepAlive) ?? keepAliveOf(target.defaults) ?? profile.keepAlive;
  return {
    ...effective,
    ignored: isDropped ? [...effective.ignored, 'keep_alive'].toSorted() : effective.ignored,
    ...(served === undefined ? {} : { keepAlive: served }),
  };
}

/** What a request says of how its model is loaded and asked. */
export type RequestedOptions = {
  readonly options: Readonly<Record<string, unknown>>;
  readonly keepAlive?: number | string | undefined;
};

/** One client's `keep_alive: 0` unloads the model for all of them: a profile that has its own keeps it. */
function maySetKeepAlive(profile: RunnerProfile): boolean {
  return profile.keepAlive === undefined || profile.requestable.has('keep_alive');
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

/** The profile of a model at a host. */
export function profileOf(target: OllamaTarget, { model, profiles }: ModelFacts): RunnerProfile {
  const profile = profiles.of(target, model);
  // A model of Ollama's cloud is not loaded here, so that what loads a model means nothing to it.
  return model?.remoteHost === undefined ? profile : { runner: {}, requestable: profile.requestable };
}

/** Fills `think` from `litellm_params` where the request leaves it open. */
export function withDefaults(request: ChatRequest, defaults: Readonly<Record<string, unknown>>): ChatRequest {
  const think = request.think ?? thinkOf(defaults['think']);
  return think === undefined ? request : { ...request, think };
}

/** `keep_alive` of `litellm_params`. */
function keepAliveOf(defaults: Readonly<Record<string, unknown>>): number | string | undefined {
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

/** Other parameters of LiteLLM's (`timeout`, `rpm`…) are not for the model and no mistake either. */
function samplingDefaults(defaults: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const entries = Object.entries(defaults).map(([name, value]) => [ALIASES[name] ?? name, value] as const);
  return Object.fromEntries(entries.filter(([name]) => OLLAMA_OPTIONS.has(name) && !isRunnerOption(name)));
}

function thinkOf(value: unknown): Think | undefined {
  if (typeof value === 'boolean') return value;
  return THINK_LEVELS.find((level) => level === value);
}
