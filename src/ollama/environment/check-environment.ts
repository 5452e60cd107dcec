import type { EnvironmentVariable } from './environment-variable.ts';
import type { EnvironmentFinding, EnvironmentLook } from './environment-finding.ts';
import { findVariable, nearestVariable } from './environment-variables.ts';
import { readValue } from './read-value.ts';
import { combinationFindings } from './combinations.ts';
import { isBefore, isKnownVersion } from './version.ts';

/** Finds what is set in vain, wrongly, or dangerously, in the order of the variables' names. */
export function checkEnvironment(look: EnvironmentLook): readonly EnvironmentFinding[] {
  const findings = [...look.values].flatMap(([name, text]) => checkVariable(name, text, look));
  return [...findings, ...combinationFindings(look)].sort((a, b) => (a.variable < b.variable ? -1 : 1));
}

function checkVariable(name: string, text: string, look: EnvironmentLook): readonly EnvironmentFinding[] {
  const variable = findVariable(name);
  if (variable === undefined) return unknownVariable(name);
  const vain = vainReason(variable, look);
  if (vain !== undefined) return [vain];
  const { problem } = readValue(variable, text);
  return problem === undefined ? [] : [{ level: 'warn', variable: name, message: problem }];
}

/** Only Ollama's own prefix is known whole: libraries and drivers have many more. */
function unknownVariable(name: string): readonly EnvironmentFinding[] {
  if (!name.startsWith('OLLAMA_')) return [];
  const closest = nearestVariable(name);
  const message = 'is read by no release of Ollama that is known';
  const remedy = closest === undefined ? 'take it out' : `${closest} may be meant`;
  return [{ level: 'warn', variable: name, message, remedy }];
}

function vainReason(
  variable: EnvironmentVariable,
  { version, platform }: EnvironmentLook,
): EnvironmentFinding | undefined {
  const { name, since, until, instead, overridden, platforms } = variable;
  const warn = (message: string): EnvironmentFinding => ({
    level: 'warn',
    variable: name,
    message,
    ...(instead === undefined ? {} : { remedy: `use ${instead}` }),
  });
  if (variable.group === 'never existed') return warn(`does nothing: ${lowered(variable.explains)}`);
  if (until !== undefined && !isStillRead(until, version)) return warn(goneSince(until, version));
  if (variable.group === 'client only')
    return warn(`does nothing for the server: ${lowered(variable.explains)}`);
  if (since !== undefined && isKnownVersion(version) && isBefore(version, since)) {
    return { ...warn(`does nothing in ${version}: it came with ${since}`), remedy: 'update Ollama' };
  }
  if (overridden === true) return warn(`does nothing: ${lowered(variable.explains)}`);
  if (platforms !== undefined && !platforms.includes(platform)) return warn('does nothing on this system');
  return undefined;
}

function isStillRead(until: string, version: string | undefined): boolean {
  return isKnownVersion(version) && isBefore(version, until);
}

function goneSince(until: string, version: string | undefined): string {
  const which = isKnownVersion(version)
    ? `in ${version}`
    : 'in a current release (this server does not tell its own)';
  return `does nothing ${which}: ${until} was the first without it`;
}

function lowered(sentence: string): string {
  return `${sentence.charAt(0).toLowerCase()}${sentence.slice(1).replace(/\.$/, '')}`;
}
