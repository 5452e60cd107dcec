import type { EnvironmentVariable } from '../ollama/environment/environment-variable.ts';
import { VARIABLE_GROUPS } from '../ollama/environment/environment-variable.ts';
import {
  ENVIRONMENT_VARIABLES,
  findVariable,
  nearestVariable,
} from '../ollama/environment/environment-variables.ts';
import { readValue } from '../ollama/environment/read-value.ts';
import { styleOf } from './command.ts';
import type { CommandContext } from './command.ts';
import type { SeenHost } from './ollama-env.ts';
import { withoutControls } from './style.ts';
import { toTable } from './table.ts';

/** Prints what each server was started with, what of it is wrong, and, when asked, what else there is. */
export function printEnvironments(context: CommandContext, hosts: readonly SeenHost[]): void {
  for (const [index, host] of hosts.entries()) {
    if (index > 0) context.terminal.stdout.write('\n');
    printHost(context, host);
  }
  if (context.arguments.has('all')) printAll(context, hosts);
  else context.terminal.stderr.write('Every variable there is: obelisk ollama env --all\n');
}

function printHost(
  context: CommandContext,
  { host, url, version, away, environment, findings }: SeenHost,
): void {
  const style = styleOf(context);
  const { stdout } = context.terminal;
  const release = away === undefined ? `Ollama ${shownVersion(version)}` : away;
  const name = url.endsWith(`//${host}`) ? url : `${host} (${url})`;
  stdout.write(`${style.bold(withoutControls(name))}: ${withoutControls(release)}\n`);
  const known = environment.source === 'unknown' ? 'Its environment is unknown: ' : 'Its environment was ';
  stdout.write(`${known}${environment.explanation}.\n`);
  if (environment.source !== 'unknown' && environment.values.size === 0) {
    stdout.write('Nothing is set: every default counts.\n');
  }
  const names = [...environment.values.keys()].sort();
  const rows = names.map((variable) => toRow(variable, environment.values.get(variable) ?? ''));
  if (rows.length > 0) stdout.write(toTable([['VARIABLE', 'VALUE', 'COUNTS AS'].map(style.bold), ...rows]));
  const marks = { warn: style.yellow('warn'), note: style.dim('note') };
  for (const { level, variable, message, remedy } of findings) {
    stdout.write(`${marks[level]} ${style.bold(variable)} ${withoutControls(message)}\n`);
    if (remedy !== undefined) stdout.write(`     → ${withoutControls(remedy)}\n`);
  }
}

function shownVersion(version = 'of an unknown version'): string {
  return version.startsWith('0.0.0')
    ? `${version} (built from source: it does not tell its version)`
    : version;
}

function toRow(name: string, value: string): readonly string[] {
  const variable = findVariable(name);
  const effective = variable === undefined ? '?' : readValue(variable, value).effective;
  return [name, withoutControls(value), effective === value ? '' : effective].map(withoutControls);
}

function printAll(context: CommandContext, hosts: readonly SeenHost[]): void {
  const style = styleOf(context);
  const set = new Set(hosts.flatMap(({ environment }) => [...environment.values.keys()]));
  for (const group of VARIABLE_GROUPS) {
    const rows = ENVIRONMENT_VARIABLES.filter((variable) => variable.group === group);
    context.terminal.stdout.write(`\n${style.bold(group)}\n`);
    context.terminal.stdout.write(
      toTable(
        rows.map((variable) => [set.has(variable.name) ? '*' : ' ', variable.name, summaryOf(variable)]),
      ),
    );
  }
}

function summaryOf({ explains, default: fallback, since, until, instead }: EnvironmentVariable): string {
  const facts = [
    fallback === '' ? undefined : `default ${fallback}`,
    since === undefined ? undefined : `since ${since}`,
    until === undefined ? undefined : `gone in ${until}`,
    instead === undefined ? undefined : `use ${instead}`,
  ].filter((fact) => fact !== undefined);
  return facts.length === 0 ? explains : `${explains} (${facts.join('; ')})`;
}

/** How a value is written, in words. */
const WRITTEN: Partial<Record<EnvironmentVariable['value'], string>> = {
  switch: '1 or 0',
  presence: 'anything; to switch it off, take it out',
  count: 'a whole number',
  bytes: 'a number of bytes in digits',
  duration: '5m, 1h30m, or seconds',
  list: 'one or several, separated by commas',
};

/** Explains one variable and shows it on each host; false where there is none of that name. */
export function printVariable(context: CommandContext, name: string, hosts: readonly SeenHost[]): boolean {
  const style = styleOf(context);
  const { stdout, stderr } = context.terminal;
  const variable = findVariable(name);
  if (variable === undefined) {
    const closest = nearestVariable(name);
    const hint = closest === undefined ? '' : `; did you mean ${closest}?`;
    stderr.write(`${withoutControls(name)} is read by no release of Ollama that is known${hint}\n`);
    return false;
  }
  const { group, explains, default: fallback, choices, since, until, instead, platforms, value } = variable;
  const written = choices?.join(', ') ?? WRITTEN[value];
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['written', written],
    ['default', fallback === '' ? undefined : fallback],
    ['since', since],
    ['gone in', until],
    ['use', instead],
    ['only on', platforms?.join(', ')],
    ...hosts.map((host) => [`at ${host.host}`, valueAt(host, name)] as const),
  ];
  stdout.write(`${style.bold(name)} (${group})\n${explains}\n`);
  const rows = facts.flatMap(([label, text]) =>
    text === undefined ? [] : [[`  ${label}`, withoutControls(text)]],
  );
  stdout.write(toTable(rows));
  return true;
}

function valueAt({ environment }: SeenHost, name: string): string {
  if (environment.source === 'unknown') return 'unknown';
  return environment.values.get(name) ?? 'not set';
}
