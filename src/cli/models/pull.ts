import type { JobSpec } from '../../ollama/control-plane.ts';
import { usageError } from '../command.ts';
import type { Command, CommandContext } from '../command.ts';
import { JOB_NOTES, JOB_OPTIONS, placeOf, runJobs } from './job-command.ts';

const INSECURE = {
  description: 'Without TLS; only for a registry of providers.ollama.insecure_registries',
};

/** `obelisk models pull`: downloads models. */
export const pullCommand: Command = {
  spec: {
    name: 'models pull',
    summary: 'Download models to a host of Ollama',
    positionals: 'MODEL…',
    options: { ...JOB_OPTIONS, insecure: INSECURE },
    notes: [...JOB_NOTES, 'A download that broke off goes on from where it was.'],
    examples: ['obelisk models pull llama3.2', 'obelisk models pull --host workstation --detach llama3.2'],
  },
  run: (context) => runTransfers(context, 'pull'),
};

/** `obelisk models push`: uploads models. */
export const pushCommand: Command = {
  spec: {
    name: 'models push',
    summary: 'Upload models to a registry',
    positionals: 'MODEL…',
    options: { ...JOB_OPTIONS, insecure: INSECURE },
    notes: JOB_NOTES,
    examples: ['obelisk models push registry.example/team/notes:1'],
  },
  run: (context) => runTransfers(context, 'push'),
};

/** `obelisk models ensure`: downloads what is missing. */
export const ensureCommand: Command = {
  spec: {
    name: 'models ensure',
    summary: 'Download models that are not there yet',
    positionals: 'MODEL…',
    options: { ...JOB_OPTIONS, insecure: INSECURE },
    notes: [...JOB_NOTES, '"llama3" and "llama3:latest" are one model.'],
    examples: ['obelisk models ensure llama3.2 all-minilm'],
  },
  run: (context) => runTransfers(context, 'ensure'),
};

async function runTransfers(context: CommandContext, what: 'pull' | 'push' | 'ensure'): Promise<number> {
  const { positionals: models } = context.arguments;
  if (models.length === 0) return usageError(context, `models ${what}`, 'write the name of a model');
  const more = {
    ...placeOf(context),
    ...(context.arguments.has('insecure') ? { insecure: true } : {}),
  };
  const specs = models.map((model): JobSpec =>
    what === 'push'
      ? { kind: 'push', model, ...more }
      : { kind: 'pull', model, ...more, ...(what === 'ensure' ? { ifMissing: true } : {}) },
  );
  return runJobs(context, specs);
}
