import { isObeliskError, messageOf } from '../shared/errors.ts';
import { nearest } from '../shared/nearest.ts';
import { parseArguments } from './arguments.ts';
import { EXIT } from './command.ts';
import type { Command, CommandContext } from './command.ts';
import { COMMAND_NAMES, loadCommand, loadCommands, splitName } from './commands.ts';
import { globalHelp, helpOf } from './help.ts';
import type { OpenProgram } from './program.ts';
import { createStyle, withoutControls } from './style.ts';
import type { Terminal } from './terminal.ts';

/** What running a command line needs. */
export type RunOptions = {
  readonly terminal: Terminal;
  readonly open: OpenProgram;
  /** Of the package; asked for where it is shown. */
  readonly version: () => string;
};

/** Runs one command line and returns its exit code; whatever goes wrong is said on standard error. */
export async function runCommandLine(given: readonly string[], options: RunOptions): Promise<number> {
  const { stdout, stderr } = options.terminal;
  const [name] = given;
  if (name === undefined || name === '--help' || name === '-h' || (name === 'help' && given.length === 1)) {
    const commands = await loadCommands();
    const specs = commands.map((command) => command.spec);
    stdout.write(globalHelp(specs, options.version()));
    return EXIT.ok;
  }
  if (name === '--version' || name === '-V' || name === '-v') {
    stdout.write(`${options.version()}\n`);
    return EXIT.ok;
  }
  const wanted = splitName(name === 'help' ? given.slice(1) : given);
  const command = await loadCommand(wanted.name);
  if (command !== undefined) return runCommand(command, name === 'help' ? ['--help'] : wanted.rest, options);
  stderr.write(`obelisk: ${unknownCommand(wanted.name)}\nSee: obelisk --help\n`);
  return EXIT.usage;
}

function unknownCommand(name: string): string {
  if (name.startsWith('-')) return `write the command before its options: obelisk serve ${name}`;
  const [object = ''] = name.split(' ');
  const ofObject = COMMAND_NAMES.filter((known) => known.startsWith(`${object} `));
  const isObjectAlone = name === object && ofObject.length > 0;
  if (isObjectAlone) return `write what to do: ${ofObject.join(', ')}`;
  const candidates = ofObject.length > 0 ? ofObject : COMMAND_NAMES;
  const [closest] = nearest(name, candidates, 1);
  const hint = closest === undefined ? `there are ${candidates.join(', ')}` : `did you mean "${closest}"?`;
  return `there is no command "${withoutControls(name)}"; ${hint}`;
}

async function runCommand(command: Command, args: readonly string[], options: RunOptions): Promise<number> {
  const { terminal } = options;
  const parsed = parseArguments(command.spec, args);
  if (parsed.kind === 'wrong') {
    const { name } = command.spec;
    terminal.stderr.write(`obelisk ${name}: ${parsed.message}\nSee: obelisk ${name} --help\n`);
    return EXIT.usage;
  }
  if (parsed.arguments.has('help')) {
    terminal.stdout.write(helpOf(command.spec));
    return EXIT.ok;
  }
  const context = { ...options, arguments: parsed.arguments };
  try {
    return await command.run(context);
  } catch (error) {
    if (terminal.signal.aborted) return EXIT.interrupted;
    reportError(context, command.spec.name, error);
    return EXIT.failure;
  }
}

/** A defect is told with its stack: whoever reports it needs it. */
function reportError(context: CommandContext, command: string, error: unknown): void {
  const { stderr, environment } = context.terminal;
  const known = isObeliskError(error);
  if (context.arguments.has('json')) {
    const code = known ? error.code : 'internal';
    stderr.write(`${JSON.stringify({ error: { code, message: messageOf(error) } })}\n`);
    return;
  }
  const style = createStyle(stderr, environment);
  const detail = known || !(error instanceof Error) ? messageOf(error) : (error.stack ?? error.message);
  stderr.write(`${style.red(`obelisk ${command}:`)} ${withoutControls(detail)}\n`);
}
