import type { EnvironmentFinding } from './environment-finding.ts';
import { findVariable } from './environment-variables.ts';
import type { HostEnvironment } from './machine-look.ts';

const OF_THE_SERVER: ReadonlySet<string> = new Set(['server', 'memory and speed', 'llama-server']);

/**
 * Finds what is set here and not where the server runs: a variable in a shell reaches an Ollama that
 * was started by the system as little as one in a .env file does. `OLLAMA_HOST` also tells clients
 * where the server is, so that it may differ.
 */
export function strayFindings(
  own: Readonly<Record<string, string | undefined>>,
  seen: HostEnvironment,
): readonly EnvironmentFinding[] {
  if (seen.source === 'unknown') return [];
  return Object.entries(own).flatMap(([name, value]): readonly EnvironmentFinding[] => {
    const variable = findVariable(name);
    if (variable === undefined || value === undefined || name === 'OLLAMA_HOST') return [];
    if (!OF_THE_SERVER.has(variable.group) || seen.values.get(name) === value) return [];
    const there = seen.values.get(name);
    const has = there === undefined ? 'which does not have it' : `which has ${there}`;
    return [
      {
        level: 'warn',
        variable: name,
        message: `is ${value} in this shell, but that does not reach the server, ${has}`,
        remedy: `obelisk ollama env ${name}=${value} says where to set it`,
      },
    ];
  });
}
