import { FRAGMENT_KINDS, fragmentOf, parseWantedSetting } from '../ollama/environment/service-fragments.ts';
import type { FragmentKind } from '../ollama/environment/service-fragments.ts';
import { EXIT, printJson, styleOf, usageError } from './command.ts';
import type { CommandContext } from './command.ts';

/** What Ollama is usually started by. */
const USUAL: Partial<Record<NodeJS.Platform, readonly FragmentKind[]>> = {
  linux: ['systemd', 'compose'],
  darwin: ['launchd'],
  win32: ['windows'],
};

/** Prints what to write where for wanted settings; nothing is changed. */
export function printFragments(context: CommandContext, wanted: readonly string[]): number {
  const settings = wanted.map(parseWantedSetting);
  const kinds = kindsOf(context);
  if (kinds === undefined) {
    return usageError(context, 'ollama env', `--for is one of ${FRAGMENT_KINDS.join(', ')}, all`);
  }
  const fragments = kinds.map((kind) => fragmentOf(kind, settings));
  if (context.arguments.has('json')) {
    printJson(context, { settings, fragments });
    return EXIT.ok;
  }
  const style = styleOf(context);
  for (const [index, { kind, before, text, after }] of fragments.entries()) {
    if (index > 0) context.terminal.stdout.write('\n');
    context.terminal.stdout.write(`# ${style.bold(kind)}: ${before}\n${text}\n# Then: ${after}\n`);
  }
  return EXIT.ok;
}

function kindsOf(context: CommandContext): readonly FragmentKind[] | undefined {
  const asked = context.arguments.text('for');
  if (asked === undefined) return USUAL[context.terminal.platform] ?? ['shell'];
  if (asked === 'all') return FRAGMENT_KINDS;
  const kind = FRAGMENT_KINDS.find((one) => one === asked);
  return kind === undefined ? undefined : [kind];
}
