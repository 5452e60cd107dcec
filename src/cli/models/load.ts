import type { JobSpec } from '../../ollama/control-plane.ts';
import { EXIT, printJson, usageError } from '../command.ts';
import type { Command, CommandContext } from '../command.ts';
import { withControl } from '../open-control.ts';
import { withoutControls } from '../style.ts';
import { JOB_NOTES, JOB_OPTIONS, placeOf, runJobs } from './job-command.ts';

/** `obelisk models load`: loads models ahead of their first request. */
export const loadModelCommand: Command = {
  spec: {
    name: 'models load',
    summary: 'Load models into memory',
    positionals: 'MODEL…',
    options: {
      ...JOB_OPTIONS,
      'keep-alive': {
        value: 'TIME',
        description: 'How long they stay without requests: 30m, 2h, -1 for ever',
      },
    },
    notes: JOB_NOTES,
    examples: ['obelisk models load llama3.2 --keep-alive 2h'],
  },
  async run(context) {
    const { positionals: models } = context.arguments;
    if (models.length === 0) return usageError(context, 'models load', 'write the name of a model');
    const keepAlive = context.arguments.text('keep-alive');
    return runJobs(
      context,
      models.map((model): JobSpec => ({
        kind: 'load',
        model,
        ...placeOf(context),
        ...(keepAlive === undefined ? {} : { keepAlive }),
      })),
    );
  },
};

/** `obelisk models unload`: takes models out of memory. */
export const unloadCommand: Command = {
  spec: {
    name: 'models unload',
    summary: 'Take models out of memory',
    positionals: 'MODEL…',
    options: {
      host: { value: 'HOST', description: 'Only on this host (default: wherever they are loaded)' },
    },
    examples: ['obelisk models unload llama3.2'],
  },
  run: unload,
};

async function unload(context: CommandContext): Promise<number> {
  const { positionals: models } = context.arguments;
  if (models.length === 0) return usageError(context, 'models unload', 'write the name of a model');
  return withControl(context, async ({ control }) => {
    const unloaded: { readonly model: string; readonly hosts: readonly string[] }[] = [];
    for (const model of models) {
      unloaded.push({ model, hosts: await control.unload(model, placeOf(context)) });
    }
    if (context.arguments.has('json')) {
      printJson(context, unloaded);
      return EXIT.ok;
    }
    for (const { model, hosts } of unloaded) {
      const where = hosts.length === 0 ? 'was not loaded' : `is unloaded on ${hosts.join(', ')}`;
      context.terminal.stderr.write(`${withoutControls(`${model} ${where}`)}\n`);
    }
    return EXIT.ok;
  });
}
