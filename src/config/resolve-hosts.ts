import type { OllamaHostSettings } from '../shared/ollama-hosts.ts';
import { ollamaUrl } from '../shared/ollama-url.ts';
import { Secret } from '../shared/secret.ts';
import { compactHardware, compactOverrides } from './compact-options.ts';
import type { OllamaFile, OllamaHostFile } from './config-file.ts';
import { configError } from './config-problem.ts';
import type { Resolving } from './resolve-settings.ts';

/** What is said of an address that is none. */
export const NO_ADDRESS: string = 'is no address of an Ollama server; write host:port or http://host:port';

/**
 * The hosts that the file lists; none where it lists none.
 * @throws ObeliskError `config_invalid` naming each address that is none.
 */
export function resolveHosts({ file, facts }: Resolving): readonly OllamaHostSettings[] {
  const ollama = file.providers?.ollama ?? {};
  const listed = ollama.hosts ?? [];
  const urls = listed.map(({ url }) => addressOf(url));
  const wrong = urls.flatMap((url, index) => (url === undefined ? [index] : []));
  if (wrong.length > 0 && facts !== undefined) {
    const path = (index: number): (string | number)[] => ['providers', 'ollama', 'hosts', index, 'url'];
    const problems = wrong.map((index) => ({
      ...facts.tree.placeOf(path(index)),
      message: `${path(index).join('.')} ${NO_ADDRESS}`,
    }));
    throw configError(facts.file, problems);
  }
  return listed.map((host, index) => toHost(host, urls[index] ?? host.url, ollama));
}

/** The host of a configuration that lists none; what stands beside `url` is of this host. */
export function theOneHost(url: string, ollama: OllamaFile): OllamaHostSettings {
  return toHost({ url }, url, ollama);
}

function toHost(host: OllamaHostFile, url: string, ollama: OllamaFile): OllamaHostSettings {
  return {
    name: host.name ?? new URL(url).host,
    url,
    ...(host.api_key === undefined ? {} : { apiKey: new Secret(host.api_key) }),
    weight: host.weight ?? 1,
    tags: host.tags ?? [],
    ...startedWith(host, ollama),
    hardware: compactHardware(host.hardware ?? {}),
    modelOverrides: compactOverrides(host.model_overrides ?? {}),
  };
}

/** What the host does not tell of how it was started: its own words, else those of the section. */
function startedWith(
  host: OllamaHostFile,
  ollama: OllamaFile,
): Pick<OllamaHostSettings, 'parallel' | 'parallelIsDefault' | 'memoryBytes' | 'cacheType'> {
  const parallel = host.parallel ?? ollama.parallel;
  const memoryBytes = host.memory ?? ollama.memory;
  const cacheType = host.kv_cache_type ?? ollama.kv_cache_type;
  return {
    ...(parallel === undefined ? { parallel: 1, parallelIsDefault: true } : { parallel }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(cacheType === undefined ? {} : { cacheType }),
  };
}

/** Written as `url` is: scheme and port may be missing. */
function addressOf(written: string): string | undefined {
  try {
    return ollamaUrl({ configured: written, environment: {} }).url;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
