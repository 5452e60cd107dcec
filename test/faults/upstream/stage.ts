/** One running program in front of the servers of every case: what happens to one must not touch another. */
import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXPIRED, TRUSTED } from '../../certificates.ts';
import { startProgram } from '../../program.ts';
import type { Program } from '../../program.ts';
import type { Transport } from '../transports.ts';
import type { FaultCase, UpstreamRow } from './fault-case.ts';
import { startServer } from './servers.ts';
import type { RunningServer } from './servers.ts';
import { DIALECTS, SETTINGS } from './speech.ts';
import type { Setting } from './speech.ts';

/** A case in one column, with what stands behind its model. */
export type Scene = {
  readonly title: string;
  readonly at: Setting;
  readonly fault: FaultCase;
  /** The name under which clients ask. */
  readonly model: string;
  /** What no answer may hold. */
  readonly key: string;
  readonly servers: readonly RunningServer[];
};

/** The program and everything it talks to. */
export type Stage = {
  readonly program: Program;
  readonly scenes: readonly Scene[];
  /** What each file descriptor of the program is; empty where the system does not show them. */
  descriptors(): Promise<readonly string[]>;
  metrics(): Promise<string>;
  /** Closes every server. */
  closeServers(): Promise<void>;
  close(): Promise<void>;
};

/** Starts the servers of every case and the program in front of them. */
export async function openStage(rows: readonly UpstreamRow[], transport: Transport): Promise<Stage> {
  const scenes = await Promise.all(rows.flatMap((row) => row.cases.flatMap((fault) => scenesOf(row, fault))));
  const folder = await mkdtemp(join(tmpdir(), 'obelisk-faults-'));
  const closeServers = async (): Promise<void> => {
    await Promise.all(scenes.flatMap(({ servers }) => servers.map((server) => server.close())));
  };
  const file = join(folder, 'obelisk.yaml');
  const authorities = join(folder, 'authorities.pem');
  // Both vouch for themselves: what is refused is refused for its date or its name.
  await writeFile(authorities, TRUSTED + EXPIRED);
  // JSON is YAML.
  await writeFile(file, JSON.stringify(configuration(scenes)));
  const program = await startProgram({
    args: ['serve', '--port', '0', '--config', file],
    env: {
      OBELISK_LOG_FORMAT: 'json',
      OBELISK_TRANSPORT: transport,
      NODE_EXTRA_CA_CERTS: authorities,
      NODE_OPTIONS: `--import=${new URL('names.mjs', import.meta.url).href}`,
    },
  });
  return {
    program,
    scenes,
    closeServers,
    // Without keep-alive: a connection of ours must not be taken for one that was left open.
    metrics: async () => (await fetch(`${program.url}/metrics`, { headers: { connection: 'close' } })).text(),
    descriptors: () => descriptorsOf(program.pid),
    async close() {
      await program.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function scenesOf(row: UpstreamRow, fault: FaultCase): readonly Promise<Scene>[] {
  return SETTINGS.filter((at) => fault.columns?.(at) ?? true).map(async (at) => {
    const slug = `${row.row}-${fault.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
    const model = `${slug}-${at.dialect}-${at.mode}`;
    const deployments = fault.deployments(at);
    return {
      title: `${row.row}. ${row.fault}: ${fault.name} (${at.dialect}, ${at.mode})`,
      at,
      fault,
      model,
      key: `sk-operator-${model}`,
      servers: await Promise.all(deployments.map(({ server }) => startServer(server, at.dialect))),
    };
  });
}

function configuration(scenes: readonly Scene[]): unknown {
  const model_list = scenes.flatMap(({ at, fault, model, key, servers }) =>
    fault.deployments(at).map(({ params }, index) => ({
      model_name: model,
      litellm_params: {
        model: DIALECTS[at.dialect].model,
        api_base: `${servers[index]?.origin}${DIALECTS[at.dialect].basePath}`,
        api_key: key,
        ...params,
      },
    })),
  );
  return { vaults: [], model_list };
}

async function descriptorsOf(pid: number): Promise<readonly string[]> {
  if (process.platform !== 'linux') return [];
  const folder = `/proc/${pid}/fd`;
  const targets = await Promise.all(
    (await readdir(folder)).map((name) => readlink(join(folder, name)).catch(() => 'closed since')),
  );
  return targets.map((target) => target.replace(/:\[\d+\]$/, '')).sort();
}
