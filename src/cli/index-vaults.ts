import { setTimeout as sleep } from 'node:timers/promises';
import type { VaultStatus } from '../rag/library.ts';
import { EXIT, printJson, styleOf, usageError } from './command.ts';
import type { Command, CommandContext } from './command.ts';
import { createProgressView } from './progress.ts';
import type { ProgressView } from './progress.ts';
import { openSession } from './session.ts';
import type { Session } from './session.ts';
import { withoutControls } from './style.ts';
import { toTable } from './table.ts';

const POLL_MS = 200;

/** `obelisk index`: brings the indexes up to date. */
export const indexCommand: Command = {
  spec: {
    name: 'index',
    summary: 'Bring the indexes of your vaults up to date',
    options: {
      vault: { value: 'NAME|DIR', multiple: true, description: 'Vault to index (default: all)' },
      rebuild: { description: 'Forget the index first and read everything again' },
    },
    notes: ['obelisk serve follows its vaults by itself; this command then waits until it has caught up.'],
    examples: ['obelisk index', 'obelisk index --vault ~/Notes --rebuild'],
  },
  run: indexVaults,
};

async function indexVaults(context: CommandContext): Promise<number> {
  const rebuild = context.arguments.has('rebuild');
  const session = await openSession(context);
  const view = createProgressView(context.terminal.stderr, () => performance.now());
  try {
    if (session.vaults.length === 0) {
      return usageError(context, 'index', 'no vault is configured; name a folder of notes: --vault DIR');
    }
    if (rebuild && session.server !== undefined) {
      const { pid, url } = session.server;
      context.terminal.stderr.write(
        `obelisk index: the server at ${url} (process ${pid}) uses these indexes; stop it before you rebuild them\n`,
      );
      return EXIT.failure;
    }
    const statuses = await bringUp(context, session, { rebuild, view });
    view.end();
    printStatuses(context, statuses);
    return statuses.some((status) => status.state === 'failed') ? EXIT.failure : EXIT.ok;
  } finally {
    view.end();
    await session.answering.close();
  }
}

async function bringUp(
  context: CommandContext,
  session: Session,
  { rebuild, view }: { readonly rebuild: boolean; readonly view: ProgressView },
): Promise<readonly VaultStatus[]> {
  const { signal } = context.terminal;
  if (session.program !== undefined) {
    return session.program.index({ rebuild, signal, onProgress: (progress) => view.update(progress) });
  }
  for (;;) {
    const all = await session.answering.vaults();
    const statuses = all.filter((status) => session.vaults.includes(status.name));
    const busy = statuses.find((status) => status.state === 'starting' || status.state === 'indexing');
    if (busy === undefined) return statuses;
    view.update({
      vault: busy.name,
      notesDone: busy.notes,
      notesTotal: busy.notes + busy.pendingNotes,
    });
    await sleep(POLL_MS, undefined, { signal });
  }
}

function printStatuses(context: CommandContext, statuses: readonly VaultStatus[]): void {
  if (context.arguments.has('json')) {
    printJson(context, statuses);
    return;
  }
  const style = styleOf(context);
  const header = ['VAULT', 'STATE', 'NOTES', 'PASSAGES', 'EMBEDDED', 'LINKS', 'BROKEN LINKS'];
  const rows = statuses.map((status) => [
    status.name,
    status.state,
    String(status.notes),
    String(status.chunks),
    String(status.embeddedChunks),
    String(status.links.resolved + status.links.ambiguous),
    String(status.links.unresolved),
  ]);
  context.terminal.stdout.write(toTable([header.map(style.bold), ...rows]));
  reportTroubles(context, statuses);
}

function reportTroubles(context: CommandContext, statuses: readonly VaultStatus[]): void {
  const { stderr } = context.terminal;
  for (const { name, error, warnings } of statuses) {
    if (error !== undefined) stderr.write(`${name}: ${withoutControls(error)}\n`);
    for (const { path, line, message } of warnings.slice(0, 20)) {
      stderr.write(withoutControls(`${name}: ${path}:${line}: ${message}`) + '\n');
    }
    if (warnings.length > 20) stderr.write(`${name}: … and ${warnings.length - 20} more warnings\n`);
  }
}
