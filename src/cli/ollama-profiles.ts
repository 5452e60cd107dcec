import type { ProfilePatch, ProfileView } from '../ollama/control-plane.ts';
import { bakeSpec } from '../ollama/profiles/bake.ts';
import { EXIT, printJson, styleOf, usageError } from './command.ts';
import type { Command, CommandContext } from './command.ts';
import { placeOf } from './models/job-command.ts';
import { runJob } from './models/run-job.ts';
import { withControl } from './open-control.ts';
import { withoutControls } from './style.ts';
import { toTable } from './table.ts';

/** `obelisk ollama profiles`: what travels with every request for a model. */
export const ollamaProfilesCommand: Command = {
  spec: {
    name: 'ollama profiles',
    summary: 'Show the hardware profiles of models, or change one',
    positionals: '[MODEL]',
    options: {
      host: { value: 'HOST', description: 'As it is on this host' },
      set: { value: 'NAME=VALUE', multiple: true, description: 'Set an option: num_ctx=8192' },
      unset: { value: 'NAME', multiple: true, description: 'Take an option back to the configuration’s' },
      'keep-alive': {
        value: 'TIME',
        description: 'How long it stays without requests: 30m, -1 for ever; "none" takes it back',
      },
      allow: {
        value: 'NAMES',
        description: 'Options that a request may set itself, by commas; "none" takes that back',
      },
      bake: { value: 'NAME', description: 'Make a model of that name that has these options of its own' },
    },
    notes: [
      'MODEL may be "default": what holds for every model.',
      'What is set here counts from the next request on, wins over the configuration, and stays after a restart.',
    ],
    examples: [
      'obelisk ollama profiles',
      'obelisk ollama profiles llama3.2 --set num_ctx=8192 --set num_gpu=-1',
      'obelisk ollama profiles llama3.2 --unset num_ctx',
      'obelisk ollama profiles llama3.2 --bake llama3.2-tuned',
    ],
  },
  async run(context) {
    const [model, ...more] = context.arguments.positionals;
    const patch = readPatch(context);
    if (typeof patch === 'string') return usageError(context, 'ollama profiles', patch);
    if (more.length > 0) return usageError(context, 'ollama profiles', 'write the name of one model');
    if (model === undefined && (patch !== undefined || context.arguments.has('host'))) {
      return usageError(context, 'ollama profiles', 'write the name of a model, or "default"');
    }
    const baked = context.arguments.text('bake');
    if (baked !== undefined) return bake(context, model, { patch, baked });
    return withControl(context, async ({ control }) => {
      const at = placeOf(context);
      if (model === undefined) printAll(context, await control.profiles());
      else if (patch === undefined) printOne(context, await control.profile(model, at));
      else printOne(context, await control.patchProfile(model, patch, at));
      return EXIT.ok;
    });
  },
};

/** Changes the profile where that is asked for, then makes the model, as a job with its progress. */
function bake(
  context: CommandContext,
  model: string | undefined,
  { patch, baked }: { readonly patch: ProfilePatch | undefined; readonly baked: string },
): Promise<number> | number {
  if (model === undefined || model === 'default') {
    return usageError(context, 'ollama profiles', 'write the name of the model whose profile is baked');
  }
  return withControl(context, async (opened) => {
    const at = placeOf(context);
    const { control } = opened;
    const profile =
      patch === undefined ? await control.profile(model, at) : await control.patchProfile(model, patch, at);
    const { job, code } = await runJob(context, opened, bakeSpec(profile, baked));
    if (context.arguments.has('json')) printJson(context, job);
    return code;
  });
}

/** What is to be changed; a sentence where it was typed wrong, undefined where nothing is. */
function readPatch({ arguments: given }: CommandContext): ProfilePatch | string | undefined {
  const options = readOptions(given);
  if (typeof options === 'string') return options;
  const keepAlive = given.text('keep-alive');
  const allow = given.text('allow');
  const patch: ProfilePatch = {
    ...(Object.keys(options).length === 0 ? {} : { options }),
    ...(keepAlive === undefined ? {} : { keepAlive: keepAlive === 'none' ? null : keepAlive }),
    ...(allow === undefined ? {} : { requestOptions: allow === 'none' ? null : namesOf(allow) }),
  };
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function readOptions(given: CommandContext['arguments']): Record<string, number | boolean | null> | string {
  const options: Record<string, number | boolean | null> = {};
  for (const one of given.texts('set')) {
    const [name = '', text = ''] = one.split('=', 2);
    const value = valueOf(text);
    if (name === '' || value === undefined) {
      return `--set needs NAME=VALUE with a number, true or false, and got "${one}"`;
    }
    options[name] = value;
  }
  for (const name of given.texts('unset')) options[name] = null;
  return options;
}

function namesOf(list: string): readonly string[] {
  return list.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]));
}

function valueOf(text: string): number | boolean | undefined {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function printAll(context: CommandContext, profiles: readonly ProfileView[]): void {
  if (context.arguments.has('json')) {
    printJson(context, profiles);
    return;
  }
  const header = ['MODEL', 'HOST', 'OPTIONS', 'KEEP ALIVE'];
  const rows = profiles.map((profile) => [
    withoutControls(profile.model),
    withoutControls(profile.host ?? 'every'),
    Object.entries(profile.options)
      .map(([name, { value }]) => `${withoutControls(name)}=${value}`)
      .join(' ') || '-',
    keepAliveOf(profile),
  ]);
  context.terminal.stdout.write(toTable([header.map(styleOf(context).bold), ...rows]));
}

function printOne(context: CommandContext, profile: ProfileView): void {
  if (context.arguments.has('json')) {
    printJson(context, profile);
    return;
  }
  const { stdout, stderr } = context.terminal;
  const rows = Object.entries(profile.options).map(([name, { value, source }]) => [
    withoutControls(name),
    String(value),
    source,
  ]);
  const allowed = profile.requestOptions.join(', ') || 'none';
  const more = [
    ['keep_alive', keepAliveOf(profile), ''],
    ['a request may set', withoutControls(allowed), ''],
  ];
  stdout.write(toTable([['OPTION', 'VALUE', 'FROM'].map(styleOf(context).bold), ...rows, ...more]));
  for (const notice of profile.notices) stderr.write(`${withoutControls(notice)}\n`);
}

function keepAliveOf({ keepAlive }: ProfileView): string {
  if (keepAlive === undefined) return '-';
  if (typeof keepAlive === 'string') return withoutControls(keepAlive);
  return keepAlive < 0 ? 'for ever' : `${keepAlive} s`;
}
