import { ENVIRONMENT_VARIABLES } from './environment-variables.ts';
import { relevantValues } from './machine-look.ts';
import type { MachineLook, Sight } from './machine-look.ts';
import { toEntry } from './process-environment.ts';

/** Looks at what the system would start Ollama with: a unit, launchd, or the user's environment. */
export async function lookAtService(
  _at: { readonly port: number },
  look: MachineLook,
): Promise<Sight | undefined> {
  if (look.platform === 'linux') return (await lookAtUnit([], look)) ?? lookAtUnit(['--user'], look);
  if (look.platform === 'darwin') return lookAtLaunchd(look);
  return look.platform === 'win32' ? lookAtRegistry(look) : undefined;
}

const PROPERTIES = 'LoadState,ActiveState,FragmentPath,Environment,EnvironmentFiles';

async function lookAtUnit(scope: readonly string[], look: MachineLook): Promise<Sight | undefined> {
  const shown = await look.run('systemctl', [...scope, 'show', 'ollama.service', `--property=${PROPERTIES}`]);
  const lines = (shown ?? '').split('\n').flatMap(toEntry);
  const property = (name: string): string => lines.find(([key]) => key === name)?.[1] ?? '';
  if (property('LoadState') !== 'loaded') return undefined;
  if (property('ActiveState') !== 'active') {
    return {
      kind: 'hidden',
      reason: 'the unit ollama.service is there but does not run: another program answers',
    };
  }
  const files = lines.filter(([key]) => key === 'EnvironmentFiles').map(([, value]) => value);
  const unread: string[] = [];
  const entries: (readonly [string, string])[] = splitUnitValue(property('Environment')).flatMap(toEntry);
  for (const file of files.map((value) => value.replace(/ \(ignore_errors=\w+\)$/, '')).filter(Boolean)) {
    const text = await look.readText(file);
    if (text === undefined) unread.push(file);
    else entries.push(...parseEnvironmentFile(text));
  }
  const but = unread.length === 0 ? '' : `, except ${unread.join(', ')}, which may not be read`;
  const explanation = `read from the unit ${property('FragmentPath') || 'ollama.service'} and its drop-ins${but}`;
  return { kind: 'seen', environment: { source: 'systemd', explanation, values: relevantValues(entries) } };
}

/** `systemctl show` separates assignments by spaces and quotes those that hold some. */
function splitUnitValue(text: string): readonly string[] {
  const parts = text.match(/(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s"'])+/g) ?? [];
  return parts.map((part) =>
    part.replaceAll(/"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'/g, (_whole, double?: string, single?: string) =>
      (double ?? single ?? '').replaceAll(/\\(.)/g, '$1'),
    ),
  );
}

/** Lines of a file of systemd.exec(5) `EnvironmentFile=`. */
function parseEnvironmentFile(text: string): readonly (readonly [string, string])[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !line.startsWith('#') && !line.startsWith(';'))
    .flatMap(toEntry)
    .map(([name, value]) => [name.trim(), value.trim().replaceAll(/^(["'])(.*)\1$/g, '$2')] as const);
}

/** What `launchctl setenv` gave to programs that start from now on. */
async function lookAtLaunchd({ run }: MachineLook): Promise<Sight | undefined> {
  const names = ENVIRONMENT_VARIABLES.filter(
    ({ group }) => group === 'server' || group === 'memory and speed',
  ).map(({ name }) => name);
  const texts = await Promise.all(names.map((name) => run('launchctl', ['getenv', name])));
  const entries = names.flatMap((name, index) => {
    const text = texts[index]?.replace(/\n$/, '') ?? '';
    return text === '' ? [] : [[name, text] as const];
  });
  if (texts.every((text) => text === undefined)) return undefined;
  const explanation = 'read from launchd: what an Ollama gets that is started now';
  return { kind: 'seen', environment: { source: 'launchd', explanation, values: relevantValues(entries) } };
}

const REGISTRY_KEYS = [
  'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment',
  'HKCU\\Environment',
];

/** What Windows gives to programs that start from now on; the user's own wins. */
async function lookAtRegistry({ run }: MachineLook): Promise<Sight | undefined> {
  const texts = await Promise.all(REGISTRY_KEYS.map((key) => run('reg', ['query', key])));
  if (texts.every((text) => text === undefined)) return undefined;
  const entries = texts.flatMap((text) =>
    [...(text ?? '').matchAll(/^ +(\S+) +REG_(?:EXPAND_)?SZ +(.*?)\r?$/gm)].map(
      ([, name = '', value = '']) => [name, value] as const,
    ),
  );
  const explanation = 'read from the registry: what an Ollama gets that is started now';
  return { kind: 'seen', environment: { source: 'registry', explanation, values: relevantValues(entries) } };
}
