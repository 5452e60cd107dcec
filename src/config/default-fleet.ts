import type { Settings } from './settings.ts';

/** The one host of a configuration that lists none, and what holds where it says nothing else. */
export function defaultFleet(
  url: string,
): Omit<
  Settings['providers']['ollama'],
  'url' | 'defaultModel' | 'defaultEmbeddingModel' | 'hardware' | 'modelOverrides' | 'pollMs'
> {
  const own = { weight: 1, tags: [], parallel: 1, parallelIsDefault: true, hardware: {}, modelOverrides: {} };
  return {
    hosts: [{ name: new URL(url).host, url, ...own }],
    placement: 'warm-first',
    queueLimit: 128,
    allowCloud: false,
    registries: ['registry.ollama.ai'],
    insecureRegistries: [],
    requestOptions: [],
    modelHosts: {},
    modelPlacement: {},
    preload: [],
  };
}
