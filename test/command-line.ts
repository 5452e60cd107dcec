/** Runs the command line inside the test's process: captured outputs, no global state. */
import { tmpdir } from 'node:os';
import type { LoadedConfig } from '../src/config/settings.ts';
import type { Program } from '../src/cli/program.ts';
import { runCommandLine } from '../src/cli/run-command.ts';
import type { Output, Terminal } from '../src/cli/terminal.ts';

/** How a test runs a command line. */
export type CommandLineOptions = {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly isTerminal?: boolean;
  readonly signal?: AbortSignal;
  /** Builds the program; a command that should not need one fails without. */
  readonly open?: (config: LoadedConfig) => Program;
};

/** What a command line left behind. */
export type CommandLineResult = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs a command line to its end. */
export async function runCli(
  given: readonly string[],
  options: CommandLineOptions = {},
): Promise<CommandLineResult> {
  const isTerminal = options.isTerminal ?? false;
  const stdout = createCapture(isTerminal);
  const stderr = createCapture(isTerminal);
  let ended = false;
  const cwd = options.cwd ?? tmpdir();
  const terminal: Terminal = {
    stdout,
    stderr,
    readInput: () => Promise.resolve(options.input ?? ''),
    environment: { OLLAMA_URL: 'http://127.0.0.1:1', OBELISK_DATA_DIR: cwd, ...options.environment },
    cwd,
    platform: process.platform,
    homeDir: cwd,
    signal: options.signal ?? new AbortController().signal,
    events: {
      onHangUp: () => undefined,
      onCrash: () => undefined,
      onExit: () => undefined,
      outliveReaders: () => undefined,
      exit: (code) => {
        // A process is gone when its command is: what was set to end a hanging one finds nothing.
        if (ended) return;
        throw new Error(`the command wanted to end the process with ${code}`);
      },
    },
  };
  const code = await runCommandLine(given, {
    terminal,
    version: () => '9.9.9',
    open: (config) => {
      if (options.open === undefined) throw new Error('this command was not expected to open a program');
      return Promise.resolve(options.open(config));
    },
  });
  ended = true;
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function createCapture(isTerminal: boolean): Output & { text(): string } {
  let text = '';
  return {
    isTerminal,
    columns: 80,
    write: (more) => {
      text += more;
    },
    text: () => text,
  };
}
