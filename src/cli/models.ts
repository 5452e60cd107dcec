import { EXIT, loadFrom, printJson, styleOf } from './command.ts';
import type { Command, CommandContext } from './command.ts';
import type { LoadedConfig } from '../config/settings.ts';
import { createUpstreamClient } from '../wire/upstream-client.ts';
import type { ModelRow } from './program.ts';
import { createRemote } from './remote.ts';
import { findRunningServer } from './running-server.ts';
import { withoutControls } from './style.ts';
import { toTable } from './table.ts';

/** `obelisk models`: every name that can be asked for. */
export const modelsCommand: Command = {
  spec: {
    name: 'models',
    summary: 'List the models that can be asked for',
    options: {},
    notes: ['A default is marked with *: it is used where no model is named.'],
    examples: ['obelisk models', 'obelisk models --json'],
  },
  run: listModels,
};

async function listModels(context: CommandContext): Promise<number> {
  const models = await findModels(context, loadFrom(context));
  if (context.arguments.has('json')) {
    printJson(context, models);
    return EXIT.ok;
  }
  const style = styleOf(context);
  const header = ['NAME', 'KIND', 'CAPABILITIES', 'CONTEXT', 'SOURCE'].map(style.bold);
  context.terminal.stdout.write(toTable([header, ...models.map(toRow)]));
  if (!models.some((model) => model.kind === 'chat')) {
    context.terminal.stderr.write('No chat model was found: answers quote your notes. See obelisk doctor.\n');
  }
  return EXIT.ok;
}

async function findModels(context: CommandContext, config: LoadedConfig): Promise<readonly ModelRow[]> {
  const client = createUpstreamClient();
  const { environment } = context.terminal;
  const server = await findRunningServer(config.settings, { environment, client });
  if (server !== undefined) {
    const remote = createRemote(server, client);
    try {
      return await remote.models();
    } finally {
      await remote.close();
    }
  }
  await client.close();
  return findInProcess(context, config);
}

/** Listing models reads no vault: the program is opened without them, and their rows are added. */
async function findInProcess(context: CommandContext, config: LoadedConfig): Promise<readonly ModelRow[]> {
  const program = await context.open({ ...config, settings: { ...config.settings, vaults: [] } });
  try {
    const vaults = config.settings.vaults.map(({ name, path }): ModelRow => ({
      name: `vault/${name}`,
      kind: 'vault',
      capabilities: [],
      source: path,
    }));
    return [...(await program.models()), ...vaults];
  } finally {
    await program.close();
  }
}

function toRow(model: ModelRow): readonly string[] {
  return [
    withoutControls(model.name) + (model.default === undefined ? '' : ' *'),
    model.kind,
    model.capabilities.join(', ') || '-',
    model.contextLength === undefined ? '-' : String(model.contextLength),
    withoutControls(model.source),
  ];
}
