import type { LoadedConfig } from '../config/settings.ts';
import type { CommandContext } from './command.ts';
import { createStyle } from './style.ts';

/** Tells on standard error what a person should know about the configuration: keys without effect, notices. */
export function reportNotices(context: CommandContext, config: LoadedConfig): void {
  const { stderr, environment } = context.terminal;
  const style = createStyle(stderr, environment);
  for (const notice of config.notices) stderr.write(`${style.yellow('note')} ${notice}\n`);
  for (const { key, file, line } of config.noEffect) {
    stderr.write(`${style.yellow('no effect yet')} ${key} (${file}:${line})\n`);
  }
}
