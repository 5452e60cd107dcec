import { loadConfig } from '../config/load-config.ts';
import type { ConfigFlags } from '../config/config-inputs.ts';
import type { LoadedConfig } from '../config/settings.ts';
import type { Arguments, CommandSpec } from './arguments.ts';
import type { OpenProgram } from './program.ts';
import type { Style } from './style.ts';
import { createStyle } from './style.ts';
import type { Terminal } from './terminal.ts';

/** How a command ends. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  /** `ask`: nothing in the vault supports an answer. */
  notInYourNotes: 3,
  interrupted: 130,
} as const;

/** What a command works with. */
export type CommandContext = {
  readonly terminal: Terminal;
  readonly arguments: Arguments;
  readonly open: OpenProgram;
};

/** One command. */
export type Command = {
  readonly spec: CommandSpec;
  run(context: CommandContext): Promise<number>;
};

/** Loads the configuration with the options that every command has. */
export function loadFrom(context: CommandContext, flags: ConfigFlags = {}): LoadedConfig {
  const { terminal, arguments: given } = context;
  const { environment, cwd, platform, homeDir } = terminal;
  const inputs = { environment, cwd, platform, homeDir, file: given.text('config') };
  return loadConfig({ ...inputs, flags: { ...flags, dataDir: given.text('data-dir') } });
}

/** Says what was typed wrong. */
export function usageError(context: CommandContext, command: string, message: string): number {
  context.terminal.stderr.write(`obelisk ${command}: ${message}\nSee: obelisk ${command} --help\n`);
  return EXIT.usage;
}

/** The style of standard output. */
export function styleOf(context: CommandContext): Style {
  return createStyle(context.terminal.stdout, context.terminal.environment);
}

/** Prints one JSON document. */
export function printJson(context: CommandContext, value: unknown): void {
  context.terminal.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
