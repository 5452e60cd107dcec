import type { Command } from './command.ts';

/** How each command is loaded, in the order of the help: the one that runs pays for none of the others. */
const LOADERS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./serve.ts')).serveCommand,
  ask: async () => (await import('./ask.ts')).askCommand,
  search: async () => (await import('./search.ts')).searchCommand,
  index: async () => (await import('./index-vaults.ts')).indexCommand,
  models: async () => (await import('./models.ts')).modelsCommand,
  'models list': async () => (await import('./models/list.ts')).listCommand,
  'models show': async () => (await import('./models/show.ts')).showCommand,
  'models ps': async () => (await import('./models/list.ts')).runningCommand,
  'models pull': async () => (await import('./models/pull.ts')).pullCommand,
  'models ensure': async () => (await import('./models/pull.ts')).ensureCommand,
  'models push': async () => (await import('./models/pull.ts')).pushCommand,
  'models create': async () => (await import('./models/create.ts')).createCommand,
  'models cp': async () => (await import('./models/remove.ts')).copyCommand,
  'models rm': async () => (await import('./models/remove.ts')).removeCommand,
  'models load': async () => (await import('./models/load.ts')).loadModelCommand,
  'models unload': async () => (await import('./models/load.ts')).unloadCommand,
  'models fit': async () => (await import('./models/show.ts')).fitCommand,
  'models jobs': async () => (await import('./models/jobs.ts')).jobsCommand,
  tune: async () => (await import('./tune.ts')).tuneCommand,
  'ollama hosts': async () => (await import('./ollama-hosts.ts')).ollamaHostsCommand,
  'ollama env': async () => (await import('./ollama-env.ts')).ollamaEnvCommand,
  'ollama profiles': async () => (await import('./ollama-profiles.ts')).ollamaProfilesCommand,
  config: async () => (await import('./config.ts')).configCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
  completion: async () => (await import('./completion.ts')).completionCommand,
};

/** Names of the commands, in the order of the help; those of one object are two words: `models pull`. */
export const COMMAND_NAMES: readonly string[] = Object.keys(LOADERS);

/** Loads a command by its name; undefined where there is none of that name. */
export async function loadCommand(name: string): Promise<Command | undefined> {
  return Object.hasOwn(LOADERS, name) ? LOADERS[name]?.() : undefined;
}

/** A command line split into the name of a command and what follows it. */
export type Named = { readonly name: string; readonly rest: readonly string[] };

/** Takes the two words of `models pull` as one name, also where there is no such command of the object. */
export function splitName([first = '', ...rest]: readonly string[]): Named {
  const [second] = rest;
  const isObject = COMMAND_NAMES.some((name) => name.startsWith(`${first} `));
  if (!isObject || second === undefined || second.startsWith('-')) return { name: first, rest };
  return { name: `${first} ${second}`, rest: rest.slice(1) };
}

/** Loads every command, in the order of the help. */
export function loadCommands(): Promise<readonly Command[]> {
  return Promise.all(Object.values(LOADERS).map((load) => load()));
}
