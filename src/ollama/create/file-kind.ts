import { open, stat } from 'node:fs/promises';

import { ObeliskError } from '../../shared/errors.ts';

/** What a file of a model must be, as far as its first bytes tell. */
export type FileKind = 'gguf' | 'safetensors' | 'zip' | 'text' | 'any';

const SNIFF_BYTES = 512;
/** How the file of git-lfs begins that stands where a large file was not fetched. */
const POINTER = 'version https://git-lfs';

/**
 * Requires that a file is what its name says, before gigabytes of something else are uploaded.
 * @throws ObeliskError `invalid_request` for what is not, above all a pointer of git-lfs.
 */
export async function requireFileKind(file: string, kind: FileKind): Promise<void> {
  const bytes = await beginningOf(file);
  if (bytes.toString('latin1').startsWith(POINTER)) {
    throw refused(file, 'is only a pointer of git-lfs; fetch the file itself with: git lfs pull');
  }
  if (kind === 'gguf' && !/^(?:GGUF|FUGG)/.test(bytes.toString('latin1', 0, 4)))
    throw refused(file, 'is not a GGUF file');
  // Eight bytes of length, then a header in JSON (the format's own description).
  if (kind === 'safetensors' && bytes.toString('latin1', 8, 9) !== '{')
    throw refused(file, 'is not a file of safetensors');
  if (kind === 'zip' && bytes.toString('latin1', 0, 4) !== 'PK\u0003\u0004')
    throw refused(file, 'is not a PyTorch file');
  if (kind === 'text' && bytes.some(isBinary)) throw refused(file, 'is not a text');
}

/** Control characters that no text has (the MIME sniffing standard, section 3). */
function isBinary(byte: number): boolean {
  return byte <= 0x08 || byte === 0x0b || (byte >= 0x0e && byte <= 0x1a) || (byte >= 0x1c && byte <= 0x1f);
}

async function beginningOf(file: string): Promise<Buffer> {
  // Opening a pipe waits for its writer, in one of the few threads that all files of the process share.
  if (!(await stat(file)).isFile()) throw refused(file, 'is not a file');
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(SNIFF_BYTES) });
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function refused(file: string, what: string): ObeliskError {
  return new ObeliskError('invalid_request', `${file} ${what}`);
}
