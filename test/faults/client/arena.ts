/** The program between a client that misbehaves and two upstreams that do as the prompt says. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../eventually.ts';
import { startProgram } from '../../program.ts';
import type { Program } from '../../program.ts';
import { startUpstream } from '../../upstream.ts';
import type { ReceivedRequest, TestUpstream } from '../../upstream.ts';
import type { Transport } from '../transports.ts';
import { isChat, LaneScript } from './lane-script.ts';

/** A way through the program: bytes passed on to an OpenAI-compatible server, or translated for Ollama. */
export type Lane = {
  readonly dialect: 'openai' | 'ollama';
  /** As clients ask for it. */
  readonly model: string;
  /** The same model under a name that no header can carry as it is. */
  readonly foreignName: string;
  readonly upstream: TestUpstream;
  /** Bytes that floods have handed to the operating system so far. */
  readonly flooded: () => number;
};

/** A running program with its upstreams. */
export type Arena = AsyncDisposable & {
  readonly program: Program;
  readonly url: string;
  readonly lanes: readonly Lane[];
  /** Path of the program's configuration. */
  readonly configFile: string;
  /** The line of the log that says how the request with that id ended. */
  outcome(requestId: string): Promise<LogLine>;
  metrics(): Promise<string>;
  /** Memory that the program holds after a collection of garbage, in bytes: its heap and its buffers. */
  heldBytes(): Promise<number>;
  /** Resident memory of the program, in bytes. */
  residentBytes(): Promise<number>;
};

/** A line of the program's log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** How the program is started. */
export type ArenaOptions = {
  readonly transport: Transport;
  /** Top-level sections of the configuration, besides the models. */
  readonly config?: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** Longest wait for what another process does, in milliseconds. */
export const PATIENCE_MS = 10_000;

/** Starts upstreams and program. */
export async function openArena({ transport, config = '', env = {} }: ArenaOptions): Promise<Arena> {
  const folder = await mkdtemp(join(tmpdir(), 'obelisk-faults-'));
  const lanes = [await openLane('openai', 'passed'), await openLane('ollama', 'translated')];
  const close = async (): Promise<void> => {
    for (const { upstream } of lanes) await upstream.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const configFile = join(folder, 'obelisk.yaml');
    await writeFile(configFile, configOf(lanes) + config);
    const program = await startProgram({
      args: ['serve', '--port', '0', '--config', configFile],
      env: {
        OBELISK_TRANSPORT: transport,
        OBELISK_LOG_FORMAT: 'json',
        NODE_OPTIONS: `--import=${new URL('memory-probe.mjs', import.meta.url).href}`,
        ...env,
      },
    });
    return arenaOf({ program, lanes, configFile }, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function openLane(dialect: Lane['dialect'], model: string): Promise<Lane> {
  const lane = new LaneScript(dialect);
  const upstream = await startUpstream(lane.script);
  return { dialect, model, foreignName: `${model} für 模型`, upstream, flooded: () => lane.flooded.bytes };
}

function configOf(lanes: readonly Lane[]): string {
  const entries = lanes.flatMap(({ dialect, model, foreignName, upstream }) =>
    [model, foreignName].map((name) => {
      const parameters =
        dialect === 'openai'
          ? {
              model: 'openai/upstream-model',
              api_base: `${upstream.origin}/v1`,
              api_key: 'sk-of-the-operator',
            }
          : { model: 'ollama_chat/tiny', api_base: upstream.origin };
      return `  - ${JSON.stringify({ model_name: name, litellm_params: parameters })}\n`;
    }),
  );
  return `vaults: []\nmodel_list:\n${entries.join('')}`;
}

function arenaOf(from: Pick<Arena, 'program' | 'lanes' | 'configFile'>, close: () => Promise<void>): Arena {
  const { program } = from;
  const metrics = async (): Promise<string> => (await fetch(`${program.url}/metrics`)).text();
  return {
    ...from,
    url: program.url,
    metrics,
    async outcome(requestId) {
      let found: LogLine | undefined;
      await until(
        () => {
          found = linesOf(program).find(
            (line) => line['requestId'] === requestId && line['outcome'] !== undefined,
          );
          return found !== undefined;
        },
        `the log tells how ${requestId} ended`,
        PATIENCE_MS,
      );
      return found ?? {};
    },
    async heldBytes() {
      const told = (): readonly LogLine[] =>
        linesOf(program).filter((line) => line['heldBytes'] !== undefined);
      const before = told().length;
      program.signal('SIGUSR2');
      await until(() => told().length > before, 'the program tells what it holds', PATIENCE_MS);
      return Number(told().at(-1)?.['heldBytes']);
    },
    async residentBytes() {
      return Number(/^process_resident_memory_bytes (\d+)/m.exec(await metrics())?.[1] ?? Number.NaN);
    },
    async [Symbol.asyncDispose]() {
      await program.stop();
      await close();
    },
  };
}

function linesOf(program: Program): readonly LogLine[] {
  return program
    .stderr()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line): LogLine => JSON.parse(line));
}

/** Resolves to the next chat request that `upstream` gets; call it before the client asks. */
export async function nextChat(upstream: TestUpstream, from: number): Promise<ReceivedRequest> {
  for (let index = from; ; index += 1) {
    const request = await upstream.request(index);
    if (isChat(request)) return request;
  }
}
