import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCodeOf } from '../shared/errors.ts';

/**
 * Makes a folder and those above it, where they are missing. Node's own `recursive` never returns where
 * a file system answers ENOENT in a folder that exists, as `/proc` does: it makes the upper one again
 * and again, without waiting and with threads.
 * @param mode Permissions of those that are made; as the process's mask has them unless told.
 * @throws Error of the system, with its code.
 */
export function makeFolder(folder: string, mode?: number): void {
  try {
    mkdirSync(folder, mode);
  } catch (error) {
    if (isFolder(folder)) return;
    const upper = dirname(folder);
    if (systemCodeOf(error) !== 'ENOENT' || isFolder(upper)) throw error;
    makeFolder(upper, mode);
    makeFolder(folder, mode);
  }
}

function isFolder(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
}
