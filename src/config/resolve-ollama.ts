import { ObeliskError } from '../shared/errors.ts';
import { ollamaUrl } from '../shared/ollama-url.ts';
import type { OllamaUrl } from '../shared/ollama-url.ts';
import type { OllamaFile } from './config-file.ts';
import { configError } from './config-problem.ts';
import { defaultFleet } from './default-fleet.ts';
import { requireSoundFleet } from './fleet-problems.ts';
import { optional } from './pick.ts';
import type { Picker } from './pick.ts';
import { NO_ADDRESS, resolveHosts, theOneHost } from './resolve-hosts.ts';
import { compactHardware, compactOverrides } from './compact-options.ts';
import { resolvePreload } from './resolve-preload.ts';
import type { Resolving } from './resolve-settings.ts';
import type { Settings } from './settings.ts';

type OllamaSettings = Settings['providers']['ollama'];

const SECTION = ['providers', 'ollama'];

/**
 * Chooses everything of `providers.ollama`.
 * @throws ObeliskError `config_invalid` for an address that is none, for two hosts of one name or
 *   address, and for a host or registry that is named but not listed.
 */
export function resolveOllama(from: Resolving, picker: Picker): OllamaSettings {
  const ollama = from.file.providers?.ollama ?? {};
  const model = optional(picker, [...SECTION, 'default_model'], ollama.default_model);
  const embedding = optional(picker, [...SECTION, 'default_embedding_model'], ollama.default_embedding_model);
  const places = resolvePlaces(from, picker);
  const pick = pickerOf(ollama, picker);
  const fallback = defaultFleet(places.url);
  const { parallel } = ollama;
  const settings: OllamaSettings = {
    ...places,
    ...(parallel === undefined ? {} : { parallel }),
    ...(model === undefined ? {} : { defaultModel: model }),
    ...(embedding === undefined ? {} : { defaultEmbeddingModel: embedding }),
    hardware: compactHardware(pick('hardware', {})),
    modelOverrides: compactOverrides(pick('model_overrides', {})),
    pollMs: 1_000 * pick('poll_seconds', 5),
    placement: pick('placement', fallback.placement),
    queueLimit: pick('queue_limit', fallback.queueLimit),
    allowCloud: pick('allow_cloud', fallback.allowCloud),
    registries: pick('registries', fallback.registries),
    insecureRegistries: pick('insecure_registries', fallback.insecureRegistries),
    requestOptions: pick('request_options', fallback.requestOptions),
    modelPlacement: pick('model_placement', fallback.modelPlacement),
    modelHosts: pick('model_hosts', fallback.modelHosts),
    preload: resolvePreload(pick('preload', [])),
  };
  requireSoundFleet(settings, from);
  return settings;
}

type Choose = <Key extends keyof OllamaFile>(
  key: Key,
  fallback: NonNullable<OllamaFile[Key]>,
) => NonNullable<OllamaFile[Key]>;

function pickerOf(ollama: OllamaFile, picker: Picker): Choose {
  return (key, fallback) => {
    const path = [...SECTION, key];
    return picker.pick(path.join('.'), [picker.file(path, ollama[key] ?? undefined)], fallback);
  };
}

/** The hosts that are listed, else the one of `url`. */
function resolvePlaces(from: Resolving, picker: Picker): Pick<OllamaSettings, 'url' | 'hosts'> {
  const listed = resolveHosts(from);
  const [first] = listed;
  if (first !== undefined) {
    picker.pick('providers.ollama.hosts', [picker.file([...SECTION, 'hosts'], listed)], listed);
    return { url: first.url, hosts: listed };
  }
  const url = resolveOllamaUrl(from, picker);
  const ollama = from.file.providers?.ollama ?? {};
  for (const key of ['parallel', 'memory', 'kv_cache_type'] as const) {
    picker.pick([...SECTION, key].join('.'), [picker.file([...SECTION, key], ollama[key])], undefined);
  }
  return { url, hosts: [theOneHost(url, ollama)] };
}

const OLLAMA_URL = [...SECTION, 'url'];

function resolveOllamaUrl(from: Resolving, picker: Picker): string {
  const { url, origin } = findOllamaUrl(from);
  const variable = origin === 'OLLAMA_URL' || origin === 'OLLAMA_HOST' ? origin : undefined;
  return picker.pick(
    'providers.ollama.url',
    [
      origin === 'configured' ? picker.file(OLLAMA_URL, url) : undefined,
      variable && { value: url, origin: { kind: 'environment', name: variable } },
    ],
    url,
  );
}

/** Says what is wrong in our own words: those of the cause quote the address, in which a password may stand. */
function findOllamaUrl({ file, facts, inputs }: Resolving): OllamaUrl {
  const configured = file.providers?.ollama?.url;
  try {
    return ollamaUrl({ configured, environment: inputs.environment });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    if (facts !== undefined && configured !== undefined) {
      throw configError(facts.file, [
        { ...facts.tree.placeOf(OLLAMA_URL), message: `${OLLAMA_URL.join('.')} ${NO_ADDRESS}` },
      ]);
    }
    const name = inputs.environment['OLLAMA_URL']?.trim() ? 'OLLAMA_URL' : 'OLLAMA_HOST';
    throw new ObeliskError('config_invalid', `the environment variable ${name} ${NO_ADDRESS}`);
  }
}
