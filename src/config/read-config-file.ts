import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { ObeliskError, systemCodeOf } from '../shared/errors.ts';
import { configError } from './config-problem.ts';
import type { ConfigInputs } from './config-inputs.ts';
import { pathsOf, resolvePath } from './data-dir.ts';

/** The file that is looked for when none is named. */
export const DEFAULT_FILE = 'obelisk.yaml';

const MAX_BYTES = 1024 * 1024;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EISDIR: 'is a folder, not a file',
  ENOTDIR: 'is inside something that is not a folder',
  EACCES: 'may not be read (permission denied)',
  EPERM: 'may not be read (permission denied)',
};

/** A file's absolute path and text. */
export type ConfigText = { readonly file: string; readonly text: string };

/**
 * Reads the configuration file that was named, or `obelisk.yaml` where the program was started.
 * @returns undefined when none was named and there is none.
 * @throws ObeliskError `config_invalid` when it cannot be read, is larger than 1 MiB or is not UTF-8.
 */
export function readConfigFile(inputs: ConfigInputs): ConfigText | undefined {
  const { cwd, homeDir, platform } = inputs;
  const file =
    inputs.file === undefined
      ? pathsOf(platform).join(cwd, DEFAULT_FILE)
      : resolvePath(inputs.file, { baseDir: cwd, homeDir, platform });
  const bytes = readBytes(file, inputs.file !== undefined);
  if (bytes === undefined) return undefined;
  if (bytes.length > MAX_BYTES) {
    throw new ObeliskError('config_invalid', `${file} is larger than 1 MiB; is it a configuration file?`);
  }
  if (!isUtf8(bytes)) {
    throw configError(file, [
      { line: lineOfBadUtf8(bytes), column: 1, message: 'this line is not UTF-8 text' },
    ]);
  }
  return { file, text: bytes.toString('utf8') };
}

function readBytes(file: string, named: boolean): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = systemCodeOf(error) ?? 'unknown';
    if (code === 'ENOENT' && !named) return undefined;
    const reason = REASONS[code] ?? `cannot be read (${code})`;
    throw new ObeliskError('config_invalid', `the configuration file ${file} ${reason}`, { cause: error });
  }
}

function lineOfBadUtf8(bytes: Buffer): number {
  let start = 0;
  for (let line = 1; ; line += 1) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    if (newline < 0 || !isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
  }
}
