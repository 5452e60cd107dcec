import type { ModelEntry, Settings } from '../config/settings.ts';
import { ollamaModelName } from '../shared/ollama-model-name.ts';
import type { OllamaFleet } from '../ollama/fleet/fleet.ts';
import { isLocalUrl } from '../shared/local-host.ts';
import type { Secret } from '../shared/secret.ts';

import type { Deployment, ModelCapabilities } from './deployment.ts';
import { parseProviderName, reachOf } from './provider-names.ts';

/** An entry of `model_list` that Obelisk cannot serve, and why. */
export type Unservable = { readonly modelName: string; readonly source: string; readonly reason: string };

/** What an entry of `model_list` becomes. */
export type ConfiguredModel =
  | { readonly kind: 'deployment'; readonly deployment: Deployment }
  | ({ readonly kind: 'unservable' } & Unservable);

type Place = {
  readonly dialect: 'openai' | 'ollama';
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey?: Secret | undefined;
  readonly local: boolean;
};

/** Turns an entry of `model_list` into a deployment, or says why it cannot be one. */
export function toConfiguredModel(
  entry: ModelEntry,
  index: number,
  providers: Settings['providers'],
): ConfiguredModel {
  const source =
    entry.line === undefined ? `model_list[${String(index)}]` : `model_list, line ${String(entry.line)}`;
  const place = placeOf(entry, providers);
  if (typeof place === 'string')
    return { kind: 'unservable', modelName: entry.modelName, source, reason: place };
  return {
    kind: 'deployment',
    deployment: {
      id: `${entry.modelName}#${String(index)}`,
      modelName: entry.modelName,
      dialect: place.dialect,
      model: place.model,
      baseUrl: place.baseUrl,
      ...(place.apiKey === undefined ? {} : { apiKey: place.apiKey }),
      defaults: entry.params,
      ...(entry.mockResponse === undefined ? {} : { mockResponse: entry.mockResponse }),
      capabilities: toldCapabilities(entry.modelInfo),
      ...(entry.routing === undefined ? {} : { routing: entry.routing }),
      source,
      local: place.local,
    },
  };
}

/**
 * An entry that names a model of Ollama's and no address leads to every host that may serve the
 * model: one deployment each, among which the weight of the entry is shared out.
 */
export function overHosts(
  configured: ConfiguredModel,
  { apiBase }: ModelEntry,
  fleet: Pick<OllamaFleet, 'hosts' | 'mayServe'>,
): readonly ConfiguredModel[] {
  if (configured.kind === 'unservable' || apiBase !== undefined) return [configured];
  const { deployment } = configured;
  if (deployment.dialect !== 'ollama' || fleet.hosts.length === 1) return [configured];
  const hosts = fleet.hosts.filter((host) => fleet.mayServe(host, deployment.model));
  const weights = hosts.reduce((sum, { weight }) => sum + weight, 0);
  return hosts.map((host) => {
    const { weight } = deployment.routing ?? {};
    const share = weight === undefined ? {} : { weight: (weight * host.weight) / (weights || 1) };
    return {
      kind: 'deployment',
      deployment: {
        ...deployment,
        id: deployment.id.replace(/#\d+$/, (index) => `@${host.name}${index}`),
        baseUrl: host.url,
        local: isLocalUrl(host.url),
        ...(deployment.routing === undefined ? {} : { routing: { ...deployment.routing, ...share } }),
      },
    };
  });
}

/** Where an entry leads, or the reason why nowhere. */
function placeOf(entry: ModelEntry, providers: Settings['providers']): Place | string {
  const named = parseProviderName(entry.model);
  if (entry.mockResponse !== undefined) {
    // Nothing is sent anywhere, so that any provider's name will do.
    return { dialect: 'openai', baseUrl: '', model: named?.model ?? entry.model, local: true };
  }
  if (named === undefined) return unnamedPlace(entry);
  const reach = reachOf(named.provider);
  if (reach.kind === 'ollama') return ollamaPlace(entry, named.model, providers);
  if (reach.kind === 'litellm') return litellmPlace(entry, named.model, providers);
  if (reach.kind === 'foreign') {
    return `Obelisk does not speak the dialect of ${named.provider}/ yet; reach it through a LiteLLM proxy (litellm_proxy/…)`;
  }
  const baseUrl = entry.apiBase ?? reach.baseUrl;
  if (baseUrl === undefined)
    return `${named.provider}/ needs an api_base: the URL of its OpenAI-compatible API`;
  return openAiPlace(entry, { baseUrl, model: named.model });
}

function unnamedPlace(entry: ModelEntry): Place | string {
  if (entry.apiBase !== undefined) return openAiPlace(entry, { baseUrl: entry.apiBase, model: entry.model });
  return `the model "${entry.model}" names no provider that Obelisk knows; write openai/${entry.model} with an api_base, or ollama/${entry.model}`;
}

function openAiPlace(entry: ModelEntry, at: { readonly baseUrl: string; readonly model: string }): Place {
  return { dialect: 'openai', ...at, apiKey: entry.apiKey, local: isLocalUrl(at.baseUrl) };
}

function ollamaPlace(entry: ModelEntry, model: string, providers: Settings['providers']): Place {
  // Many configurations point at Ollama's OpenAI-compatible path, which is not what is spoken here.
  const baseUrl = (entry.apiBase ?? providers.ollama.url).replace(/\/v1$/, '');
  return { dialect: 'ollama', baseUrl, model: ollamaModelName(model), local: isLocalUrl(baseUrl) };
}

function litellmPlace(entry: ModelEntry, model: string, providers: Settings['providers']): Place | string {
  const baseUrl = entry.apiBase ?? providers.litellm?.apiBase;
  if (baseUrl === undefined) return 'litellm_proxy/ needs an api_base, or providers.litellm.api_base';
  // The proxy's key goes only to the proxy's own address.
  const apiKey = entry.apiKey ?? (entry.apiBase === undefined ? providers.litellm?.apiKey : undefined);
  // What the proxy forwards to is not known, so it counts as leaving the machine.
  return { dialect: 'openai', baseUrl, model, apiKey, local: false };
}

/** What `model_info` tells, in LiteLLM's words. */
function toldCapabilities(info: Readonly<Record<string, unknown>>): ModelCapabilities {
  const tokens = info['max_input_tokens'];
  return {
    ...(info['mode'] === 'embedding' ? { chat: false, embedding: true } : {}),
    ...(info['mode'] === 'chat' ? { chat: true, embedding: false } : {}),
    ...toldFlag('tools', info['supports_function_calling']),
    ...toldFlag('vision', info['supports_vision']),
    ...toldFlag('thinking', info['supports_reasoning']),
    ...(typeof tokens === 'number' ? { contextLength: tokens } : {}),
  };
}

function toldFlag(name: 'tools' | 'vision' | 'thinking', value: unknown): ModelCapabilities {
  return typeof value === 'boolean' ? { [name]: value } : {};
}
