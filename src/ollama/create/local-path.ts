import { homedir } from 'node:os';
import path from 'node:path';

import { ObeliskError } from '../../shared/errors.ts';

/**
 * Makes an absolute path of one that stands in a Modelfile: `~` is the home directory, anything else
 * relative starts at the directory of the Modelfile.
 * @throws ObeliskError `invalid_request` for the home directory of somebody else, and for a relative
 *   path where no directory is known.
 */
export function expandPath(
  written: string,
  from: { readonly directory: string | undefined; readonly home?: string },
): string {
  if (path.isAbsolute(written) || /^[/\\]/.test(written)) return path.resolve(written);
  if (written === '~' || /^~[/\\]/.test(written)) return path.join(from.home ?? homedir(), written.slice(1));
  if (written.startsWith('~')) {
    throw new ObeliskError('invalid_request', `write the whole path instead of ${JSON.stringify(written)}`);
  }
  if (from.directory !== undefined) {
    // A relative one would start wherever this process was started.
    if (path.isAbsolute(from.directory)) return path.resolve(from.directory, written);
    throw new ObeliskError('invalid_request', 'the directory of a Modelfile is a whole path', {
      param: 'directory',
    });
  }
  throw new ObeliskError(
    'invalid_request',
    `${JSON.stringify(written)} is relative to nothing: write the whole path, or give a directory`,
  );
}

/** Whether a text is meant as a path and cannot be the name of a model. */
export function isWrittenAsPath(written: string): boolean {
  return (
    path.isAbsolute(written) ||
    /^(?:[/\\~]|\.{1,2}(?:$|[/\\])|[A-Za-z]:[/\\])/.test(written) ||
    /\.(?:gguf|safetensors|bin)$/i.test(written)
  );
}
