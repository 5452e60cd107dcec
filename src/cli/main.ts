import { EXIT } from './command.ts';
import { openProgram } from './open-program.ts';
import { packageVersion } from './package-version.ts';
import { runCommandLine } from './run-command.ts';
import { createProcessTerminal } from './terminal.ts';

/** Runs the command line of this process and returns its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const { terminal, stopReason, release } = createProcessTerminal();
  try {
    const code = await runCommandLine(argv, { terminal, open: openProgram, version: packageVersion() });
    // Nobody reads on (`| head`): that is their choice, not a failure.
    return stopReason() === 'unread' && code === EXIT.interrupted ? EXIT.ok : code;
  } finally {
    release();
  }
}
