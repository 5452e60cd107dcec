import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';

import { ObeliskError } from '../../shared/errors.ts';
import type { OllamaBlob } from '../api/request-types.ts';

import type { DigestMessage } from './digest-worker.ts';

/** The file runs as `.ts` in the sources and as `.js` where it was built. */
const WORKER_FILE = new URL(`./digest-worker${path.extname(import.meta.url)}`, import.meta.url);
/** Up to this a file is hashed sooner than a thread has started. */
const SMALL_BYTES = 4 * 1024 * 1024;
const READ_BYTES = 256 * 1024;

/** Hears how many bytes of a file have been read, of how many. */
export type OnRead = (readBytes: number, totalBytes: number) => void;

/**
 * Takes the digest of a file, a large one in a thread of its own.
 *
 * @throws ObeliskError `invalid_request` for what is no file, `client_gone` when the signal aborts; the
 *   system's own error where it cannot be read.
 */
export async function blobOf(file: string, signal?: AbortSignal, onRead?: OnRead): Promise<OllamaBlob> {
  const found = await stat(file);
  if (!found.isFile()) throw new ObeliskError('invalid_request', `${file} is not a file`);
  if (signal?.aborted === true) throw gone();
  const tell = (bytes: number): void => onRead?.(bytes, found.size);
  const { digest, bytes } =
    found.size <= SMALL_BYTES ? await digestHere(file) : await digestInThread(file, tell, signal);
  tell(bytes);
  return {
    digest: `sha256:${digest}`,
    bytes,
    open: () => createReadStream(file, { highWaterMark: READ_BYTES }),
  };
}

type Digest = { readonly digest: string; readonly bytes: number };

async function digestHere(file: string): Promise<Digest> {
  const content = await readFile(file);
  return { digest: createHash('sha256').update(content).digest('hex'), bytes: content.length };
}

async function digestInThread(
  file: string,
  tell: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<Digest> {
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  // Flags of the main program are not the thread's; some make it end at once.
  const worker = new Worker(WORKER_FILE, { workerData: file, execArgv: [] });
  const onAbort = (): void => void worker.terminate();
  signal?.addEventListener('abort', onAbort);
  try {
    return await new Promise<Digest>((resolve, reject) => {
      worker.on('message', ({ bytes, digest }: DigestMessage) => {
        if (digest === undefined) tell(bytes);
        else resolve({ bytes, digest });
      });
      worker.on('error', reject);
      worker.on('exit', () => reject(gone()));
    });
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

function gone(): ObeliskError {
  return new ObeliskError('client_gone', 'the caller gave up on the model');
}
