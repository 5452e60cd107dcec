import { EXIT } from './command.ts';
import { packageVersion } from './package-version.ts';
import type { OpenProgram } from './program.ts';
import { runCommandLine } from './run-command.ts';
import { createProcessTerminal } from './terminal.ts';

/** Runs the command line of this process and returns its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const { terminal, stopReason, release } = createProcessTerminal();
  try {
    const code = await runCommandLine(argv, { terminal, open, version: packageVersion });
    // Nobody reads on (`| head`): that is their choice, not a failure.
    return stopReason() === 'unread' && code === EXIT.interrupted ? EXIT.ok : code;
  } finally {
    release();
  }
}

/** Loaded only when it is needed: help, `config`, and questions to a running server start without it. */
const open: OpenProgram = async (config, server) => {
  const { openProgram } = await import('./open-program.ts');
  return openProgram(config, server);
};
