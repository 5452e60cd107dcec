import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { House } from './assemble.ts';
import { SERVER_FILE, TOKEN_FILE } from './server-file.ts';
import { messageOf, systemCodeOf } from './shared/errors.ts';
import { makeFolder } from './store/make-folder.ts';

/** What a server tells the command line of this machine: where it is, and how to open it. */
export type ServerWord = {
  /** Writes what is true now: two small files, which takes less at once than the threads that would wait for it. */
  leave(): void;
  /** Takes it back, at once, so that it can be the last that a process does. */
  takeBack(): void;
};

const NOT_LEFT =
  'the command line does not find this server: its data directory cannot be written; check its space and permissions, or choose another with data_dir';

/**
 * Creates the word of a server at `url`; it lies in the data directory, for its owner only. Where it
 * cannot be written there, the log says so and the server serves: a gateway needs no disk.
 */
export function createServerWord(house: House, url: string): ServerWord {
  const left = new Map<string, string>();
  const { logger } = house.lasting;
  const tryTo = (message: string, run: () => void): void => {
    try {
      run();
    } catch (error) {
      logger.warn(message, { directory: house.serving().settings.dataDir, reason: messageOf(error) });
    }
  };
  const takeBackAll = (): void => {
    for (const [file, text] of left) takeBack(file, text);
    left.clear();
  };
  return {
    leave: () =>
      tryTo(NOT_LEFT, () => {
        const files = filesOf(house, url);
        makeFolder(house.serving().settings.dataDir);
        for (const [file, text] of left) if (!files.has(file)) takeBack(file, text);
        for (const [file, text] of files) {
          if (left.get(file) === text) continue;
          left.delete(file);
          writeAnew(file, text);
          left.set(file, text);
        }
      }),
    takeBack: () => tryTo('what tells the command line of this server stays behind', takeBackAll),
  };
}

/** A file that was there keeps its mode when it is written to, and half a file is worse than none. */
function writeAnew(file: string, text: string): void {
  rmSync(file, { force: true });
  try {
    writeFileSync(file, text, { mode: 0o600 });
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  }
}

function filesOf(house: House, url: string): ReadonlyMap<string, string> {
  const { settings, library } = house.serving();
  const token = house.localToken();
  const word = {
    url,
    pid: process.pid,
    vaults: library.status().map((vault) => ({ name: vault.name, path: vault.path })),
    tokenFile: TOKEN_FILE,
  };
  return new Map([
    [path.join(settings.dataDir, SERVER_FILE), JSON.stringify(word)],
    [path.join(settings.dataDir, TOKEN_FILE), token.reveal()],
  ]);
}

/** Another server may have taken the directory over meanwhile; its word stays. */
function takeBack(file: string, text: string): void {
  try {
    if (readFileSync(file, 'utf8') === text) rmSync(file);
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
  }
}
