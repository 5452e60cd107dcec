import { writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadedConfig } from '../config/settings.ts';
import { secretsOf } from '../assemble.ts';
import { openObelisk } from '../obelisk.ts';
import type { ServedObelisk } from '../obelisk.ts';
import { contextOf } from '../router/deployment.ts';
import type { Deployment } from '../router/deployment.ts';
import { messageOf } from '../shared/errors.ts';
import { createLogger } from '../telemetry/logger.ts';
import type { BatchedLogger, LoggerOptions } from '../telemetry/logger.ts';
import type { IndexProgress, ModelRow, Program, ServerOptions } from './program.ts';

const PROGRESS_MS = 100;

/** Opens the program in this process; its log goes to standard error. */
export async function openProgram(config: LoadedConfig, server?: ServerOptions): Promise<Program> {
  const follow = server !== undefined;
  const { level, format } = config.settings.log;
  const terminal = process.stderr.isTTY;
  const logger = createLogger({
    stream: standardError(),
    // A command that ends has its result to show; only a server tells what it does.
    level: follow ? level : 'error',
    format: format === 'auto' ? (terminal ? 'text' : 'json') : format,
    colours: terminal && process.env['NO_COLOR'] === undefined,
    now: Date.now,
    secrets: secretsOf(config.settings),
  });
  const obelisk = await openObelisk({ config, load: server?.load ?? (() => config), logger, watch: follow });
  return {
    vaults: async () => obelisk.vaults(),
    models: async () => (await obelisk.models()).map((model) => toRow(model, obelisk)),
    ask: (question, { vault, model, signal }) =>
      obelisk.stream(question, { vault, signal, ...(model === undefined ? {} : { model }) }),
    async search(query, { vault, limit, signal }) {
      const { hits, supported, tookMs } = await obelisk.search(query, { vault, limit, signal });
      return { vault, hits, supported, tookMs };
    },
    control: () => obelisk.control(),
    index: (options) => bringUpToDate(obelisk, options),
    listen: () => obelisk.listen(),
    async reload() {
      try {
        await obelisk.reload();
      } catch {
        // The log has the reason by now, and the server goes on as it is.
      }
    },
    drainMs: () => obelisk.config.settings.server.drainMs,
    noteCrash: (error) => noteCrash(logger, error),
    flushLog: () => logger.flush(),
    close: () => obelisk.close(),
  };
}

/** A file is written to directly: its stream writes nothing more after a disk that was full for a moment. */
function standardError(): LoggerOptions['stream'] {
  const { stderr } = process;
  const { fd } = stderr;
  return stderr instanceof Socket ? stderr : { write: (text) => writeFileSync(fd, text) };
}

function noteCrash(logger: BatchedLogger, error: unknown): void {
  const stack = error instanceof Error ? error.stack : undefined;
  logger.error('an error that nobody caught; the server ends', { error: messageOf(error), stack });
  // The process may not live until the next batch.
  logger.flush();
}

async function bringUpToDate(
  obelisk: ServedObelisk,
  { rebuild, onProgress, signal }: Parameters<Program['index']>[0],
): ReturnType<Program['index']> {
  const done = rebuild ? obelisk.rebuild() : obelisk.refresh();
  const settled = done.then(
    () => true,
    () => true,
  );
  do {
    for (const progress of progressOf(obelisk)) onProgress(progress);
  } while (!signal.aborted && !(await Promise.race([settled, sleep(PROGRESS_MS, false)])));
  signal.throwIfAborted();
  await done;
  return obelisk.vaults();
}

function progressOf(obelisk: ServedObelisk): readonly IndexProgress[] {
  return obelisk
    .vaults()
    .filter((vault) => vault.state === 'indexing')
    .map(({ name, notes, pendingNotes }) => ({
      vault: name,
      notesDone: notes,
      notesTotal: notes + pendingNotes,
    }));
}

function toRow(deployment: Deployment, obelisk: ServedObelisk): ModelRow {
  const { modelName, capabilities, dialect, source } = deployment;
  const contextLength = contextOf(capabilities);
  const role = obelisk.roleOf(modelName);
  return {
    name: modelName,
    kind: dialect === 'vault' ? 'vault' : kindOf(capabilities),
    capabilities: (['tools', 'vision', 'thinking'] as const).filter((name) => capabilities[name] === true),
    source,
    ...(contextLength === undefined ? {} : { contextLength }),
    ...(role === undefined ? {} : { default: role }),
  };
}

function kindOf({ chat, embedding }: Deployment['capabilities']): ModelRow['kind'] {
  if (chat === true) return 'chat';
  if (embedding === true) return 'embedding';
  return chat === undefined && embedding === undefined ? 'chat' : 'other';
}
