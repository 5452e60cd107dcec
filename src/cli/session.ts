import { statSync } from 'node:fs';
import path from 'node:path';
import { resolvePath } from '../config/data-dir.ts';
import type { LoadedConfig, VaultEntry } from '../config/settings.ts';
import { ObeliskError } from '../shared/errors.ts';
import { nearest } from '../shared/nearest.ts';
import { createUpstreamClient } from '../wire/upstream-client.ts';
import { loadFrom } from './command.ts';
import type { CommandContext } from './command.ts';
import { createProgressView } from './progress.ts';
import type { Answering, Program } from './program.ts';
import { createRemote } from './remote.ts';
import { requireVaults } from '../require-vaults.ts';
import { findRunningServer } from './running-server.ts';
import type { RunningServer } from './running-server.ts';

/** Something that answers, and the vaults that were asked for. */
export type Session = {
  readonly answering: Answering;
  readonly vaults: readonly string[];
  /** Set where the work is done in this process. */
  readonly program?: Program;
  /** Set where a running server does the work. */
  readonly server?: RunningServer;
};

/**
 * Opens what answers for `--vault NAME|DIR`: the server that runs on the same data directory when it
 * has those vaults, else a program in this process.
 * @throws ObeliskError `not_found` for a vault that is neither a name nor a folder, `vault_unreadable`.
 */
export async function openSession(context: CommandContext): Promise<Session> {
  const config = loadFrom(context);
  const wanted = context.arguments.texts('vault');
  const client = createUpstreamClient();
  const server = await findRunningServer(config.settings, {
    environment: context.terminal.environment,
    client,
  });
  if (server !== undefined) {
    const answering = createRemote(server, client);
    const vaults = await vaultsOfServer(wanted, { answering, server, context });
    if (vaults !== undefined) return { answering, vaults, server };
  }
  await client.close();
  return openInProcess(context, config, wanted);
}

async function vaultsOfServer(
  wanted: readonly string[],
  from: { readonly answering: Answering; readonly server: RunningServer; readonly context: CommandContext },
): Promise<readonly string[] | undefined> {
  const names = (await from.answering.vaults()).map((vault) => vault.name);
  if (wanted.length === 0) return names;
  const chosen = wanted.map((given) => {
    const name = given.normalize('NFC');
    if (names.includes(name)) return name;
    const folder = toFolder(given, from.context);
    return from.server.vaults.find((vault) => path.relative(vault.path, folder) === '')?.name;
  });
  return chosen.every((name) => name !== undefined) ? chosen : undefined;
}

async function openInProcess(
  context: CommandContext,
  config: LoadedConfig,
  wanted: readonly string[],
): Promise<Session> {
  const chosen = wanted.map((given) => toVault(given, config.settings.vaults, context));
  const effective = chosen.length === 0 ? config : loadFrom(context, { vaults: chosen });
  await requireVaults(effective.settings.vaults);
  const program = await context.open(effective);
  return { answering: program, program, vaults: effective.settings.vaults.map((vault) => vault.name) };
}

function toVault(
  given: string,
  configured: readonly VaultEntry[],
  context: CommandContext,
): VaultEntry | string {
  const named = configured.find((vault) => vault.name === given.normalize('NFC'));
  if (named !== undefined) return named;
  const folder = toFolder(given, context);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return given;
  const names = configured.map((vault) => vault.name);
  const [closest] = nearest(given, names, 1);
  const hint =
    closest === undefined ? `configured are: ${names.join(', ') || 'none'}` : `did you mean "${closest}"?`;
  throw new ObeliskError('not_found', `there is no vault named "${given}" and no folder ${folder}; ${hint}`);
}

function toFolder(given: string, { terminal }: CommandContext): string {
  const { cwd, homeDir, platform } = terminal;
  return resolvePath(given, { baseDir: cwd, homeDir, platform });
}

/** Waits until the indexes are as the files are, showing how far it is. A server keeps its own up to date. */
export async function bringUpToDate(session: Session, context: CommandContext): Promise<void> {
  if (session.program === undefined) return;
  const view = createProgressView(context.terminal.stderr, () => performance.now());
  try {
    await session.program.index({
      rebuild: false,
      onProgress: (progress) => view.update(progress),
      signal: context.terminal.signal,
    });
  } finally {
    view.end();
  }
}
