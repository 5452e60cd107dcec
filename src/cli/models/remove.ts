import { EXIT, printJson, usageError } from '../command.ts';
import type { Command, CommandContext } from '../command.ts';
import { withControl } from '../open-control.ts';
import { withoutControls } from '../style.ts';
import { placeOf } from './job-command.ts';

/** `obelisk models rm`: deletes models. */
export const removeCommand: Command = {
  spec: {
    name: 'models rm',
    summary: 'Delete models',
    positionals: 'MODEL…',
    options: { host: { value: 'HOST', description: 'Only from this host (default: from every host)' } },
    examples: ['obelisk models rm old:latest', 'obelisk models rm --host workstation llama3.2'],
  },
  async run(context) {
    const { positionals: models } = context.arguments;
    if (models.length === 0) return usageError(context, 'models rm', 'write the name of a model');
    return withControl(context, async ({ control }) => {
      for (const model of models) {
        await control.remove(model, placeOf(context));
        say(context, `deleted ${model}`);
      }
      if (context.arguments.has('json')) printJson(context, { deleted: models });
      return EXIT.ok;
    });
  },
};

/** `obelisk models cp`: gives a model a second name. */
export const copyCommand: Command = {
  spec: {
    name: 'models cp',
    summary: 'Give a model a second name',
    positionals: 'SOURCE DESTINATION',
    options: { host: { value: 'HOST', description: 'On this host (default: on every host that has it)' } },
    examples: ['obelisk models cp llama3.2 registry.example/team/llama3.2'],
  },
  async run(context) {
    const [source, destination, ...more] = context.arguments.positionals;
    if (source === undefined || destination === undefined || more.length > 0) {
      return usageError(context, 'models cp', 'write two names: obelisk models cp SOURCE DESTINATION');
    }
    return withControl(context, async ({ control }) => {
      await control.copy(source, destination, placeOf(context));
      say(context, `copied ${source} to ${destination}`);
      if (context.arguments.has('json')) printJson(context, { source, destination });
      return EXIT.ok;
    });
  },
};

function say(context: CommandContext, sentence: string): void {
  context.terminal.stderr.write(`${withoutControls(sentence)}\n`);
}
