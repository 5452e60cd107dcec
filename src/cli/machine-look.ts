import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import type { MachineLook } from '../ollama/environment/machine-look.ts';
import { systemCodeOf } from '../shared/errors.ts';

const RUN_MS = 5_000;
const MAX_BYTES = 1024 * 1024;

/** Looks at this machine with the rights of this process; what it may not see is undefined. */
export function createMachineLook(platform: NodeJS.Platform): MachineLook {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  return {
    platform,
    ownAddresses: new Set(addresses.map(({ address }) => address)),
    readText: (file) => seen(readFile(file, 'utf8')),
    list: (folder) => seen(readdir(folder)),
    readLink: (file) => seen(readlink(file)),
    run,
  };
}

/** Files of /proc come and go, and those of others may not be read. */
async function seen<Value>(look: Promise<Value>): Promise<Value | undefined> {
  try {
    return await look;
  } catch (error) {
    if (systemCodeOf(error) !== undefined) return undefined;
    throw error;
  }
}

function run(program: string, given: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { timeout: RUN_MS, maxBuffer: MAX_BYTES, windowsHide: true };
    // A program that is not installed, fails or hangs tells nothing, which is an answer too.
    execFile(program, [...given], options, (error, stdout) => {
      resolve(error === null ? stdout : undefined);
    });
  });
}
