import { nearest } from '../shared/nearest.ts';
import { configError } from './config-problem.ts';
import type { ConfigProblem } from './config-problem.ts';
import type { Resolving } from './resolve-settings.ts';
import type { Settings } from './settings.ts';
import type { Path } from './yaml-tree.ts';

type OllamaSettings = Settings['providers']['ollama'];
type Problem = { readonly path: Path; readonly message: string };

/**
 * Refuses hosts and registries that contradict each other: what no schema sees.
 * @throws ObeliskError `config_invalid` naming each with its line.
 */
export function requireSoundFleet(ollama: OllamaSettings, { file, facts }: Resolving): void {
  if (facts === undefined) return;
  const written = file.providers?.ollama ?? {};
  const found: readonly Problem[] = [
    ...(written.hosts !== undefined && written.url !== undefined ? [BOTH] : []),
    ...twins(ollama),
    ...Object.entries(ollama.modelHosts).flatMap(([model, names]) =>
      unknownPlaces(names, ['model_hosts', model], ollama),
    ),
    ...ollama.preload.flatMap(({ hosts = [] }, index) =>
      unknownPlaces(hosts, ['preload', index, 'hosts'], ollama),
    ),
    ...ollama.insecureRegistries.flatMap((registry, index) =>
      ollama.registries.includes(registry)
        ? []
        : [{ path: ['insecure_registries', index], message: 'must stand in registries as well' }],
    ),
  ];
  if (found.length === 0) return;
  const problems = found.map(({ path, message }): ConfigProblem => {
    const whole = ['providers', 'ollama', ...path];
    return { ...facts.tree.placeOf(whole), message: `${whole.join('.')} ${message}` };
  });
  throw configError(facts.file, problems);
}

const BOTH: Problem = { path: ['url'], message: 'cannot stand beside hosts; move it into a host of its own' };

/** Two hosts of one name or one address. */
function twins({ hosts }: OllamaSettings): readonly Problem[] {
  return hosts.flatMap((host, index) => {
    const before = hosts.slice(0, index);
    const path = ['hosts', index];
    if (before.some(({ name }) => name.toLowerCase() === host.name.toLowerCase())) {
      return [{ path, message: `is the second host named "${host.name}"; give each its own name` }];
    }
    const same = before.find(({ url }) => url === host.url);
    return same === undefined ? [] : [{ path, message: `has the address of "${same.name}"` }];
  });
}

function unknownPlaces(names: readonly string[], path: Path, { hosts }: OllamaSettings): readonly Problem[] {
  const known = new Set(hosts.flatMap(({ name, tags }) => [name, ...tags]));
  return names.flatMap((name, index) => {
    if (known.has(name)) return [];
    const [closest] = nearest(name, known, 1);
    const hint = closest === undefined ? `known are ${[...known].join(', ')}` : `did you mean "${closest}"?`;
    return [{ path: [...path, index], message: `names no host and no tag; ${hint}` }];
  });
}
