import type { Settings } from '../config/settings.ts';
import type { OllamaHostSettings } from '../shared/ollama-hosts.ts';
import type { Finding } from './doctor-checks.ts';
import type { SeenHost } from './ollama-env.ts';

/**
 * Checks what each Ollama server was started with: variables that do nothing, that say something else
 * than they seem to, or that let others in. Notes are left to `obelisk ollama env`.
 */
export async function checkEnvironments(
  settings: Settings,
  see: (host: OllamaHostSettings) => Promise<SeenHost>,
): Promise<readonly Finding[]> {
  const hosts = await Promise.all(settings.providers.ollama.hosts.map(see));
  return hosts.flatMap(toFindings);
}

function toFindings({ host, away, environment, findings }: SeenHost): readonly Finding[] {
  const check = 'Ollama environment';
  // Whether it is reached from elsewhere was tried out already, which says more than what it listens on.
  const warnings = findings.filter(({ level, variable }) => level === 'warn' && variable !== 'OLLAMA_HOST');
  if (away !== undefined && environment.source === 'unknown') return [];
  if (warnings.length === 0) {
    const known = environment.source === 'unknown' ? 'unknown: ' : '';
    return [{ check, status: 'ok', message: `${host}: ${known}${environment.explanation}` }];
  }
  return warnings.map(({ variable, message, remedy }) => ({
    check,
    status: 'warn',
    message: `${host}: ${variable} ${message}`,
    ...(remedy === undefined ? {} : { remedy }),
  }));
}
