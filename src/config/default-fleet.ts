import { theOneHost } from './resolve-hosts.ts';
import type { Settings } from './settings.ts';

/** The one host of a configuration that lists none, and what holds where it says nothing else. */
export function defaultFleet(
  url: string,
): Omit<
  Settings['providers']['ollama'],
  'url' | 'defaultModel' | 'defaultEmbeddingModel' | 'hardware' | 'modelOverrides' | 'pollMs'
> {
  return {
    hosts: [theOneHost(url, {})],
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
