import { describeOrigin, describeSettings } from '../config/describe-settings.ts';
import { EXIT, loadFrom, printJson, styleOf } from './command.ts';
import type { Command, CommandContext } from './command.ts';
import { reportNotices } from './notices.ts';
import { withoutControls } from './style.ts';
import { toTable } from './table.ts';

/** `obelisk config`: the effective configuration, and where each value came from. */
export const configCommand: Command = {
  spec: {
    name: 'config',
    summary: 'Show the effective configuration and where each value came from',
    options: {},
    notes: [
      'Flags win over the file, the file over the environment, the environment over defaults. Secrets are not shown.',
    ],
    examples: ['obelisk config', 'obelisk config --config team.yaml --json'],
  },
  run: (context) => Promise.resolve(showConfig(context)),
};

function showConfig(context: CommandContext): number {
  const config = loadFrom(context);
  const rows = describeSettings(config.settings, config.origins);
  if (context.arguments.has('json')) {
    const { file, noEffect, notices } = config;
    printJson(context, { file: file ?? null, settings: rows, noEffect, notices });
    return EXIT.ok;
  }
  const style = styleOf(context);
  const table = rows.map(({ key, value, origin }) => [
    key,
    value === undefined ? '-' : withoutControls(typeof value === 'string' ? value : JSON.stringify(value)),
    describeOrigin(origin),
  ]);
  context.terminal.stdout.write(toTable([['KEY', 'VALUE', 'FROM'].map(style.bold), ...table]));
  reportNotices(context, config);
  return EXIT.ok;
}
