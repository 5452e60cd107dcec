/** One running program in front of the servers of every case: what happens to one must not touch another. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXPIRED, TRUSTED } from '../../certificates.ts';
import { startProgram } from '../../program.ts';
import type { Program } from '../../program.ts';
import type { Transport } from '../transports.ts';
import { eventually } from '../../eventually.ts';
import type { FaultCase, UpstreamRow } from './fault-case.ts';
import { startServer } from './servers.ts';
import type { RunningServer } from './servers.ts';
import { DIALECTS, SETTINGS } from './speech.ts';
import type { Setting } from './speech.ts';

/** Longest wait for the probe: the program may be busy, in milliseconds. */
const PROBE_MS = 15_000;

/** A case in one column. */
export type Play = {
  readonly title: string;
  readonly at: Setting;
  readonly fault: FaultCase;
  /** The name under which clients ask. */
  readonly model: string;
};

/** The same with what stands behind its model. */
export type Scene = Play & {
  /** What no answer may hold. */
  readonly key: string;
  readonly servers: readonly RunningServer[];
  /** Names of the deployments in the metrics, in order. */
  readonly deploymentIds: readonly string[];
};

/** The program and everything it talks to. */
export type Stage = {
  readonly program: Program;
  readonly scenes: readonly Scene[];
  /** What each file descriptor of the program is; empty where the system does not show them. */
  descriptors(): Promise<readonly string[]>;
  metrics(): Promise<string>;
  /** Memory that is held, without what is only not collected yet, in bytes. */
  heldBytes(): Promise<number>;
  /** Closes every server. */
  closeServers(): Promise<void>;
  /** Closes servers and program. */
  close(): Promise<void>;
};

/** Every case of some rows in every column that it exists in. */
export function playsOf(rows: readonly UpstreamRow[]): readonly Play[] {
  return rows.flatMap((row) =>
    row.cases.flatMap((fault) =>
      SETTINGS.filter((at) => fault.columns?.(at) ?? true).map((at) => ({
        title: `${row.row}. ${row.fault}: ${fault.name} (${at.dialect}, ${at.mode})`,
        at,
        fault,
        model: `${row.row}-${fault.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}-${at.dialect}-${at.mode}`,
      })),
    ),
  );
}

/** Starts the servers of every case and the program in front of them. */
export async function openStage(plays: readonly Play[], transport: Transport): Promise<Stage> {
  let entries = 0;
  const scenes = await Promise.all(
    plays.map(async (play): Promise<Scene> => {
      const deployments = play.fault.deployments(play.at);
      // Counted before anything is waited for: the order is that of the configuration.
      const deploymentIds = deployments.map(() => `${play.model}#${entries++}`);
      const servers = deployments.map(({ server }) => startServer(server, play.at.dialect));
      return {
        ...play,
        key: `sk-operator-${play.model}`,
        servers: await Promise.all(servers),
        deploymentIds,
      };
    }),
  );
  const folder = await mkdtemp(join(tmpdir(), 'obelisk-faults-'));
  let closing: Promise<unknown> | undefined;
  const closeServers = async (): Promise<void> => {
    closing ??= Promise.all(scenes.flatMap(({ servers }) => servers.map((server) => server.close())));
    await closing;
  };
  const cleanUp = async (): Promise<void> => {
    await closeServers();
    await rm(folder, { recursive: true, force: true });
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
      NODE_OPTIONS: ['names.mjs', '../client/memory-probe.mjs']
        .map((file) => `--import=${new URL(file, import.meta.url).href}`)
        .join(' '),
    },
  }).catch(async (error: unknown) => {
    // Servers that listen would keep the test from ending.
    await cleanUp();
    throw error;
  });
  return {
    program,
    scenes,
    closeServers,
    // Without keep-alive: a connection of ours must not be taken for one that was left open.
    metrics: async () => (await fetch(`${program.url}/metrics`, { headers: { connection: 'close' } })).text(),
    heldBytes: () => heldBytesOf(program),
    descriptors: () => descriptorsOf(program.pid),
    async close() {
      await program.stop();
      await cleanUp();
    },
  };
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
  // Short enough for a test, long enough for a busy machine; what is tried sets its own, shorter ones.
  // The requests of many clients at once are what some cases are about, not how they wait for their turn.
  const ollama = { parallel: 1_000 };
  return { vaults: [], model_list, providers: { ollama }, upstream: { timeouts: { connect: 1.5, idle: 2 } } };
}

/** Asks the probe in the program, which answers in its log. */
async function heldBytesOf(program: Program): Promise<number> {
  const told = (): readonly RegExpExecArray[] => [...program.stderr().matchAll(/^\{"heldBytes":(\d+)\}$/gm)];
  const before = told().length;
  program.signal('SIGUSR2');
  await eventually(() => assert.ok(told().length > before, 'the probe answers'), PROBE_MS);
  return Number(told().at(-1)?.[1]);
}

async function descriptorsOf(pid: number): Promise<readonly string[]> {
  if (process.platform !== 'linux') return [];
  const folder = `/proc/${pid}/fd`;
  const targets = await Promise.all(
    (await readdir(folder)).map((name) => readlink(join(folder, name)).catch(() => 'closed since')),
  );
  return targets.map((target) => target.replace(/:\[\d+\]$/, '')).sort();
}
