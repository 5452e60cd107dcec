import type { LoadedConfig, Settings, VaultEntry } from '../config/settings.ts';
import { isLoopbackHost } from '../config/safe-bind.ts';

/** One line of the doctor's report. */
export type Finding = {
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** What to do; absent where there is nothing to do. */
  readonly remedy?: string;
};

/** What the machine tells. */
export type MachinePorts = {
  readonly nodeVersion: string;
  readonly nowMs: () => number;
  /** Makes the folder where it is missing, writes and removes a file in it; the reason when that fails. */
  readonly writeProblem: (folder: string) => Promise<string | undefined>;
  /** Bytes that may still be written at a path; undefined where nobody knows. */
  readonly freeBytes: (folder: string) => Promise<number | undefined>;
  /** Why nobody can listen at an address (`EADDRINUSE`…), or undefined. */
  readonly listenProblem: (host: string, port: number) => Promise<string | undefined>;
  /** Whether an Obelisk answers at an address. */
  readonly isObelisk: (url: string) => Promise<boolean>;
  readonly vaultProblem: (folder: string) => Promise<string | undefined>;
  readonly countNotes: (folder: string) => Promise<{ readonly notes: number; readonly skipped: number }>;
  /** State of a vault's index file, and its size. */
  readonly indexOf: (
    dataDir: string,
    vault: VaultEntry,
  ) => Promise<{ readonly state: 'ready' | 'absent' | 'older'; readonly bytes: number }>;
};

const MIB = 1024 * 1024;
const FEW_BYTES = 500 * MIB;
/** When this was written: a clock before it is wrong. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);

/** Checks that Node is new enough. */
export function checkNode({ nodeVersion }: MachinePorts): Finding {
  const major = Number(/^v?(\d+)/.exec(nodeVersion)?.[1] ?? 0);
  const check = 'Node';
  if (major >= 24) return { check, status: 'ok', message: nodeVersion };
  return {
    check,
    status: 'fail',
    message: `${nodeVersion} is too old`,
    remedy: 'install Node 24 LTS, or run Obelisk in a clone with npm, which brings its own',
  };
}

/** Checks that the clock can be right: certificates and budgets depend on it. */
export function checkClock({ nowMs }: MachinePorts): Finding {
  const now = new Date(nowMs());
  const check = 'clock';
  if (now.getTime() >= EARLIEST_MS) return { check, status: 'ok', message: now.toISOString() };
  return {
    check,
    status: 'fail',
    message: `it says ${now.toISOString()}, which is in the past`,
    remedy: 'set the clock of this machine; encrypted connections fail until then',
  };
}

/** Tells which file was read, and what in it has no effect or deserves a second look. */
export function checkConfig(config: LoadedConfig): readonly Finding[] {
  const check = 'configuration';
  const source = config.file ?? 'no file, defaults';
  const findings: Finding[] = [{ check, status: 'ok', message: source }];
  for (const notice of config.notices) findings.push({ check, status: 'warn', message: notice });
  if (config.noEffect.length > 0) {
    const keys = config.noEffect.map(({ key, line }) => `${key} (line ${line})`).join(', ');
    findings.push({ check, status: 'warn', message: `no effect yet: ${keys}` });
  }
  return findings;
}

/** Checks that indexes can be written, and that there is space for them. */
export async function checkDataDir(settings: Settings, ports: MachinePorts): Promise<Finding> {
  const check = 'data directory';
  const { dataDir } = settings;
  const problem = await ports.writeProblem(dataDir);
  if (problem !== undefined) {
    const remedy = 'correct its permissions, or choose another with OBELISK_DATA_DIR or data_dir';
    return { check, status: 'fail', message: `${dataDir} cannot be written (${problem})`, remedy };
  }
  const free = await ports.freeBytes(dataDir);
  if (free !== undefined && free < FEW_BYTES) {
    const message = `${dataDir} has ${Math.floor(free / MIB)} MiB left`;
    return { check, status: 'warn', message, remedy: 'free some space, or move it with OBELISK_DATA_DIR' };
  }
  return { check, status: 'ok', message: dataDir };
}

/** Checks that the port is free, or that Obelisk itself is there. */
export async function checkPort(settings: Settings, ports: MachinePorts): Promise<Finding> {
  const check = 'port';
  const { host, port } = settings.server;
  const shown = host.includes(':') ? `[${host}]` : host;
  const url = `http://${isLoopbackHost(host) ? shown : '127.0.0.1'}:${port}`;
  if (port !== 0 && (await ports.isObelisk(url))) {
    return { check, status: 'ok', message: `Obelisk runs at ${url}` };
  }
  const problem = await ports.listenProblem(host, port);
  if (problem === undefined) return { check, status: 'ok', message: `${shown}:${port} is free` };
  if (problem === 'EADDRINUSE') {
    const message = `another program listens on ${shown}:${port}`;
    return {
      check,
      status: 'fail',
      message,
      remedy: 'stop it, or choose another port: obelisk serve --port 4100',
    };
  }
  const message = `nobody can listen on ${shown}:${port} (${problem})`;
  return { check, status: 'fail', message, remedy: 'use an address of this machine and a port above 1023' };
}

/** Checks that each vault can be read and holds notes. */
export async function checkVaults(settings: Settings, ports: MachinePorts): Promise<readonly Finding[]> {
  const check = 'vault';
  if (settings.vaults.length === 0) {
    const remedy = 'add one: obelisk serve --vault DIR, or vaults: in obelisk.yaml';
    return [{ check, status: 'warn', message: 'no vault is configured', remedy }];
  }
  return Promise.all(
    settings.vaults.map(async ({ name, path: folder }): Promise<Finding> => {
      const problem = await ports.vaultProblem(folder);
      if (problem !== undefined) {
        return {
          check,
          status: 'fail',
          message: `${name}: ${folder} ${problem}`,
          remedy: 'correct its path',
        };
      }
      const { notes, skipped } = await ports.countNotes(folder);
      if (notes === 0) {
        const message = `${name}: ${folder} holds no notes (.md files)`;
        return { check, status: 'warn', message, remedy: 'point it at the folder that Obsidian opens' };
      }
      const unread = skipped === 0 ? '' : `, ${skipped} files that are not read`;
      return { check, status: 'ok', message: `${name}: ${notes} notes in ${folder}${unread}` };
    }),
  );
}

/** Tells whether each vault has been read, and by this version. */
export async function checkIndexes(settings: Settings, ports: MachinePorts): Promise<readonly Finding[]> {
  const check = 'index';
  return Promise.all(
    settings.vaults.map(async (vault): Promise<Finding> => {
      const { state, bytes } = await ports.indexOf(settings.dataDir, vault);
      if (state === 'ready') {
        return { check, status: 'ok', message: `${vault.name}: ${(bytes / MIB).toFixed(1)} MiB` };
      }
      const message =
        state === 'absent'
          ? `${vault.name}: not indexed yet`
          : `${vault.name}: made by another version or damaged, so it is read again`;
      return {
        check,
        status: 'warn',
        message,
        remedy: 'it is made by the first obelisk serve, ask or index',
      };
    }),
  );
}
