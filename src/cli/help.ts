import { COMMON_OPTIONS } from './arguments.ts';
import type { CommandSpec, OptionSpec } from './arguments.ts';
import { toTable } from './table.ts';

/** The help of one command. */
export function helpOf(spec: CommandSpec): string {
  const usage = ['obelisk', spec.name, spec.positionals, '[options]'].filter(Boolean).join(' ');
  const rows = Object.entries({ ...spec.options, ...COMMON_OPTIONS }).map(toRow);
  const notes = spec.notes === undefined ? '' : `\n${spec.notes.join('\n')}\n`;
  const examples = `\nExamples:\n${spec.examples.map((example) => `  ${example}\n`).join('')}`;
  return `${spec.summary}\n\nUsage: ${usage}\n\nOptions:\n${toTable(rows)}${notes}${examples}`;
}

function toRow([name, option]: readonly [string, OptionSpec]): readonly string[] {
  const short = option.short === undefined ? '    ' : `-${option.short}, `;
  const value = option.value === undefined ? '' : ` ${option.value}`;
  return [`  ${short}--${name}${value}`, option.description + (option.multiple ? ' (may be repeated)' : '')];
}

/** The help of the whole program. */
export function globalHelp(specs: readonly CommandSpec[], version: string): string {
  const rows = specs.map((spec) => [`  ${spec.name}`, spec.summary]);
  return `obelisk ${version}: your notes and every language model behind one program

Usage: obelisk <command> [options]

Commands:
${toTable(rows)}
Options:
  -h, --help     Show this help, or that of a command: obelisk <command> --help
  -V, --version  Print the version

Exit codes: 0 done, 1 failed, 2 typed wrong, 3 not in your notes (ask), 130 interrupted.
`;
}
