/** A thread that takes the digest of one large file: minutes in which the event loop belongs to others. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

/** What the thread says: how much it has read, and at the end the digest. */
export type DigestMessage = { readonly bytes: number; readonly digest?: string };

const READ_BYTES = 1024 * 1024;
/** How often it says how far it is, in bytes. */
const TELL_BYTES = 32 * READ_BYTES;

const tell = (message: DigestMessage): void => parentPort?.postMessage(message);
const hash = createHash('sha256');
const buffer = Buffer.allocUnsafe(READ_BYTES);
const file = openSync(String(workerData), 'r');
let bytes = 0;
for (;;) {
  const read = readSync(file, buffer);
  if (read === 0) break;
  hash.update(buffer.subarray(0, read));
  bytes += read;
  if (bytes % TELL_BYTES < read) tell({ bytes });
}
closeSync(file);
tell({ bytes, digest: hash.digest('hex') });
