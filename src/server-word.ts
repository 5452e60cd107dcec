import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { House } from './assemble.ts';
import { SERVER_FILE, TOKEN_FILE } from './server-file.ts';
import { systemCodeOf } from './shared/errors.ts';

/** What a server tells the command line of this machine: where it is, and how to open it. */
export type ServerWord = {
  /** Writes what is true now: two small files, which takes less at once than the threads that would wait for it. */
  leave(): void;
  /** Takes it back, at once, so that it can be the last that a process does. */
  takeBack(): void;
};

/** Creates the word of a server at `url`; it lies in the data directory, for its owner only. */
export function createServerWord(house: House, url: string): ServerWord {
  const left = new Map<string, string>();
  return {
    leave() {
      const files = filesOf(house, url);
      mkdirSync(house.serving().settings.dataDir, { recursive: true });
      for (const [file, text] of left) if (!files.has(file)) takeBack(file, text);
      for (const [file, text] of files) {
        if (left.get(file) === text) continue;
        // A file that was there keeps its mode when it is written to.
        rmSync(file, { force: true });
        writeFileSync(file, text, { mode: 0o600 });
      }
      left.clear();
      for (const [file, text] of files) left.set(file, text);
    },
    takeBack() {
      for (const [file, text] of left) takeBack(file, text);
      left.clear();
    },
  };
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
