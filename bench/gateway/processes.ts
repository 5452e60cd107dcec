import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A running program. */
export type Program = {
  readonly name: string;
  readonly origin: string;
  readonly pid: number;
  /** Headers that a request to it needs, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The file that it writes to instead of a terminal. */
  readonly log: string;
  stop(): Promise<void>;
};

/** How to run a program: on one core, in a scratch folder. */
export type Place = { readonly core: number; readonly port: number; readonly directory: string };

/** A command line with what it needs in its environment. */
export type Command = {
  readonly command: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long it may take until it listens, in milliseconds; Python programs need long. */
  readonly startMs?: number;
};

const START_MS = 20_000;
const STOP_MS = 20_000;

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const open = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'close').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return open;
}

/** The variables of this process without those that would change what is measured. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(OBELISK_|OLLAMA_|LITELLM_|NODE_|npm_)/.test(name)),
  );
}

function endOf(child: ChildProcess): Promise<unknown> {
  return child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : once(child, 'exit');
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = endOf(child);
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(late);
}

/** Ends a child when this process ends: a benchmark that fails or is interrupted leaves nothing running. */
export function endWithThisProcess(child: ChildProcess): void {
  const end = (): boolean => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
}

/** The last lines a program wrote, for the message that it did not start. */
function lastLines(log: string): string {
  return readFileSync(log, 'utf8').trim().split('\n').slice(-8).join('\n');
}

/** Runs a command on one core and waits until it listens; what it writes goes to a file. */
export async function startProgram(name: string, given: Command, place: Place): Promise<Program> {
  const log = join(place.directory, `${name.replaceAll(/[^\w-]/g, '-')}.log`);
  const descriptor = openSync(log, 'w');
  const child = spawn('taskset', ['-c', String(place.core), ...given.command], {
    stdio: ['ignore', descriptor, descriptor],
    env: { ...cleanEnvironment(), ...given.environment },
  });
  closeSync(descriptor);
  endWithThisProcess(child);
  const deadline = performance.now() + (given.startMs ?? START_MS);
  while (!(await listens(place.port))) {
    const ended = child.exitCode ?? child.signalCode;
    if (ended !== null || performance.now() > deadline) {
      await stop(child);
      throw new Error(`${name} did not start (${ended ?? 'it never listened'}):\n${lastLines(log)}`);
    }
    await sleep(20);
  }
  return {
    name,
    origin: `http://127.0.0.1:${place.port}`,
    pid: child.pid ?? 0,
    headers: given.headers ?? {},
    log,
    stop: () => stop(child),
  };
}
