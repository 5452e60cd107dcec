import { COMMON_OPTIONS } from './arguments.ts';
import type { CommandSpec } from './arguments.ts';
import { EXIT, usageError } from './command.ts';
import type { Command } from './command.ts';
import { loadCommands } from './commands.ts';
import { completionScript, isShell } from './completion-script.ts';

/** `obelisk completion`: a script by which a shell completes what is typed. */
export const completionCommand: Command = {
  spec: {
    name: 'completion',
    summary: 'Print a script that completes commands, options and names of models in a shell',
    positionals: 'bash|zsh|fish',
    options: {},
    examples: [
      'obelisk completion bash > ~/.local/share/bash-completion/completions/obelisk',
      'obelisk completion zsh > "${fpath[1]}/_obelisk"',
      'obelisk completion fish > ~/.config/fish/completions/obelisk.fish',
    ],
  },
  async run(context) {
    const [shell, ...more] = context.arguments.positionals;
    if (shell === undefined || more.length > 0 || !isShell(shell)) {
      return usageError(context, 'completion', 'write the name of a shell: bash, zsh or fish');
    }
    const specs = (await loadCommands()).map(({ spec }): CommandSpec => ({
      ...spec,
      options: { ...spec.options, ...COMMON_OPTIONS },
    }));
    context.terminal.stdout.write(completionScript(shell, specs));
    return EXIT.ok;
  },
};
