import { relevantValues } from './machine-look.ts';
import type { MachineLook, Sight } from './machine-look.ts';

/** State of a listening socket in the tables of the kernel. */
const LISTENING = '0A';

/** Looks at the process that listens at the port: its environment is what counts, whatever units say. */
export async function lookAtProcess(
  { port }: { readonly port: number },
  look: MachineLook,
): Promise<Sight | undefined> {
  if (look.platform === 'linux') return onLinux(port, look);
  if (look.platform === 'darwin') return onMac(port, look);
  return undefined;
}

async function onLinux(port: number, look: MachineLook): Promise<Sight | undefined> {
  const sockets = await listeningSockets(port, look);
  const servers = await ollamaServers(look);
  const owners = await Promise.all(servers.map((pid) => owns(pid, sockets, look)));
  const certain = servers.find((_, index) => owners[index] === true);
  // The files of another user's process are hidden; a single server is taken for the one that answers.
  const likely = servers.length === 1 && owners[0] === undefined ? servers[0] : undefined;
  const pid = certain ?? likely;
  if (pid === undefined) return undefined;
  const text = await look.readText(`/proc/${pid}/environ`);
  return sightOf(pid, text?.split('\0').flatMap(toEntry));
}

/** What is seen of a process, or why nothing is. */
function sightOf(pid: string, entries: readonly (readonly [string, string])[] | undefined): Sight {
  if (entries === undefined) {
    return {
      kind: 'hidden',
      reason: `process ${pid} belongs to another user, who alone may read its environment (try sudo)`,
    };
  }
  const values = relevantValues(entries);
  return {
    kind: 'seen',
    environment: { source: 'process', explanation: `read from process ${pid}`, values },
  };
}

/** Inodes of the sockets that listen at a port (proc(5), `/proc/net/tcp`). */
async function listeningSockets(port: number, { readText }: MachineLook): Promise<ReadonlySet<string>> {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(readText));
  const rows = tables.flatMap((table) => (table ?? '').split('\n').map((line) => line.trim().split(/\s+/)));
  return new Set(
    rows
      .filter((row) => row[1]?.endsWith(`:${wanted}`) === true && row[3] === LISTENING)
      .map((row) => row[9] ?? ''),
  );
}

/** Process ids of everything that looks like `ollama serve`. */
async function ollamaServers({ list, readText }: MachineLook): Promise<readonly string[]> {
  const pids = ((await list('/proc')) ?? []).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readText(`/proc/${pid}/cmdline`)));
  return pids.filter((_, index) => isOllamaServe((lines[index] ?? '').split('\0')));
}

function isOllamaServe([program = '', ...given]: readonly string[]): boolean {
  return /(?:^|[/\\])ollama[^/\\]*$/.test(program) && (given.includes('serve') || given.includes('start'));
}

/** Whether a process has one of the sockets open; undefined where that may not be seen. */
async function owns(
  pid: string,
  sockets: ReadonlySet<string>,
  { list, readLink }: MachineLook,
): Promise<boolean | undefined> {
  const files = await list(`/proc/${pid}/fd`);
  if (files === undefined) return undefined;
  const targets = await Promise.all(files.map((file) => readLink(`/proc/${pid}/fd/${file}`)));
  return targets.some((target) => sockets.has(/^socket:\[(\d+)\]$/.exec(target ?? '')?.[1] ?? 'none'));
}

/** `ps` shows the environment of one's own processes behind the command, separated by spaces only. */
async function onMac(port: number, { run }: MachineLook): Promise<Sight | undefined> {
  const pid = (await run('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-t']))?.trim().split('\n')[0];
  if (pid === undefined || !/^\d+$/.test(pid)) return undefined;
  const line = await run('ps', ['eww', '-o', 'command=', '-p', pid]);
  if (line === undefined || !/(?:^|\/)ollama\b/i.test(line)) return undefined;
  const found = [
    ...line.matchAll(/(?:^|\s)([A-Za-z_][A-Za-z0-9_]*)=(.*?)(?=\s+[A-Za-z_][A-Za-z0-9_]*=|\s*$)/g),
  ];
  const entries = found.map(([, name = '', value = '']) => [name, value] as const);
  // Of another user's process nothing but the command is shown.
  return sightOf(pid, entries.length === 0 ? undefined : entries);
}

/** Splits `NAME=value`; an entry without a name is none. */
export function toEntry(line: string): readonly (readonly [string, string])[] {
  const equals = line.indexOf('=');
  return equals < 1 ? [] : [[line.slice(0, equals), line.slice(equals + 1)]];
}
