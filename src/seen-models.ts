import { rename, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { messageOf, systemCodeOf } from './shared/errors.ts';
import { makeFolder } from './store/make-folder.ts';
import type { Logger } from './telemetry/log.ts';

/** Name of the file in the data directory in which the models of each host are remembered. */
export const SEEN_MODELS_FILE = 'models.json';

/** The models that hosts had when they were last there, across restarts. */
export type SeenModels = {
  /** Names that a host had; `host` is its base URL. */
  of(host: string): readonly string[];
  /** Remembers the names that a host has now, in place of what it had. */
  note(host: string, names: readonly string[]): void;
  /** Resolves when everything noted so far is on disk, or was told to the log as not writable. */
  written(): Promise<void>;
};

const fileSchema = z.lazy(() => z.record(z.string(), z.array(z.string())));

/**
 * Reads what an earlier process remembered, so that a request for one of its models is told which
 * host is away. What cannot be read counts as nothing remembered: it is only a memory.
 */
export function openSeenModels(dataDir: string, logger: Logger): SeenModels {
  const file = path.join(dataDir, SEEN_MODELS_FILE);
  const byHost = new Map(Object.entries(read(file, logger)));
  let writing = Promise.resolve();
  let waiting = false;
  const write = async (): Promise<void> => {
    waiting = false;
    try {
      await replaceFile(file, JSON.stringify(Object.fromEntries(byHost)));
    } catch (error) {
      logger.warn('the models that were seen cannot be remembered', { file, reason: messageOf(error) });
    }
  };
  return {
    of: (host) => byHost.get(host) ?? [],
    note(host, names) {
      byHost.set(host, names);
      // What is noted before the file's turn comes is written with it.
      if (waiting) return;
      waiting = true;
      writing = writing.then(write);
    },
    written: () => writing,
  };
}

function read(file: string, logger: Logger): Readonly<Record<string, readonly string[]>> {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return {};
    const damaged = error instanceof SyntaxError || error instanceof z.ZodError;
    logger.warn('the models that were seen earlier cannot be read', {
      file,
      reason: damaged ? 'the file is damaged; it is written anew' : messageOf(error),
    });
    return {};
  }
}

/** A reader sees the old file or the new one, never half of one, whenever the process ends. */
async function replaceFile(file: string, text: string): Promise<void> {
  const draft = `${file}.${String(process.pid)}.tmp`;
  makeFolder(path.dirname(file));
  try {
    await writeFile(draft, text, { mode: 0o600 });
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
