import { WEEK_DAYS } from './ollama-schema.ts';
import type { Settings } from './settings.ts';
import type { OllamaHostSettings, PreloadSettings } from '../shared/ollama-hosts.ts';

/** Every value of `providers.ollama` by its key in the file; a secret is `[secret]`. */
export function describeOllama(
  ollama: Settings['providers']['ollama'],
  listed: boolean,
): Readonly<Record<string, unknown>> {
  const [host] = ollama.hosts;
  const rows = {
    ...(listed
      ? Object.fromEntries(ollama.hosts.map((one, index) => [`hosts.${index}`, describeHost(one)]))
      : {
          url: ollama.url,
          parallel: host?.parallel,
          memory: host?.memoryBytes,
          kv_cache_type: host?.cacheType,
        }),
    default_model: ollama.defaultModel,
    default_embedding_model: ollama.defaultEmbeddingModel,
    hardware: ollama.hardware,
    model_overrides: ollama.modelOverrides,
    request_options: ollama.requestOptions,
    poll_seconds: ollama.pollMs / 1_000,
    placement: ollama.placement,
    model_placement: ollama.modelPlacement,
    model_hosts: ollama.modelHosts,
    queue_limit: ollama.queueLimit,
    preload: ollama.preload.map(describePreload),
    allow_cloud: ollama.allowCloud,
    registries: ollama.registries,
    insecure_registries: ollama.insecureRegistries,
  };
  return Object.fromEntries(Object.entries(rows).map(([key, value]) => [`providers.ollama.${key}`, value]));
}

function describeHost(host: OllamaHostSettings): Readonly<Record<string, unknown>> {
  const { name, url, apiKey, weight, tags, parallel, memoryBytes, cacheType } = host;
  const { hardware, modelOverrides } = host;
  return {
    name,
    url,
    ...(apiKey === undefined ? {} : { api_key: '[secret]' }),
    weight,
    tags,
    parallel,
    ...(memoryBytes === undefined ? {} : { memory: memoryBytes }),
    ...(cacheType === undefined ? {} : { kv_cache_type: cacheType }),
    ...(Object.keys(hardware).length === 0 ? {} : { hardware }),
    ...(Object.keys(modelOverrides).length === 0 ? {} : { model_overrides: modelOverrides }),
  };
}

function describePreload({
  model,
  hosts,
  at,
  days,
  keepAlive,
}: PreloadSettings): Readonly<Record<string, unknown>> {
  return {
    model,
    ...(hosts === undefined ? {} : { hosts }),
    ...(at === undefined ? {} : { at }),
    ...(days === undefined ? {} : { days: days.map((day) => WEEK_DAYS[day]) }),
    ...(keepAlive === undefined ? {} : { keep_alive: keepAlive }),
  };
}
