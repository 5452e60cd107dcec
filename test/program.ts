import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** From when on a signal after another is a second one, in milliseconds. */
export const SECOND_SIGNAL_MS = 300;

/** How a test runs the program. */
export type ProgramOptions = {
  readonly args: readonly string[];
  /** Over a clean environment: nothing of Obelisk's, Ollama's or LiteLLM's comes from the machine. */
  readonly env?: Readonly<Record<string, string>>;
  /** An empty folder unless told, so that no configuration is found by chance. */
  readonly cwd?: string;
  /** Hears all that was written to standard error so far, each time that there is more, and may end it. */
  readonly onStderr?: (text: string, signal: (name: NodeJS.Signals) => void) => void;
};

/** A server that runs as a child process. */
export type Program = {
  readonly url: string;
  readonly pid: number;
  /** Resolves to its exit code, null when a signal ended it. */
  readonly ended: Promise<number | null>;
  stdout(): string;
  stderr(): string;
  /** Sends it a signal. */
  signal(name: NodeJS.Signals): void;
  /** Asks it to end, waits until it has, and removes its data. */
  stop(): Promise<void>;
};

/** What a command left behind. */
export type ProgramResult = {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

type Running = {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  stdout(): string;
  stderr(): string;
  remove(): Promise<void>;
};

const EXECUTABLE = fileURLToPath(new URL('../bin/obelisk.js', import.meta.url));
const START_MS = 60_000;
const STOP_MS = 15_000;
/** Nothing listens there: a test that needs Ollama says so. */
const NO_OLLAMA = 'http://127.0.0.1:1';
const OWN_VARIABLE = /^(OBELISK_|OLLAMA_|LITELLM_|MODEL_PROVIDER$|NODE_TEST_CONTEXT$)/;

/** Runs a command of the program to its end. */
export async function runProgram(options: ProgramOptions): Promise<ProgramResult> {
  const running = await launch(options);
  try {
    const code = await running.ended;
    return { code, stdout: running.stdout(), stderr: running.stderr() };
  } finally {
    await running.remove();
  }
}

/**
 * Starts the server and waits until it has indexed its vaults.
 * @throws Error with its output when it ends or does not get there in time.
 */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const running = await launch(options);
  const stop = async (): Promise<void> => {
    const killer = setTimeout(() => running.child.kill('SIGKILL'), STOP_MS);
    running.child.kill('SIGTERM');
    await running.ended;
    clearTimeout(killer);
    await running.remove();
  };
  try {
    const url = await waitUntilReady(running);
    const signal = (name: NodeJS.Signals): void => void running.child.kill(name);
    const { ended, stdout, stderr } = running;
    return { url, pid: running.child.pid ?? Number.NaN, ended, stdout, stderr, signal, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function launch({ args, env = {}, cwd, onStderr }: ProgramOptions): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), 'obelisk-e2e-'));
  const inherited = Object.entries(process.env).filter(([name]) => !OWN_VARIABLE.test(name));
  const child = spawn(process.execPath, [EXECUTABLE, ...args], {
    cwd: cwd ?? folder,
    env: {
      ...Object.fromEntries(inherited),
      OBELISK_DATA_DIR: join(folder, 'data'),
      OLLAMA_HOST: NO_OLLAMA,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
    onStderr?.(output.stderr, (name) => child.kill(name));
  });
  const ended = once(child, 'close').then(([code]) => (typeof code === 'number' ? code : null));
  return {
    child,
    ended,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

async function waitUntilReady(running: Running): Promise<string> {
  const signal = AbortSignal.timeout(START_MS);
  while (running.child.exitCode === null && running.child.signalCode === null && !signal.aborted) {
    const url = /listening on (http:\/\/\S+?)\/?\s/.exec(`${running.stdout()}\n`)?.[1];
    if (url !== undefined && (await isIndexed(url, signal))) return url;
    await wait(25);
  }
  throw new Error(`the program did not get ready\n${running.stdout()}\n${running.stderr()}`);
}

async function isIndexed(url: string, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(`${url}/health/readiness`, { signal });
  const body: unknown = await response.json();
  if (!response.ok || typeof body !== 'object' || body === null) return false;
  const vaults: readonly unknown[] = 'vaults' in body && Array.isArray(body.vaults) ? body.vaults : [];
  return vaults.every((vault) => !/"state":"(starting|indexing)"/.test(JSON.stringify(vault)));
}
